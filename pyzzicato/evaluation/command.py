"""What `python -m pyzzicato evaluate` does: a report on any MIDI files beside reference music."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from ..notes import Note
from .excerpts import Excerpt
from .measures import REAL, PieceMeasures, measure_excerpt
from .midi_files import cut_files, cut_reference, find_midi, middle_length, read_files
from .originality import TrainingIndex
from .pictures import choose_pieces, draw_measures, draw_rolls
from .report import build_report, make_folder, write_report
from .style import StyleClassifier

FILES = "files"
"""Name of the files' column in the report."""


@dataclass(frozen=True)
class FilesConfig:
    """What to measure; see `evaluate --help` for each field."""

    files: tuple[Path, ...]
    reference: Path
    training_index: Path
    skip: float
    seconds: float | None
    out: Path


def evaluate_files(config: FilesConfig) -> Path:
    """Measures files beside reference music and writes a report; returns the page's path.

    What cannot be measured is left out; stderr and the report say so.

    Raises:
        ValueError: if a path does not exist, an option is out of its range, or no file is left.
    """
    make_folder(config.out)
    index = TrainingIndex.load(config.training_index)
    judged, real, remarks = _excerpts(config)
    for remark in remarks:
        print(f"left out {remark}", file=sys.stderr)
    classifier = StyleClassifier.load()
    sets = {
        REAL: _measure(real, "measure reference", classifier, index),
        FILES: _measure(judged, "measure files", classifier, index),
    }
    report = build_report(
        sets,
        description=_description(config, judged, real),
        settings={"skip_s": config.skip, "seconds": middle_length(judged)},
        remarks=remarks,
        classifier=classifier,
    )
    report["files"] = [piece.as_dict() for piece in sets[FILES]]
    report["pictures"] = draw_measures(sets, config.out, {FILES})
    if real:
        chosen = choose_pieces(sets[FILES], sets[REAL])
        rolls = {word: judged[i] for word, i in chosen.items()}
        report["pictures"] += draw_rolls(FILES, rolls, config.out)
    for piece in sets[FILES][:20]:
        if piece.originality is not None:
            print(f"{piece.name}: {piece.originality.sentence()}")
    return write_report(report, config.out)


def _excerpts(config: FilesConfig) -> tuple[list[Excerpt], list[Excerpt], list[str]]:
    """Returns what is to be measured of the files and of the reference, and what is left out.

    A file that is judged is not also taken for reference: it would lie at no distance from itself.
    """
    remarks: list[str] = []
    paths = find_midi(config.files)
    pieces = _read(paths, "read files", remarks)
    judged = cut_files(pieces, config.skip, config.seconds, remarks.append)
    if not judged:
        raise ValueError(f"none of the files can be measured: {'; '.join(remarks)}")
    seconds = middle_length(judged)
    own = {path.resolve() for path in paths}
    others = [path for path in find_midi([config.reference]) if path.resolve() not in own]
    real = cut_reference(_read(others, "read reference", remarks), config.skip, seconds)
    if len(real) < max(1, len(others)):
        remarks.append(
            f"{len(others) - len(real)} of {len(others)} reference files: only those that can be "
            f"read, are not judged and last {config.skip + seconds:.1f} s serve"
        )
    return judged, real, remarks


def _read(paths: Sequence[Path], title: str, remarks: list[str]) -> dict[str, list[Note]]:
    """Returns the notes of the readable files; adds a remark for each of the others."""
    with tqdm(total=len(paths), desc=title, unit="file") as bar:

        def on_file(name: str, reason: str | None) -> None:
            bar.update()
            if reason is not None:
                remarks.append(reason)

        return read_files(paths, on_file)


def _measure(
    excerpts: Sequence[Excerpt],
    title: str,
    classifier: StyleClassifier,
    index: TrainingIndex,
) -> list[PieceMeasures]:
    return [
        measure_excerpt(excerpt, classifier=classifier, index=index)
        for excerpt in tqdm(excerpts, desc=title, unit="piece")
    ]


def _description(config: FilesConfig, judged: Sequence[Excerpt], real: Sequence[Excerpt]) -> str:
    """Returns how the pieces were chosen, in sentences."""
    length = middle_length(judged)
    some = f"{config.seconds:g} s" if config.seconds else f"all (median length {length:.1f} s)"
    after = f" after its seed (the first {config.skip:g} s)" if config.skip else ""
    beside = (
        f"Beside them stand excerpts of {length:.1f} s from the middle of {len(real)} pieces of "
        "the reference: the column real."
        if real
        else "There is no reference music to stand beside them."
    )
    files = f"{len(judged)} MIDI file{'s' if len(judged) > 1 else ''}"
    return f"{files}, of each of which {some}{after} is measured. {beside}"
