"""What becomes of each seed of an evaluation, kept in a folder until all are done.

    pieces/0007/measures.json        the measures of what every system made of seed 7
    pieces/0007/lstm.mid             the seed and what one system made of it

A seed whose record is there is finished, so a run that was stopped goes on with the others, and
several processes can share the work.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..midi import read_midi, write_midi
from .excerpts import Excerpt, cut_excerpt
from .likelihood import Likelihood, total_likelihood
from .measures import PieceMeasures
from .systems import file_stem


@dataclass(frozen=True)
class SeedRecord:
    """One finished seed.

    Attributes:
        piece: what identifies the piece it is from.
        measures: of each system's notes, by its name.
        likelihoods: of the whole piece, by model or baseline.
        left_out: why it could not be measured; None if it was.
    """

    piece: str
    measures: Mapping[str, PieceMeasures]
    likelihoods: Mapping[str, Likelihood]
    left_out: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Returns plain JSON values; `from_dict` takes them back."""
        return {
            "piece": self.piece,
            "measures": {name: measured.as_dict() for name, measured in self.measures.items()},
            "likelihoods": {name: asdict(value) for name, value in self.likelihoods.items()},
            "left_out": self.left_out,
        }

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> "SeedRecord":
        """Returns the record that `as_dict` gave."""
        return cls(
            record["piece"],
            {name: PieceMeasures.from_dict(value) for name, value in record["measures"].items()},
            {name: Likelihood(**value) for name, value in record["likelihoods"].items()},
            record["left_out"],
        )


class SeedRecords:
    """The records of an evaluation's folder, by the numbers of the seeds."""

    def __init__(self, out: Path) -> None:
        self._folder = out / "pieces"

    def is_finished(self, number: int) -> bool:
        """Returns whether a seed needs no more work."""
        return self._record(number).exists()

    def write_notes(self, number: int, system: str, played: Excerpt) -> None:
        """Keeps what a system made of a seed, seed included, as MIDI."""
        path = self._midi(number, system)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_midi(played.joined, path)

    def read_notes(self, number: int, system: str, seed_seconds: float, seconds: float) -> Excerpt:
        """Returns what `write_notes` kept, to the millisecond, cut to the lengths it had."""
        notes = read_midi(self._midi(number, system)).notes
        return cut_excerpt(system, notes, 0.0, seed_seconds, seconds)

    def write(self, number: int, record: SeedRecord) -> None:
        """Marks a seed as finished.

        Raises:
            ValueError: if a measure is no finite number.
        """
        path = self._record(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        # In one go: a record that is there is whole.
        part = path.with_suffix(".part")
        text = json.dumps(record.as_dict(), ensure_ascii=False, allow_nan=False)
        part.write_text(text, encoding="utf-8")
        part.replace(path)

    def read(self, number: int) -> SeedRecord:
        """Returns the record of a finished seed."""
        return SeedRecord.from_dict(json.loads(self._record(number).read_text(encoding="utf-8")))

    def _record(self, number: int) -> Path:
        return self._folder / f"{number:04d}" / "measures.json"

    def _midi(self, number: int, system: str) -> Path:
        return self._folder / f"{number:04d}" / f"{file_stem(system)}.mid"


def total_likelihoods(records: Mapping[int, SeedRecord]) -> dict[str, Likelihood]:
    """Returns the likelihood of all pieces by model or baseline; each piece counts once."""
    pieces = {record.piece: record.likelihoods for record in records.values()}
    names = next(iter(pieces.values()), {})
    return {name: total_likelihood(found[name] for found in pieces.values()) for name in names}
