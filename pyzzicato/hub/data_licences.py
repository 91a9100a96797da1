"""Under which licences the music is that a model has learnt from, the models before it included.

Weights that began with another model's hold what that one learnt, so its data's licences bind them
as well. A training record names its own data and, in `earlier_runs`, of each run before it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

NOT_RECORDED = "not recorded"
"""Stands for a licence that the record does not name: nobody knows what it allows."""


@dataclass(frozen=True, slots=True)
class DataLicence:
    """A licence, and the collections that are known to be under it, both as recorded."""

    licence: str
    sources: tuple[str, ...]


def data_licences(record: Mapping[str, Any]) -> tuple[DataLicence, ...]:
    """Returns the licences of all data that led to a model, in alphabetical order.

    Args:
        record: `training.json`; an empty one has no licences.
    """
    return all_licences([record])


def all_licences(records: Iterable[Mapping[str, Any]]) -> tuple[DataLicence, ...]:
    """Returns the licences of all data that led to several models, in alphabetical order.

    Args:
        records: their training records, see `data_licences`.
    """
    found: dict[str, set[str]] = defaultdict(set)
    runs = [run for its in records if its for run in (*_list(its.get("earlier_runs")), its)]
    for run in runs:
        for licence, sources in _of_data(_table(_table(run).get("data"))):
            found[licence] |= sources
    return tuple(DataLicence(licence, tuple(sorted(found[licence]))) for licence in sorted(found))


def _of_data(data: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    """Yields licence and collections of one run's data."""
    sources = _table(data.get("sources"))
    if sources:
        for name, its in sources.items():
            for licence in _list(_table(its).get("licences")) or [""]:
                yield str(licence) or NOT_RECORDED, {name}
        return
    names = _parts(data.get("name"))
    licences = _parts(data.get("licence")) or [NOT_RECORDED]
    for licence in licences:
        # Which of several collections is under which of several licences was not written down.
        yield licence, set(names) if len(licences) == 1 else set()


def _parts(text: object) -> list[str]:
    words = text.split(",") if isinstance(text, str) else []
    return [word.strip() for word in words if word.strip()]


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
