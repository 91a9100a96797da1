"""The outline of a typed-in score: text -> header fields and blocks of rows, cut into bars.

`pyzzicato.scores` describes the form and reads what stands in the bars; this module only knows
where things stand, so that each message can name file and line.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction

FIELDS = ("title", "composer", "key", "year", "source", "metre", "beat", "voices")
"""The header fields, all of them required."""
CONTROLS = ("tempo", "dyn", "pedal")
"""The rows that are not voices."""

_FIELD = re.compile(r"([a-z]+): *(.*)")
_LENGTH = r"[1-9]\d*/[1-9]\d*"
_BARS = re.compile(rf"bars (\d+)(?:-(\d+))?(?: \(({_LENGTH})\))?")
_VOICE = re.compile(r"([a-z]+) ([+-]\d+)")


@dataclass(frozen=True)
class Row:
    """One row of a block.

    Attributes:
        where: `file:line`.
        bars: the tokens of each bar.
    """

    where: str
    bars: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Block:
    """Consecutive bars of one length.

    Attributes:
        where: `file:line` of its heading.
        first: number of its first bar.
        n_bars: how many bars it has.
        bar_length: in whole notes.
        rows: name -> row.
    """

    where: str
    first: int
    n_bars: int
    bar_length: Fraction
    rows: dict[str, Row] = field(default_factory=dict)


@dataclass(frozen=True)
class Layout:
    """A score cut into its parts.

    Attributes:
        header: the fields as written.
        year: of composition or first print.
        levels: voice -> steps of velocity above the written dynamics, in the order of the header.
        blocks: in order, their bars numbered without gaps.
    """

    header: dict[str, str]
    year: int
    levels: dict[str, int]
    blocks: tuple[Block, ...]


def split_score(text: str, name: str) -> Layout:
    """Returns the parts of a score.

    Args:
        text: see `pyzzicato.scores`.
        name: the file's name, for messages.

    Raises:
        ValueError: naming file and line, for a line out of place, a missing, repeated or unknown
            field or row, or bars that do not follow one another or are not as many as announced.
    """
    lines = [
        (f"{name}:{number}", line.strip())
        for number, line in enumerate(text.splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    n_header = next((i for i, (_, line) in enumerate(lines) if line.startswith("bars ")), None)
    if n_header is None:
        raise ValueError(f"{name}: a score must have bars, got none; start a block with 'bars 1'")
    header = _read_header(lines[:n_header], name)
    if not re.fullmatch(_LENGTH, header["metre"]):
        raise ValueError(f"{name}: metre must be like 3/4, got {header['metre']!r}")
    if not header["year"].isdigit():
        raise ValueError(f"{name}: year must be a number, got {header['year']!r}")
    levels = _read_levels(header["voices"], name)
    blocks: list[Block] = []
    for where, line in lines[n_header:]:
        if line.startswith("bars "):
            blocks.append(_open_block(where, line, Fraction(header["metre"]), blocks))
        else:
            _add_row(where, line, blocks[-1], (*levels, *CONTROLS))
    return Layout(header, int(header["year"]), levels, tuple(blocks))


def _read_header(lines: list[tuple[str, str]], name: str) -> dict[str, str]:
    """Returns field -> text."""
    header: dict[str, str] = {}
    for where, line in lines:
        match = _FIELD.fullmatch(line)
        if not match or match[1] not in FIELDS:
            raise ValueError(f"{where}: {line!r} must be one of the fields {', '.join(FIELDS)}")
        if match[1] in header:
            raise ValueError(f"{where}: the field {match[1]!r} must come once, got it again")
        header[match[1]] = match[2]
    if missing := [key for key in FIELDS if not header.get(key)]:
        raise ValueError(f"{name}: the header must have all its fields, missing {missing}")
    return header


def _read_levels(text: str, name: str) -> dict[str, int]:
    """Returns voice -> level from `tune +8, bass -4`."""
    levels: dict[str, int] = {}
    for part in text.split(","):
        match = _VOICE.fullmatch(part.strip())
        if not match or match[1] in (*levels, *CONTROLS):
            raise ValueError(
                f"{name}: voices must be a list like 'tune +8, bass -4' of different names, got "
                f"{part.strip()!r}"
            )
        levels[match[1]] = int(match[2])
    return levels


def _open_block(where: str, line: str, metre: Fraction, before: list[Block]) -> Block:
    """Returns the empty block that a heading opens."""
    match = _BARS.fullmatch(line)
    if not match:
        raise ValueError(f"{where}: {line!r} must be like 'bars 1-4', 'bars 5' or 'bars 0 (1/8)'")
    first = int(match[1])
    last = int(match[2]) if match[2] else first
    if last < first:
        raise ValueError(f"{where}: {line!r} must not count backwards")
    if before and first != (expected := before[-1].first + before[-1].n_bars):
        raise ValueError(f"{where}: {line!r} must go on with bar {expected}")
    length = Fraction(match[3]) if match[3] else metre
    return Block(where, first, last - first + 1, length)


def _add_row(where: str, line: str, block: Block, names: tuple[str, ...]) -> None:
    """Puts the row that `line` spells into `block`."""
    label, *cells = (cell.strip() for cell in line.removesuffix("|").split("|"))
    if label not in names:
        raise ValueError(f"{where}: a row must begin with one of {', '.join(names)}, got {label!r}")
    if label in block.rows:
        raise ValueError(f"{where}: the row {label!r} must come once a block, got it again")
    if len(cells) != block.n_bars:
        raise ValueError(
            f"{where}: the row {label!r} must have as many bars as its heading says "
            f"({block.n_bars}), each after a |, got {len(cells)}"
        )
    block.rows[label] = Row(where, tuple(tuple(cell.split()) for cell in cells))
