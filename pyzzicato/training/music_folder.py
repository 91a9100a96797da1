"""Any folder of MIDI files as a collection: what lies in it, by whom, under which title."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..checks import show_value
from .catalogue import SPLITS

_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
_MAX_TABLE_BYTES = 50_000_000
# What the columns of tables of music are called, the likeliest first.
_PATHS = ("path", "file", "filename", "file_name", "midi_filename", "midi")
_COMPOSERS = ("composer", "canonical_composer", "artist", "author")
_TITLES = ("title", "canonical_title", "name", "piece", "song")


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A MIDI file and what is known of it.

    Attributes:
        path: in the folder, with forward slashes.
        composer: from the table, the name ("Composer - Title.mid"), or the folder it lies in.
        title: from the table or the name.
        split: from the table, "" if that does not say.
        licence: from the table, "" if that does not say.
    """

    path: str
    composer: str
    title: str
    split: str = ""
    licence: str = ""


def find_files(folder: Path, table: Path | None = None) -> list[FoundFile]:
    """Returns the MIDI files in a folder and the folders in it, by path.

    Args:
        folder: where they lie.
        table: a csv with a column of paths or file names (path, file, filename) and any of
            composer, title, split and licence; if None, one that lies in the folder itself.

    Raises:
        ValueError: if there is no MIDI file, or the table is not fit.
    """
    if not folder.is_dir():
        raise ValueError(f"{folder} must be a folder with MIDI files; check its name")
    paths = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in _SUFFIXES and path.is_file() and not _is_hidden(path, folder)
    )
    if not paths:
        raise ValueError(
            f"{folder} and the folders in it must hold MIDI files ({', '.join(_SUFFIXES)}), got "
            "none; check its name"
        )
    rows = _read_table(table) if table is not None else _table_in(folder)
    return [_describe(path, folder, _row_of(path, rows)) for path in paths]


def _is_hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith((".", "__")) for part in path.relative_to(folder).parts)


def _describe(path: str, folder: Path, row: Mapping[str, str]) -> FoundFile:
    name = re.sub(r"[\s_]+", " ", Path(path).stem).strip()
    composer, dash, title = name.partition(" - ")
    if not dash:
        place = (folder / path).resolve().parent.name
        composer, title = re.sub(r"[\s_]+", " ", place).strip() or "unknown", name
    split = _first(row, ("split",)).lower()
    if split not in ("", *SPLITS):
        raise ValueError(
            f"split of {path} must be one of {', '.join(SPLITS)}, got {show_value(split)}"
        )
    return FoundFile(
        path,
        _first(row, _COMPOSERS) or composer.strip(),
        _first(row, _TITLES) or title.strip() or path,
        split,
        _first(row, ("licence", "license")),
    )


def _first(row: Mapping[str, str], columns: tuple[str, ...]) -> str:
    return next((row[name] for name in columns if row.get(name)), "")


def _row_of(path: str, table: Mapping[str, Mapping[str, str]]) -> Mapping[str, str]:
    return table.get(path) or table.get(Path(path).name) or {}


def _table_in(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """Returns the rows of the one csv in a folder that is about files; none if there is none."""
    for path in sorted(folder.glob("*.csv")):
        try:
            return _read_table(path)
        except ValueError:
            continue  # A table of something else.
    return {}


def _read_table(path: Path) -> dict[str, dict[str, str]]:
    """Returns the rows of a csv by the path or file name in them, column names in lower case."""
    try:
        if path.stat().st_size > _MAX_TABLE_BYTES:
            raise ValueError(f"it must be at most {_MAX_TABLE_BYTES} bytes long")
        rows = list(_rows(path.read_text(encoding="utf-8-sig")))
    except (OSError, ValueError, csv.Error) as error:
        raise ValueError(f"{path} is not a table of files: {error}") from error
    column = next((name for name in _PATHS if any(name in row for row in rows)), None)
    if column is None:
        raise ValueError(f"{path} must have a column of paths, one of {', '.join(_PATHS)}")
    return {row[column].replace("\\", "/"): row for row in rows if row.get(column)}


def _rows(text: str) -> Iterator[dict[str, str]]:
    # Spreadsheets of half of Europe write semicolons.
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    for row in csv.DictReader(text.splitlines(), delimiter=delimiter):
        yield {str(k).strip().lower(): str(v or "").strip() for k, v in row.items() if k}
