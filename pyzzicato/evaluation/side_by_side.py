"""Reports side by side: what several releases measured, in one."""

from collections.abc import Mapping, Sequence
from typing import Any

from ..checks import show_value
from .measures import REAL


def merge_reports(
    reports: Mapping[str, Mapping[str, Any]], systems: Sequence[str] | None = None
) -> dict[str, Any]:
    """Returns one report of several, its columns ordered by what was measured, then by report.

    Each column is named for its system and its report, "lstm, 0.1". What is true of a report as a
    whole (how its pieces were made, what two halves of its real music have in common) is in
    words.

    Args:
        reports: from `build_report`, by a short name each.
        systems: those wanted beside the real music; None for all.

    Raises:
        ValueError: if no report has one of the systems.
    """
    known = [name for report in reports.values() for name in report["systems"]]
    wanted = [REAL, *(dict.fromkeys(known) if systems is None else systems)]
    for name in systems or ():
        if name not in known:
            raise ValueError(
                f"systems must be of {', '.join(dict.fromkeys(known))}; got {show_value(name)}"
            )
    columns = [
        (name, label) for name in dict.fromkeys(wanted) for label in reports if name in known
    ]
    return {
        "description": " ".join(
            f"{label}: {report['description']} {_ceiling(report)}"
            for label, report in reports.items()
        ),
        "about": _by_column(reports, columns, "about"),
        "remarks": [
            f"{label}: {remark}"
            for label, report in reports.items()
            for remark in report["remarks"]
        ],
        "systems": _by_column(reports, columns, "systems"),
        "likelihood": _by_column(reports, columns, "likelihood"),
        "adversary": _by_column(reports, columns, "adversary"),
        "entropy": _by_column(reports, columns, "entropy"),
    }


def _by_column(
    reports: Mapping[str, Mapping[str, Any]], columns: Sequence[tuple[str, str]], part: str
) -> dict[str, Any]:
    """Returns a part of the reports, the values of all columns that have one."""
    return {
        f"{name}, {label}": reports[label][part][name]
        for name, label in columns
        if name in reports[label].get(part, {})
    }


def _ceiling(report: Mapping[str, Any]) -> str:
    """Returns how much two halves of the real music have in common, in words; empty if unknown."""
    area = report.get("ceiling", {}).get("mean_oa")
    return "" if area is None else f"Overlapped area of two halves of its real music: {area:.3f}."
