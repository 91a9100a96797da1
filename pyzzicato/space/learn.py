"""What the view "Learn" shows: the data, the models and their measures."""

from typing import Any


def describe_learning() -> dict[str, Any]:
    """Returns plain JSON values."""
    return {}
