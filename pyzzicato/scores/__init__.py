"""The text form of a typed-in score, and its reader: text -> `Score` with notes in seconds.

A score is a plain text file that a musician can type from a printed page: a header of
`field: value` lines, then blocks of bars. Blank lines and lines starting with `#` are skipped.

    title: Two bars to show the form
    composer: Johann Sebastian Bach
    key: C major
    year: 1722
    source: where the notes are printed
    metre: 4/4
    beat: 4
    voices: tune +8, bass -4

    bars 1-2
    tempo | 72               | 72..60
    dyn   | p..mf            | mf/2 p/2
    pedal | P/2 P/2          | P
    tune  | C5/4. D5/8 E5~/2 | E5/4 grace:D5 C5/4> r/2
    bass  | C3+G3/1          | R

Header: `beat` is the note value the tempo counts (`4`, `4.`, `8`). `voices` names the rows of notes
and how many steps of velocity each plays above or below the written dynamics. A voice is one line
of music, so a hand that plays two lines is two voices. `year` orders the presets.

Blocks: `bars 1-4` or `bars 5`, numbered without gaps; `bars 0 (1/8)` gives bars of another length
than the metre, for an upbeat or for an excerpt that stops inside a bar. Below it stands one row a
voice (a voice without a row rests) and the control rows `tempo`, `dyn` and `pedal`. A row is its
name and then its bars, each after a `|`. Every bar of every row must add up to the bar's length.

Notes: `C#4/8` is a pitch with octave (C4 is middle C; `#`, `b`, `##`, `bb`) and a note value: `1`
to `64`, with dots, `t` for a triplet (`8t` is a third of a quarter) or `q` for a quintuplet (`16q`
is a fifth of it). Without `/value` a note takes that of the note or rest before it in its row.
`C4+E4+G4/2` is a chord. `~` after a pitch ties it to the same pitch in the voice's next chord. At
the end of a note `'` is staccato, `>` an accent. `r/4` rests, `R` rests for the whole bar.
`grace:D5` is a short note just before the next one. Trills and turns are written out.

Controls: items with a value (`72/2.`), or one item for the whole bar. `72..60` moves evenly from
one to the other. Tempo (beats a minute) and dynamics (`ppp` to `fff`) stay as they are in blocks
without their row. Pedal items are `P`, pressed anew, and `-`, up; without a row it is up.

On top of the dynamics a note on the first beat of a bar gets 3 steps of velocity, an accent 10; the
lower notes of a chord and grace notes get 4 fewer.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction

from ..midi.timing import Timing
from ..notes import Note
from .bars import score_timing
from .layout import Block, split_score
from .playing import Playing, StruckNote, begin_of, play
from .tokens import Voice, note_value, read_token

DYNAMICS = {"ppp": 26, "pp": 36, "p": 47, "mp": 57, "mf": 68, "f": 82, "ff": 97, "fff": 112}
"""Velocity of each dynamic mark."""


@dataclass(frozen=True)
class Score:
    """A typed-in score, played.

    Attributes:
        title, composer, key, source: as in the header.
        year: of composition or first print.
        struck: the notes as written, voice after voice, in whole notes.
        notes: the notes as played, in seconds, sorted; the first starts at 0.
        timing: tempo, metre and key, from the beginning of the first bar.
        begins_s: when in that time the first note is struck.
    """

    title: str
    composer: str
    key: str
    year: int
    source: str
    struck: tuple[StruckNote, ...]
    notes: tuple[Note, ...]
    timing: Timing
    begins_s: float


def parse_score(text: str, name: str = "score") -> Score:
    """Returns the score that `text` spells, played with its tempo, dynamics and pedal.

    Args:
        text: a score in the form that this module's docstring describes.
        name: the file's name, for messages.

    Raises:
        ValueError: naming file, line and token, and what is wrong with it.
    """
    layout = split_score(text, name)
    with _located(f"{name}: beat"):
        playing = Playing(beat=note_value(layout.header["beat"]))
    voices = {label: Voice(level) for label, level in layout.levels.items()}
    place = Fraction(0)
    for block in layout.blocks:
        _read_controls(block, place, playing)
        for label, voice in voices.items():
            _read_voice(block, place, label, voice)
        place += block.n_bars * block.bar_length
    for label, voice in voices.items():
        with _located(f"{name}: end of {label}"):
            voice.rest()
    struck = tuple(note for voice in voices.values() for note in voice.struck)
    if not struck:
        raise ValueError(f"{name}: a score must have at least one note, got none")
    texts = {key: layout.header[key] for key in ("title", "composer", "key", "source")}
    return Score(
        **texts,
        year=layout.year,
        struck=struck,
        notes=tuple(play(struck, playing)),
        timing=score_timing(layout.blocks, playing, layout.header["metre"], layout.header["key"]),
        # A grace note before the first beat moves the bars by its length, which nobody hears.
        begins_s=max(0.0, begin_of(struck, playing)),
    )


@contextmanager
def _located(where: str) -> Iterator[None]:
    """Puts `where` before the message of a `ValueError` raised inside."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error


