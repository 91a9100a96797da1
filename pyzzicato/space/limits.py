"""What the page and the API take, checked on the server whatever is posted.

The ranges of the settings of a continuation are `GenerationSettings`' own.
"""

import math
from collections.abc import Iterable

from ..checks import check_number
from ..midi import MidiLimits

MAX_UPLOAD_BYTES = 1_000_000
"""Of a MIDI file: 1 MB. The longest performances of MAESTRO, 45 minutes, are half of that."""
MAX_NOTES = 20_000
MAX_MUSIC_SECONDS = 1800.0
"""Of the piece a seed is taken from: 30 minutes."""
MIDI_LIMITS = MidiLimits(
    max_bytes=MAX_UPLOAD_BYTES, max_notes=MAX_NOTES, max_seconds=MAX_MUSIC_SECONDS
)
MAX_SEED_NOTES = 4_000
"""That a model hears before it carries on; the densest performances have 3,000 in two minutes."""
MAX_TAKES = 4
MAX_TOTAL_SECONDS = 720.0
"""Of all takes of one request: four of three minutes, or one of ten."""
MAX_RENDERED_SECONDS = 600.0
"""Of music turned into sound by one request; the memory it needs grows with the length."""
MAX_RENDERED_NOTES = 10_000
"""Of music turned into sound: dense playing for ten minutes."""
MAX_POST_BYTES = 4_000_000
"""Of one request's body: `MAX_NOTES` notes as JSON are 2 MB."""
MAX_DEPTH = 20
"""Of lists and objects in each other."""
MAX_TITLE = 80
"""Characters of a title shown."""


def number(name: str, value: object, low: float, high: float, fix: str) -> float:
    """Returns a posted number.

    Args:
        name: of the field, for the message.
        value: what was posted.
        low: the least it may be.
        high: the most it may be.
        fix: what to do about a wrong one, for the message.

    Raises:
        ValueError: if it is no number, or not from `low` to `high`.
    """
    check_number(name, value, low, high, fix, show=show)
    return float(value)  # type: ignore[arg-type]


def whole(name: str, value: object, low: int, high: int, fix: str) -> int:
    """Returns a posted whole number; JSON knows no whole numbers, so 3.0 is one.

    Raises:
        ValueError: if it is no whole number, or not from `low` to `high`.
    """
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(
            f"{name} must be a whole number, {low} to {high}, got {show(value)}; {fix}"
        )
    return value


def choice(name: str, value: object, choices: Iterable[str]) -> str:
    """Returns a posted name that is one of `choices`.

    Raises:
        ValueError: if it is not; the message lists them.
    """
    known = list(choices)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {show(value)}")
    return value


def show(value: object) -> str:
    """Returns a posted value as a message may hold it: short, printable, and no HTML."""
    # The head of a long text is taken before its repr is made: the text may have megabytes.
    text = repr(value[:60]) if isinstance(value, str) else type(value).__name__
    if value is None or isinstance(value, bool | float):
        text = repr(value)
    elif isinstance(value, int):
        text = str(value) if abs(value) < 10**20 else "a larger number"
    return plain_text(text)


def plain_text(text: str, longest: int = MAX_TITLE) -> str:
    """Returns text in one line that means the same as text and as HTML: no `<`, `>`, `&`, quotes.

    Args:
        text: from a visitor, or from a file.
        longest: characters kept.
    """
    line = "".join(
        sign if sign.isprintable() and sign not in "<>&\"'`" else " "
        for sign in text[: 4 * longest]
    )
    return " ".join(line.split())[:longest].strip()
