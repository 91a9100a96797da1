"""Lay reports of several releases side by side.

    python train/compare_reports.py 0.3=reports/v0.3 now=runs/report --out runs/changes.md
    python train/compare_reports.py before=runs/report1 after=runs/report2 --systems lstm wavenet

Each report is a folder of `train/evaluate.py`, with a short name before it. Prints the page, or
writes it.
"""

import argparse
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from named_folders import read_named_folders

from pyzzicato.evaluation.report_page import report_page
from pyzzicato.evaluation.side_by_side import merge_reports


@dataclass(frozen=True)
class CompareConfig:
    """One comparison: see `--help` for each field."""

    reports: dict[str, Path]
    systems: tuple[str, ...] | None
    out: Path | None


def read_report(folder: Path) -> dict[str, Any]:
    """Returns the report in a folder.

    Raises:
        ValueError: if there is none.
    """
    try:
        report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError) as error:
        raise ValueError(f"{folder} must hold a report.json of evaluate.py: {error}") from error
    return report


def main(config: CompareConfig) -> None:
    """Writes or prints the page."""
    reports = {name: read_report(folder) for name, folder in config.reports.items()}
    page = report_page(merge_reports(reports, config.systems))
    if config.out is None:
        print(page)
        return
    config.out.parent.mkdir(parents=True, exist_ok=True)
    config.out.write_text(page, encoding="utf-8")
    print(f"page in {config.out}")


def parse_args() -> CompareConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("reports", nargs="+", metavar="NAME=FOLDER", help="reports, each with a short name")
    add("--systems", nargs="+", help="columns wanted beside real music (default: all)")
    add("--out", type=Path, help="page in Markdown (default: printed)")
    args = parser.parse_args()
    reports = read_named_folders(parser, args.reports)
    return CompareConfig(reports, args.systems and tuple(args.systems), args.out)


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
