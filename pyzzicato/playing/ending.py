"""Brings a continuation to a close: a last long chord in its key, within the asked length.

The last seconds are drawn several times. A model that was trained with endings is given all along
how much is left, and winds down by itself; one that was not may still come to rest by chance. Of
all chords that any of the drawn endings comes to, the one is chosen that closes best by simple
facts, and nothing is struck after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..keys import Floats, find_key, key_of, weigh_pitch_classes
from ..notes import Note, sort_notes
from .performer import Performer

NO_CLOSE = "no ending came to rest in the key; the best of those drawn was taken"

_TAIL_S = 10.0
"""So many last seconds are drawn again and again, or half of a short continuation."""
_TRIES, _BATCH = 24, 8
_MARGIN_S = 0.2, 3.0
"""The model is given an end so much earlier than the real one, a different one for each try."""
_CHORD_S, _LONGEST_CHORD_S = 0.12, 0.8
"""Notes that follow each other so fast are one chord, broken at most so slowly."""
_RINGING_S = 2.0
"""What was struck so long before the last chord, and sounds on, is of it."""
_HELD_S = 2.0
"""The last chord sounds so long at least, where there is time."""
_LAST_S = 8.0
"""A close is looked for in so many last seconds."""
_OF_ENDINGS = 5

Key = tuple[int, bool]


@dataclass(frozen=True)
class Chord:
    """A chord and what sounds with it.

    Attributes:
        start: when its first note is struck.
        struck: its notes.
        sounding: these, and what rings on from just before.
    """

    start: float
    struck: tuple[Note, ...]
    sounding: tuple[Note, ...]

    @property
    def bass(self) -> int:
        """Returns the pitch class of the lowest note."""
        return min(note.pitch for note in self.sounding) % 12

    def share_of_triad(self, key: Key) -> float:
        """Returns which share of the chord's pitch classes is of the key's tonic triad.

        Pieces in minor may end in major.
        """
        tonic, _ = key
        classes = {(note.pitch - tonic) % 12 for note in self.sounding}
        thirds = {3, 4} & classes
        triad = {0, 7, *([thirds.pop()] if len(thirds) == 1 else [])}
        return len(classes & triad) / len(classes)

    def is_tonic(self, key: Key) -> bool:
        """Returns whether the bass and the chord are the key's tonic: at least three quarters."""
        return self.bass == key[0] and self.share_of_triad(key) >= 0.75


def chords_of(notes: Sequence[Note]) -> list[Chord]:
    """Returns the chords of a passage, in order; a note alone is one too."""
    groups: list[list[Note]] = []
    for note in sort_notes(notes):
        last = groups[-1] if groups else None
        if (
            last
            and note.start - last[-1].start < _CHORD_S
            and note.start - last[0].start < _LONGEST_CHORD_S
        ):
            last.append(note)
        else:
            groups.append([note])
    chords: list[Chord] = []
    before: list[Note] = []
    for group in groups:
        start = group[0].start
        before = [n for n in before if n.start > start - _RINGING_S]
        ringing = [n for n in before if n.end > start + _CHORD_S]
        chords.append(Chord(start, tuple(group), (*group, *ringing)))
        before += group
    return chords


def last_chord(notes: Sequence[Note]) -> Chord:
    """Returns the chord that a piece ends with.

    Args:
        notes: at least one.
    """
    return chords_of(notes)[-1]


def ends_on_tonic(notes: Sequence[Note]) -> bool:
    """Returns whether a piece ends with the tonic chord of its key; without a note it does not."""
    key = find_key(notes)
    return key is not None and last_chord(notes).is_tonic(key)


@dataclass
class Close:
    """The end of a continuation.

    Attributes:
        notes: all that had not ended when it began, from 0 where the seed ends.
        performer: who played it.
        is_tonic: whether the last chord is the tonic of the piece's key.
        tries: how many endings were drawn.
    """

    notes: list[Note]
    performer: Performer
    is_tonic: bool
    tries: int
    score: float = -np.inf


def opening_seconds(seconds: float) -> float:
    """Returns how much of a continuation is played before its end is drawn."""
    return seconds - min(_TAIL_S, seconds / 2)


def bring_to_close(
    performer: Performer, so_far: Sequence[Note], end_s: float, rng: Sequence[int]
) -> Close:
    """Returns the best of several endings.

    Args:
        performer: who has played up to `opening_seconds`; it stays as it is.
        so_far: seed and continuation so far, on any clock: with the ending they say which key the
            piece is in.
        end_s: when the last note ends, at the latest, from where the seed ends.
        rng: numbers of the random draw.
    """
    weights = weigh_pitch_classes(so_far)
    best: Close | None = None
    for n in range(_TRIES):
        draws = np.random.default_rng([*rng, _OF_ENDINGS, n])
        one = performer.fork(draws)
        one.ends_at_s = end_s - float(draws.uniform(*_MARGIN_S))
        notes = one.play(end_s)
        decoder = one.decoder
        notes += decoder.let_go(end_s)
        close = _choose(notes, weights, end_s)
        if best is None or close[0] > best.score:
            best = Close(close[1], one, close[2], n + 1, close[0])
        if best.is_tonic and (n + 1) % _BATCH == 0:
            break
    assert best is not None
    best.tries = n + 1
    return best


def _choose(notes: Sequence[Note], so_far: Floats, end_s: float) -> tuple[float, list[Note], bool]:
    """Returns how well an ending closes at its best, its notes up to there, and if in the key.

    Args:
        notes: of the ending.
        so_far: weights of the pitch classes before it.
        end_s: when it is to be over.
    """
    chords = [c for c in chords_of(notes) if c.start < end_s]
    best = (-np.inf, [n for n in notes if n.start < end_s], False)
    for i, chord in enumerate(chords):
        if chord.start < end_s - _LAST_S and i < len(chords) - 1:
            continue
        following = chords[i + 1].start if i + 1 < len(chords) else end_s
        ended = _end_with(chord, notes, end_s)
        key = key_of(so_far + weigh_pitch_classes(ended))
        score = _score(chord, chords[:i], following, key, end_s)
        if score > best[0]:
            best = (score, ended, key is not None and chord.is_tonic(key))
    return best


def _score(
    chord: Chord, before: Sequence[Chord], following_s: float, key: Key | None, end_s: float
) -> float:
    """Returns how well a chord closes a piece."""
    waits = min(following_s - chord.start, 3.0) / 3.0
    longest = max(n.duration for n in chord.struck)
    score = 2.0 * waits + min(longest, 2.0) / 2.0
    score += 0.5 * (len(chord.struck) >= 3)
    room = end_s - chord.start
    score -= 4.0 * max(0.0, 1.2 - room) + 0.1 * max(0.0, room - 5.0)
    if key is None:
        return score
    score += 2.0 * chord.is_tonic(key) + (chord.bass == key[0]) + chord.share_of_triad(key)
    dominant = (key[0] + 7) % 12
    leads = [c.bass for c in before if chord.start - _LAST_S < c.start and c.bass != chord.bass]
    return score + 0.5 * (leads[-1:] == [dominant])


def _end_with(chord: Chord, notes: Sequence[Note], end_s: float) -> list[Note]:
    """Returns the notes up to a chord, which is held."""
    last = chord.struck[-1].start
    held_to = min(end_s, chord.start + _HELD_S)
    struck = set(chord.struck)
    return [
        replace(n, end=min(end_s, max(n.end, held_to) if n in struck else n.end))
        for n in sort_notes(notes)
        if n.start <= last
    ]
