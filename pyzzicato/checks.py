"""Checks of values that people give: one sentence that names the value, the range and the fix."""

import math
import os
import sys
from collections.abc import Iterable

MAX_WHOLE = 2**31 - 1
"""Of counts that have no other bound."""
_SHOWN_CHARACTERS = 60
_SHOWN_OF_PATHS = 200
_SHOWN_BELOW = 10**20
_SHOWN_PARTS = 8


def check_number(
    name: str,
    value: object,
    low: float,
    high: float = math.inf,
    fix: str = "",
    *,
    above: bool = False,
    below: bool = False,
) -> float:
    """Returns a number from `low` to `high`.

    Args:
        name: of the value, for the message.
        value: what was given; NaN is in no range, infinity is none, and neither is a whole number
            that is too large for a float.
        low: the least it may be.
        high: the most it may be.
        fix: what to do about a wrong one, for the message.
        above: whether it must be above `low`.
        below: whether it must be below `high`.

    Raises:
        ValueError: if the value is anything else.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_inside = is_number and low <= value <= min(high, sys.float_info.max)  # type: ignore[operator]
    if is_inside and not (above and value == low) and not (below and value == high):
        return float(value)  # type: ignore[arg-type]
    if high == math.inf:
        wanted = f"a number above {low:g}" if above else f"a number {low:g} or more"
    else:
        wanted = f"{'above ' * above}{_short(low)} to {'below ' * below}{_short(high)}"
    raise ValueError(f"{name} must be {wanted}, got {show_value(value)}{_then(fix)}")


def _short(number: float) -> str:
    return f"{round(number, 3) if abs(number) >= 1 else number:.10g}"


def check_whole(
    name: str, value: object, low: int, high: int, fix: str = "", *, from_json: bool = False
) -> int:
    """Returns a whole number from `low` to `high`.

    Args:
        name: of the value, for the message.
        value: what was given.
        low: the least it may be.
        high: the most it may be.
        fix: what to do about a wrong one, for the message.
        from_json: whether 3.0 is one: JSON knows no whole numbers.

    Raises:
        ValueError: if the value is anything else.
    """
    if from_json and isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(
            f"{name} must be a whole number from {low} to {high}, got "
            f"{show_value(value)}{_then(fix)}"
        )
    return value


def check_one_of(name: str, value: object, allowed: Iterable[str]) -> str:
    """Returns a name that is one of `allowed`.

    Raises:
        ValueError: if the value is anything else; the message lists them.
    """
    known = list(allowed)
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{name} must be one of {', '.join(known)}, got {show_value(value)}")
    return value


def show_value(value: object) -> str:
    """Returns a value as a message may hold it: short, one line, and no HTML."""
    # The head of a long text is taken before its repr is made: the text may have megabytes.
    if isinstance(value, str):
        text = repr(value[:_SHOWN_CHARACTERS])
    elif value is None or isinstance(value, bool | float):
        text = repr(value)
    elif isinstance(value, int):
        text = str(value) if abs(value) < _SHOWN_BELOW else "a larger number"
    elif isinstance(value, list | tuple) and len(value) <= _SHOWN_PARTS:
        parts = (type(v).__name__ if isinstance(v, list | tuple) else show_value(v) for v in value)
        text = f"[{', '.join(parts)}]"
    else:
        text = type(value).__name__
    return plain_text(text, keep="'")


def show_path(path: str | os.PathLike[str]) -> str:
    """Returns a path as a message may hold it: whole, unless it is too long or no line of text."""
    text = os.fsdecode(path)
    if len(text) <= _SHOWN_OF_PATHS and text.isprintable():
        return repr(text)
    return repr(plain_text(text, _SHOWN_OF_PATHS))


def plain_text(text: str, longest: int = 80, keep: str = "") -> str:
    """Returns text in one line that means the same as text and as HTML: no `<`, `>`, `&`, quotes.

    Args:
        text: from a visitor, or from a file.
        longest: characters kept.
        keep: which of these may stay.
    """
    line = "".join(
        sign if sign in keep or (sign.isprintable() and sign not in "<>&\"'`") else " "
        for sign in text[: 4 * longest]
    )
    return " ".join(line.split())[:longest].strip()


def _then(fix: str) -> str:
    return f"; {fix}" if fix else ""
