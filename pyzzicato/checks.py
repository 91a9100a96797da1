"""Checks of values that people give: one sentence that names the value, the range and the fix."""

import math
from collections.abc import Callable


def check_number(
    name: str,
    value: object,
    low: float,
    high: float = math.inf,
    fix: str = "",
    *,
    above: bool = False,
    show: Callable[[object], str] = repr,
) -> None:
    """Raises ValueError unless `value` is a number from `low` to `high`.

    Args:
        name: of the value, for the message.
        value: what was given; NaN is in no range, and infinity is none.
        low: the least it may be.
        high: the most it may be.
        fix: what to do about a wrong one, for the message.
        above: whether it must be above `low`.
        show: makes text of the value, for the message.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_inside = is_number and low <= value <= high and value != math.inf  # type: ignore[operator]
    if is_inside and not (above and value == low):
        return
    if high == math.inf:
        wanted = f"a number above {low:g}" if above else f"a number {low:g} or more"
    else:
        wanted = f"{low:.10g} to {high:.10g}"
    raise ValueError(f"{name} must be {wanted}, got {show(value)}{'; ' if fix else ''}{fix}")


def check_whole(name: str, value: object, low: int, high: int) -> None:
    """Raises ValueError unless `value` is a whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number from {low} to {high}, got {value!r}")


def check_one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    """Raises ValueError unless `value` is one of `allowed`."""
    if not isinstance(value, str) or value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
