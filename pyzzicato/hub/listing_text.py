"""The list of models in words: what `pyzzicato models` prints, in columns."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import Any

_PLAYS = {"events": "notes", "roll": "rolls"}
_GAP = "  "


def listing_text(models: Sequence[Mapping[str, Any]], width: int = 100) -> str:
    """Returns three tables: what the models are, what they were trained on, and their figures.

    Args:
        models: tables of `find_models`; what is not known is None.
        width: signs in a line; figures of more models than fit stand below one another.
    """
    head = ("name", "network", "plays", "weights", "size", "loss", "revision", "from")
    parts = [_table([head, *map(_row, models)]), _training(models, width)]
    measured = [model for model in models if _figures(model)]
    names = list(dict.fromkeys(name for model in measured for name in _figures(model)))
    first = max((len(_words(name)) for name in names), default=0)
    while measured:
        n = 1
        while n < len(measured) and first + sum(_column(m) for m in measured[: n + 1]) <= width:
            n += 1
        some, measured = measured[:n], measured[n:]
        rows = [[_words(name), *(_number(_figures(m).get(name)) for m in some)] for name in names]
        parts.append(_table([["figures", *(model["name"] for model in some)], *rows]))
    return "\n\n".join(parts)


def _row(model: Mapping[str, Any]) -> list[str]:
    loss, unit = model["measures"].get("loss"), model["loss_unit"]
    weights = model["weights"]
    return [
        model["name"],
        _text(model["backbone"]),
        _PLAYS.get(model["representation"], _text(model["representation"])),
        "?" if weights is None else f"{weights / 1e6:.1f} M",
        "?" if model["size_mb"] is None else f"{model['size_mb']:.1f} MB",
        "?" if loss is None else f"{loss:.3f} {_text(unit)}",
        _text(model["revision"])[:12],
        model["source"],
    ]


def _training(models: Sequence[Mapping[str, Any]], width: int) -> str:
    """Returns what each model was trained on, those with the same music together."""
    alike: dict[tuple[Any, ...], list[str]] = {}
    for model in models:
        alike.setdefault((model["hours"], model["data"], model["licence"]), []).append(
            model["name"]
        )
    lines = ["trained on"]
    for (hours, data, licence), names in alike.items():
        lines += [
            f"{'?' if hours is None else f'{hours:g}'} h of {_text(data)}",
            f"{_GAP}licence: {_text(licence)}",
            f"{_GAP}models: {', '.join(names)}",
        ]
    return "\n".join(fill(line, width, subsequent_indent=2 * _GAP) for line in lines)


def _figures(model: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in model["measures"].items() if name != "loss"}


def _column(model: Mapping[str, Any]) -> int:
    return len(_GAP) + max(len(model["name"]), 8)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(value: object) -> str:
    return "?" if value is None else str(value)


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Returns rows in columns; numbers to the right, under their heads."""
    columns = list(zip(*rows, strict=True))
    widths = [max(map(len, column)) for column in columns]
    right = [all(cell[:1].isdigit() or cell in "-?" for cell in column[1:]) for column in columns]
    lines = []
    for row in rows:
        cells = zip(row, widths, right, strict=True)
        lines.append(_GAP.join(c.rjust(w) if r else c.ljust(w) for c, w, r in cells).rstrip())
    return "\n".join(lines)
