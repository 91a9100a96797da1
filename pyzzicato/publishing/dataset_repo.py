"""The training set as a repository: Parquet shards, a row a piece, and a card.

Shards are small, so that a reader can begin after one of them, take them in any order, and leave
some to other processes. `pyzzicato.training.streaming` reads them back.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from huggingface_hub import DatasetCard

from ..hub.data_licences import data_licences
from ..training.record import hours_by_composer
from ..training.store import NoteStore, StoredPiece
from .cards import front_matter_card, render_card
from .licences import licence_facts, licence_metadata
from .model_facts import main_composers
from .repo_folder import empty_folder

PIECES_A_SHARD = 32
"""Of MAESTRO a shard is then about a megabyte, five hours of music."""
SCHEMA = pa.schema(
    [
        ("composer", pa.string()),
        ("title", pa.string()),
        ("path", pa.string()),
        ("seconds", pa.float64()),
        ("length", pa.uint32()),
        ("sustain", pa.string()),
        ("data", pa.string()),
        ("licence", pa.string()),
        ("onset", pa.list_(pa.uint32())),
        ("duration", pa.list_(pa.uint16())),
        ("pitch", pa.list_(pa.uint8())),
        ("velocity", pa.list_(pa.uint8())),
    ]
)
"""Onsets and durations are milliseconds; `length` is the number of notes."""
_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))


def build_dataset_repo(
    data: Path,
    repo: str,
    out: Path,
    licence: str | None = None,
) -> int:
    """Lays a prepared store out as a repository of data in an empty folder.

    Args:
        data: the store, from `prepare_data.py`.
        repo: NAMESPACE/NAME the card speaks of.
        out: the folder, made if absent.
        licence: of the pieces for which the store does not say it.

    Returns:
        The number of pieces.

    Raises:
        ValueError: if there is no store, `out` is not empty, or nobody says what a piece may be
            used for.
    """
    store = NoteStore(data)
    store.licence = store.licence or licence or ""
    store.pieces = tuple(
        replace(piece, licence=piece.licence or store.licence) for piece in store.pieces
    )
    if not all(piece.licence for piece in store.pieces):
        raise ValueError(
            f"whoever uses a data set must know its licence, and {data} does not name it; give it "
            "with --licence, for instance 'CC BY 4.0'"
        )
    empty_folder(out)
    (out / "data").mkdir()
    by_split: dict[str, list[StoredPiece]] = defaultdict(list)
    for piece in store.pieces:
        by_split[piece.split].append(piece)
    for split, pieces in by_split.items():
        groups = [pieces[i : i + PIECES_A_SHARD] for i in range(0, len(pieces), PIECES_A_SHARD)]
        for i, group in enumerate(groups):
            file = out / "data" / f"{split}-{i:05d}-of-{len(groups):05d}.parquet"
            pq.write_table(_table(store, group), file, compression="zstd")
            store.release()
    (out / "README.md").write_text(_card(store, by_split, repo), encoding="utf-8")
    return len(store.pieces)


def _table(store: NoteStore, pieces: Sequence[StoredPiece]) -> pa.Table:
    rows: list[dict[str, Any]] = []
    for piece in pieces:
        notes = store.packed(piece)
        row = {
            key: getattr(piece, key) for key in ("composer", "title", "path", "seconds", "length")
        }
        row |= {
            "sustain": store.sustain,
            "data": piece.source or store.data,
            "licence": piece.licence,
        }
        row |= {key: np.asarray(notes[key]) for key in ("onset", "duration", "pitch", "velocity")}
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _card(
    store: NoteStore,
    by_split: dict[str, list[StoredPiece]],
    repo: str,
) -> str:
    licences = data_licences(
        {"data": {"name": store.data, "licence": store.licence, "sources": store.sources()}}
    )
    metadata = {
        "pretty_name": f"{store.data} as notes",
        **_licence_metadata(repo, [its.licence for its in licences]),
        "task_categories": ["other"],
        "tags": ["pyzzicato", "music", "piano", "midi", "symbolic-music"],
        "size_categories": [_size(len(store.pieces))],
        "configs": [
            {
                "config_name": "default",
                "data_files": [
                    {"split": split, "path": f"data/{split}-*.parquet"} for split in by_split
                ],
            }
        ],
    }
    splits = [
        {
            "name": split,
            "pieces": len(pieces),
            "notes": sum(piece.length for piece in pieces),
            "hours": round(sum(piece.seconds for piece in pieces) / 3600, 1),
        }
        for split, pieces in by_split.items()
    ]
    text = render_card(
        "dataset.md.jinja",
        {
            "repo": repo,
            "name": store.data,
            "licences": licence_facts(licences),
            "sustain": store.sustain,
            "splits": splits,
            "composers": main_composers(hours_by_composer(list(store.pieces))),
        },
    )
    return front_matter_card(metadata, text, DatasetCard)


def _licence_metadata(repo: str, licences: Sequence[str]) -> dict[str, str]:
    link = f"https://huggingface.co/datasets/{repo}/blob/main/README.md#licence"
    return licence_metadata(licences, link)


def _size(n: int) -> str:
    """Returns the Hub's word for a number of rows."""
    return next((word for below, word in _SIZES if n < below), "1M<n<10M")
