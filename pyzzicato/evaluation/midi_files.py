"""MIDI files as excerpts to measure, whoever made them, and reference music cut to their length."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ..midi import read_midi
from ..notes import Note, end_of
from .excerpts import Excerpt, cut_excerpt

MIN_SECONDS = 1.0
"""Less music after the seed is too little to measure."""

_MIDI = (".mid", ".midi")

Report = Callable[[str], None]
"""Takes a sentence for the user."""


def find_midi(sources: Sequence[Path]) -> list[Path]:
    """Returns the MIDI files among the sources and in the folders among them, each once.

    Files come in the order of the sources, those of a folder by name.

    Raises:
        ValueError: if a source does not exist, or there is no MIDI file at all.
    """
    found: dict[Path, Path] = {}
    for source in sources:
        if source.is_dir():
            inside = sorted(p for p in source.rglob("*") if p.suffix.lower() in _MIDI)
        elif source.is_file():
            inside = [source]
        else:
            raise ValueError(f"{source} does not exist; name MIDI files or folders of them")
        for path in inside:
            found.setdefault(path.resolve(), path)
    if not found:
        named = ", ".join(map(str, sources))
        raise ValueError(f"no MIDI file in {named}; their names must end in .mid or .midi")
    return list(found.values())


def read_files(
    paths: Sequence[Path], on_file: Callable[[str, str | None], None]
) -> dict[str, list[Note]]:
    """Returns the notes of each readable file, as they sound, by the file's name.

    Names are as short as they can be: paths within the folder that holds all the files.

    Args:
        paths: MIDI files, each once.
        on_file: called after each with its name and None, or the reason why it was left out.
    """
    folder = os.path.commonpath([path.absolute().parent for path in paths]) if paths else ""
    pieces: dict[str, list[Note]] = {}
    for path in paths:
        name = path.absolute().relative_to(folder).as_posix()
        try:
            pieces[name] = read_midi(path).sounding("extend")
            on_file(name, None)
        except ValueError as error:
            on_file(name, str(error).replace(repr(str(path)), repr(name)))
    return pieces


def cut_files(
    pieces: Mapping[str, Sequence[Note]], skip: float, seconds: float | None, report: Report
) -> list[Excerpt]:
    """Returns what is to be measured of each piece: all that follows the first seconds.

    Args:
        pieces: notes by name.
        skip: the first seconds of each piece are its seed: they are not measured themselves, but
            the rest is compared with them. 0 measures from the beginning.
        seconds: how much to measure. A piece that ends earlier is silent for the rest, one that
            ends within its seed altogether. None takes each as long as its notes sound, and leaves
            out those with less than `MIN_SECONDS` after the seed.
        report: is given a line for each piece left out.

    Raises:
        ValueError: if `skip` is negative or `seconds` below `MIN_SECONDS`.
    """
    if not 0 <= skip < float("inf"):
        raise ValueError(f"skip must be 0 or above, got {skip:g}; it is the length of the seed")
    if seconds is not None and not MIN_SECONDS <= seconds < float("inf"):
        raise ValueError(f"seconds must be {MIN_SECONDS:g} or above, got {seconds:g}; try 60")
    excerpts = []
    for name, notes in pieces.items():
        length = end_of(notes) - skip if seconds is None else seconds
        if length < MIN_SECONDS:
            report(
                f"{name}: it ends at {end_of(notes):.1f} s, and the first {skip:g} s are its seed; "
                "give the length its continuation should have to measure it as silent"
            )
            continue
        excerpts.append(cut_excerpt(name, notes, 0.0, skip, length))
    return excerpts


def middle_length(excerpts: Sequence[Excerpt]) -> float:
    """Returns the median length of the excerpts in seconds, the upper one of two; 0.0 for none."""
    lengths = sorted(excerpt.seconds for excerpt in excerpts)
    return lengths[len(lengths) // 2] if lengths else 0.0


def cut_reference(
    pieces: Mapping[str, Sequence[Note]], skip: float, seconds: float
) -> list[Excerpt]:
    """Returns an excerpt from the middle of each reference piece, as long as the pieces judged.

    Several measures change with the length of a piece; only equal lengths compare. Pieces shorter
    than that are left out, and so are those with nothing struck in it.

    Args:
        pieces: reference notes by name.
        skip: length of the seed, which is cut before the excerpt.
        seconds: length that is measured.
    """
    cut = []
    for name, notes in pieces.items():
        room = end_of(notes) - skip - seconds
        if room >= 0:
            cut.append(cut_excerpt(name, notes, room / 2, skip, seconds))
    return [excerpt for excerpt in cut if excerpt.notes]
