"""A performance: what a MIDI file plays, as one piano would."""

import io
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..checks import show_value
from ..notes import EDGE_S, Note, PedalSpan, end_of, shift_notes
from .timing import Timing

if TYPE_CHECKING:
    import pretty_midi  # type: ignore[import-untyped]

Sustain = Literal["extend", "ignore"]
"""Whether notes are lengthened by the pedals; a checkpoint's config says which it learnt."""
GRID_S = 0.010
"""How near to a place of the grid an onset must be to lie on it."""
DIVISIONS = (1, 2, 4, 3, 6, 12, 8, 24)
"""Parts that a quarter note may be cut into, the simplest first; 12 and 24 hold triplets too."""
_GRID_SHARE = 0.95
_MOST_LOOKED_AT = 1000
# Where places are so near to each other that chance alone puts more onsets near one, none is seen.
_MOST_BY_CHANCE = 0.8
_LEAST_SAID_S = 0.5


@dataclass(frozen=True, slots=True)
class Part:
    """A track, or a channel, that plays: a hand, or a voice.

    Attributes:
        name: as the file spells it; may be empty.
        n_notes: how many notes it plays.
        mean_pitch: of them, as a MIDI number.
    """

    name: str
    n_notes: int
    mean_pitch: float


@dataclass(frozen=True, slots=True)
class Performance:
    """What a MIDI file plays, on one piano.

    Times are seconds from the beginning of the file; `music` begins with the first note.

    Attributes:
        notes: the notes as the fingers played them, in the order of `sort_notes`.
        sustained: the same notes in the same order, as long as they sound by the pedals.
        pedals: spans with the sustain pedal down on any channel, in order of time, not overlapping.
        timing: ticks, tempo map, metre and key signatures.
        parts: the tracks that play (of a file with one such track: the channels).
        part_of: for each note the number of its part.
        title: of the piece; empty if the file has none.
        title_data: the title's bytes in the file.
        composer: short name of the composer that a text of the file names, one of those that models
            know; None for none.
        repairs: what was done to the file to read it, in sentences.
    """

    notes: tuple[Note, ...]
    sustained: tuple[Note, ...] = ()
    pedals: tuple[PedalSpan, ...] = ()
    timing: Timing = Timing()
    parts: tuple[Part, ...] = ()
    part_of: tuple[int, ...] = ()
    title: str = ""
    title_data: bytes = b""
    composer: str | None = None
    repairs: tuple[str, ...] = ()

    @property
    def start_s(self) -> float:
        """Returns the time of the first note, in seconds; 0.0 without notes."""
        return self.notes[0].start if self.notes else 0.0

    @property
    def seconds(self) -> float:
        """Returns the time of the last key let go, in seconds from the file's beginning."""
        return end_of(self.notes)

    def sounding(self, sustain: Sustain = "extend") -> list[Note]:
        """Returns the notes as they sound, in seconds from the file's beginning.

        Args:
            sustain: "extend" lengthens notes by the pedals, "ignore" leaves them as the fingers
                played them.

        Raises:
            ValueError: if `sustain` is neither.
        """
        if sustain == "extend":
            return list(self.sustained or self.notes)
        if sustain == "ignore":
            return list(self.notes)
        raise ValueError(f"sustain must be 'extend' or 'ignore', got {show_value(sustain)}")

    def music(self, sustain: Sustain = "extend") -> list[Note]:
        """Returns the notes as they sound, moved so that the first one starts at 0.

        This is what a seed is cut from: nobody waits for silence before the first note.

        Args:
            sustain: as for `sounding`.

        Raises:
            ValueError: if `sustain` is neither of the two.
        """
        return shift_notes(self.sounding(sustain), -self.start_s)

    def remarks(self) -> list[str]:
        """Returns a sentence for each thing left out or repaired; none for a clean file."""
        remarks = list(self.repairs)
        if self.start_s >= _LEAST_SAID_S:
            remarks.append(
                f"The first note comes after {self.start_s:.1f} s of silence: the music begins "
                "there."
            )
        return remarks

    def grid(self, begins_s: float = 0.0, seconds: float | None = None) -> int | None:
        """Returns the least division of a quarter note on which the notes lie; None for no grid.

        A score, or what a studio has quantised, lies on one: 95 % of the onsets are within 10 ms of
        a place. Ticks that are parts of a second make no grid.

        Args:
            begins_s: of the passage that counts, in seconds after the first note.
            seconds: its length; None for all that follows.
        """
        first = self.start_s + begins_s
        last = math.inf if seconds is None else first + seconds
        within = [n.start for n in self.notes if first - EDGE_S <= n.start < last - EDGE_S]
        onsets = within[:_MOST_LOOKED_AT]
        if not self.timing.metrical or not onsets:
            return None
        for division in DIVISIONS:
            places = [self.timing.nearest_place(onset, division) for onset in onsets]
            n_near = sum(abs(a - b) <= GRID_S for a, b in zip(places, onsets, strict=True))
            if n_near >= _GRID_SHARE * len(onsets):
                by_chance = self._chance(onsets[0], onsets[-1], division)
                return division if by_chance < _MOST_BY_CHANCE else None
        return None

    def _chance(self, from_s: float, until_s: float, division: int) -> float:
        """Returns the share of onsets that chance puts near a place."""
        if until_s <= from_s:
            return 0.0
        ticks = self.timing.tick_at(until_s) - self.timing.tick_at(from_s)
        n_places = ticks / self.timing.resolution * division
        return min(1.0, 2 * GRID_S * n_places / (until_s - from_s))

    def to_pretty_midi(self) -> "pretty_midi.PrettyMIDI":
        """Returns the performance as pretty_midi holds it: notes, pedal, tempo, metre and key.

        Raises:
            ValueError: if it has more ticks than pretty_midi takes.
        """
        import pretty_midi

        from .writing import midi_bytes

        data = midi_bytes(self.notes, like=self, like_start_s=-self.start_s)
        try:
            midi = pretty_midi.PrettyMIDI(io.BytesIO(data))
        except ValueError as error:
            raise ValueError(f"pretty_midi cannot hold this performance: {error}") from error
        for instrument in midi.instruments:
            for span in self.pedals:
                for value, time in ((127, span.start), (0, span.end)):
                    change = pretty_midi.ControlChange(64, value, time)
                    instrument.control_changes.append(change)
        return midi