def _read_voice(block: Block, place: Fraction, label: str, voice: Voice) -> None:
    """Reads one voice's row, or its silence where it has none."""
    voice.value = None
    row = block.rows.get(label)
    if row is None:
        with _located(f"{block.where}: {label}"):
            voice.rest()
        return
    for number, tokens in enumerate(row.bars):
        bar_start = place + number * block.bar_length
        here = bar_start
        bar = f"{row.where}: bar {block.first + number}"
        for token in tokens:
            with _located(f"{bar}: {token!r}"):
                here += read_token(token, here, bar_start, block.bar_length, voice)
        _check_sum(bar, here - bar_start, block.bar_length)


def _read_controls(block: Block, place: Fraction, playing: Playing) -> None:
    """Reads the block's rows of tempo, dynamics and pedal, or carries them on."""
    for label, curve, number in (
        ("tempo", playing.tempo, _tempo),
        ("dyn", playing.dynamics, _dynamic),
    ):
        if label in block.rows:
            for where, item, length in _control_items(block, label):
                with _located(where):
                    first, dots, last = item.partition("..")
                    curve.append(length, number(first), number(last if dots else first))
        elif curve.ramps:
            last_value = curve.ramps[-1].last
            curve.append(block.n_bars * block.bar_length, last_value, last_value)
        else:
            raise ValueError(f"{block.where}: the first block must have a row {label!r}")
    for where, item, length in _control_items(block, "pedal"):
        if item not in ("P", "-"):
            raise ValueError(f"{where}: a pedal item must be P (down) or - (up), got {item!r}")
        if item == "P":
            playing.pedals.append((place, place + length))
        place += length


def _control_items(block: Block, label: str) -> Iterator[tuple[str, str, Fraction]]:
    """Yields place in the file, item without its value, and length, of a control row."""
    if label not in block.rows:
        return
    row = block.rows[label]
    for number, tokens in enumerate(row.bars):
        bar = f"{row.where}: bar {block.first + number}"
        total = Fraction(0)
        for token in tokens:
            item, slash, value = token.partition("/")
            with _located(f"{bar}: {token!r}"):
                if not slash and len(tokens) > 1:
                    raise ValueError("an item must have a value unless it is alone in its bar")
                length = note_value(value) if slash else block.bar_length
            total += length
            yield f"{bar}: {token!r}", item, length
        _check_sum(bar, total, block.bar_length)


def _check_sum(bar: str, total: Fraction, expected: Fraction) -> None:
    """Raises unless a bar is full."""
    if total != expected:
        raise ValueError(f"{bar}: must add up to {expected} of a whole note, got {total}")


def _tempo(text: str) -> float:
    """Returns beats a minute."""
    if not text.isdigit() or not 10 <= int(text) <= 400:
        raise ValueError(f"a tempo must be 10 to 400 beats a minute, got {text!r}")
    return float(text)


def _dynamic(text: str) -> float:
    """Returns the velocity of a dynamic mark."""
    if text not in DYNAMICS:
        raise ValueError(f"a dynamic must be one of {', '.join(DYNAMICS)}, got {text!r}")
    return float(DYNAMICS[text])
