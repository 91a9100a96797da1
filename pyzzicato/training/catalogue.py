"""Catalogues: which pieces there are, by whom, and in which split.

MAESTRO has a catalogue of its own; any other collection is described by a `manifest.csv` beside its
folders, with the columns path, source, licence, composer, title, leak_safe_split and duration_s.

MAESTRO is described in Hawthorne et al. 2019, "Enabling Factorized Piano Music Modeling and
Generation with the MAESTRO Dataset". Versions 2 and 3 share one layout: a csv beside one folder a
year. Licence CC BY-NC-SA 4.0.
"""

import csv
import http.client
import io
import re
import urllib.request
import zipfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from ..checks import show_value

SPLITS = ("train", "validation", "test")

MIDI_ZIP_URL = (
    "https://storage.googleapis.com/magentadata/datasets/maestro/v3.0.0/maestro-v3.0.0-midi.zip"
)
"""The official address of MAESTRO v3.0.0, MIDI only (about 57 MB)."""

MAESTRO_LICENCE = "CC BY-NC-SA 4.0"


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection of music as its makers call it, and where to find it."""

    title: str
    link: str | None = None


COLLECTIONS = {
    "MAESTRO": Collection("MAESTRO", "https://magenta.tensorflow.org/datasets/maestro"),
    "asap_performance": Collection("ASAP", "https://github.com/fosfrancesco/asap-dataset"),
    "asap_score": Collection("ASAP, scores", "https://github.com/fosfrancesco/asap-dataset"),
    "dcml_debussy": Collection(
        "DCML, Debussy's piano music", "https://github.com/DCMLab/debussy_piano"
    ),
    "giantmidi_sample": Collection(
        "GiantMIDI-Piano", "https://github.com/bytedance/GiantMIDI-Piano"
    ),
    "mutopia": Collection("Mutopia Project", "https://www.mutopiaproject.org"),
    "nifc_chopin": Collection(
        "NIFC, first editions of Chopin",
        "https://github.com/pl-wnifc/humdrum-chopin-first-editions",
    ),
    "piano_midi_de": Collection("piano-midi.de", "http://www.piano-midi.de"),
    "supra": Collection("SUPRA, piano rolls", "https://github.com/pianoroll/SUPRA"),
}
"""By the name in a catalogue or manifest, which is what stores and training records call them."""


def find_collection(name: str) -> Collection:
    """Returns what is known of a collection; its own name if nothing is.

    Args:
        name: in a catalogue or manifest, or of MAESTRO's folder, maestro-v2.0.0.
    """
    known = "MAESTRO" if re.fullmatch(r"maestro-v[\d.]+", name) else name
    return COLLECTIONS.get(known, Collection(name))


CHOPIN = "Frédéric Chopin"
DEBUSSY = "Claude Debussy"

# Labels that the notes contradict: file name -> (composer, title).
_CORRECTIONS = {
    "MIDI-Unprocessed_R1_D1-1-8_mid--AUDIO-from_mp3_02_R1_2015_wav--3.midi": (
        CHOPIN,
        "Barcarolle in F-sharp Major, Op. 60",
    ),
    "MIDI-Unprocessed_R1_D1-1-8_mid--AUDIO-from_mp3_02_R1_2015_wav--5.midi": (
        DEBUSSY,
        "Général Lavine - eccentric, Préludes, Book II No. 6",
    ),
    "MIDI-Unprocessed_19_R1_2006_01-07_ORIG_MID--AUDIO_19_R1_2006_07_Track07_wav.midi": (
        "Mily Balakirev",
        "Islamey, Op. 18",
    ),
}


@dataclass(frozen=True, slots=True)
class Piece:
    """One performance of the catalogue.

    Attributes:
        composer: MAESTRO's `canonical_composer`, corrected where the label is known to be wrong.
        title: `canonical_title`, corrected likewise.
        split: "train", "validation" or "test".
        year: year of the competition, 0 where there was none.
        path: MIDI file relative to the data folder.
        duration_s: length in seconds.
        source: the collection it is from.
        licence: of the file.
    """

    composer: str
    title: str
    split: str
    year: int
    path: str
    duration_s: float
    source: str = "MAESTRO"
    licence: str = MAESTRO_LICENCE


def read_manifest(data_dir: Path, sources: Sequence[str] | None = None) -> list[Piece]:
    """Returns the rows of `manifest.csv` in `data_dir`, of the named sources unless that is None.

    The split is the manifest's `leak_safe_split`, which keeps a work that MAESTRO holds out held
    out here too.

    Raises:
        ValueError: if there is no such csv, it lacks a column, or a source is not in it.
    """
    file = data_dir / "manifest.csv"
    if not file.is_file():
        raise ValueError(f"data folder must hold manifest.csv, got {data_dir}")
    with file.open(encoding="utf-8", newline="") as table:
        try:
            pieces = [
                Piece(
                    composer=row["composer"],
                    title=row["title"],
                    split=row["leak_safe_split"],
                    year=0,
                    path=row["path"],
                    duration_s=float(row["duration_s"]),
                    source=row["source"],
                    licence=row["licence"],
                )
                for row in csv.DictReader(table)
            ]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{file} is not a manifest: {error!r}") from error
    known = sorted({piece.source for piece in pieces})
    for source in sources or ():
        if source not in known:
            raise ValueError(f"sources must be of {', '.join(known)}; got {show_value(source)}")
    return [piece for piece in pieces if sources is None or piece.source in sources]


def newest_catalogue(data_dir: Path) -> Path:
    """Returns the newest `maestro-v*.csv` in `data_dir`.

    Raises:
        ValueError: if there is none.
    """
    tables = sorted(data_dir.glob("maestro-v*.csv"))
    if not tables:
        raise ValueError(
            f"data folder must hold maestro-v2.0.0.csv or maestro-v3.0.0.csv, got {data_dir}; "
            "name MAESTRO's own folder or add --download"
        )
    return tables[-1]


def read_catalogue(data_dir: Path) -> list[Piece]:
    """Returns every row of the newest `maestro-v*.csv` in `data_dir`, labels corrected.

    Raises:
        ValueError: if there is no such csv or it lacks a column.
    """
    table = newest_catalogue(data_dir)
    with table.open(encoding="utf-8", newline="") as file:
        try:
            return [_correct(_piece(row)) for row in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{table.name} is not a MAESTRO catalogue: {error!r}") from error


def _piece(row: dict[str, str]) -> Piece:
    if row["split"] not in SPLITS:
        raise ValueError(
            f"split must be one of {', '.join(SPLITS)}, got {show_value(row['split'])}"
        )
    return Piece(
        composer=row["canonical_composer"],
        title=row["canonical_title"],
        split=row["split"],
        year=int(row["year"]),
        path=row["midi_filename"],
        duration_s=float(row["duration"]),
    )


def _correct(piece: Piece) -> Piece:
    label = _CORRECTIONS.get(Path(piece.path).name)
    return piece if label is None else replace(piece, composer=label[0], title=label[1])


def select_pieces(
    pieces: Sequence[Piece], composers: Sequence[str] | None, splits: Sequence[str]
) -> list[Piece]:
    """Returns the pieces of the splits whose composer's name contains one of `composers`.

    Args:
        pieces: the catalogue.
        composers: parts of names, any case ("chopin"); None for all.
        splits: of "train", "validation", "test".

    Raises:
        ValueError: if a split is unknown or a composer matches nothing.
    """
    for split in splits:
        if split not in SPLITS:
            raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {show_value(split)}")
    chosen = [piece for piece in pieces if piece.split in splits]
    if composers is None:
        return chosen
    for name in composers:
        if not any(name.lower() in piece.composer.lower() for piece in pieces):
            known = ", ".join(name for name, _ in most_played(pieces))
            raise ValueError(f"no composer's name contains {name!r}; most played are {known}")
    return [p for p in chosen if any(name.lower() in p.composer.lower() for name in composers)]


def select_files(
    data_dir: Path,
    composers: Sequence[str] | None,
    splits: Sequence[str],
    *,
    sources: Sequence[str] | None = None,
    extra_dir: Path | None = None,
    limit: int | None = None,
) -> list[tuple[Piece, Path]]:
    """Returns pieces and where their files should lie.

    Args:
        data_dir: MAESTRO's folder or, with `sources` and no `extra_dir`, another collection's.
        composers: see `select_pieces`.
        splits: see `select_pieces`.
        sources: collections of a manifest.csv, in `extra_dir` or else in `data_dir`.
        extra_dir: a folder whose training pieces come on top; what is held out stays MAESTRO's.
        limit: the first so many pieces only, of each folder.

    Raises:
        ValueError: see `read_catalogue`, `read_manifest` and `select_pieces`.
    """
    if sources is None or extra_dir is not None:
        catalogue = read_catalogue(data_dir)
    else:
        catalogue = read_manifest(data_dir, sources)
    chosen = [(data_dir, select_pieces(catalogue, composers, splits))]
    if extra_dir is not None and "train" in splits:
        more = read_manifest(extra_dir, sources)
        chosen.append((extra_dir, select_pieces(more, composers, ("train",))))
    return [(piece, folder / piece.path) for folder, pieces in chosen for piece in pieces[:limit]]


def most_played(pieces: Sequence[Piece], n: int = 14) -> list[tuple[str, int]]:
    """Returns the `n` composers with most performances and their numbers, most first.

    Ties are in order of the name. The article's figure 1 shows 14.
    """
    counts = Counter(piece.composer for piece in pieces)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:n]


def count_works(pieces: Sequence[Piece], composer: str) -> int:
    """Returns how many distinct titles of a composer the pieces hold."""
    return len({piece.title for piece in pieces if piece.composer == composer})


def download_maestro(data_dir: Path, url: str = MIDI_ZIP_URL) -> Path:
    """Downloads MAESTRO's MIDI archive, unpacks it under `data_dir`, returns its folder.

    Raises:
        ValueError: if the address cannot be reached or does not answer with such an archive.
    """
    try:
        with urllib.request.urlopen(url, timeout=60) as answer:
            archive = zipfile.ZipFile(io.BytesIO(answer.read()))
    except (OSError, http.client.HTTPException, zipfile.BadZipFile) as error:
        raise ValueError(
            f"MAESTRO could not be downloaded from {url} ({error}); download it by hand and name "
            "its folder with --data-dir"
        ) from error
    # Looked up in the archive, not in the folder: an earlier download may lie beside it.
    tables = sorted(n for n in archive.namelist() if PurePosixPath(n).match("*/maestro-v*.csv"))
    if not tables:
        raise ValueError(f"the archive at {url} holds no maestro-v*.csv; is it MAESTRO?")
    data_dir.mkdir(parents=True, exist_ok=True)
    archive.extractall(data_dir)
    return (data_dir / tables[-1]).parent
