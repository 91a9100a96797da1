"""From a take to files on disk: what the command line writes."""

import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from . import __version__
from .hub import ModelInfo
from .midi.writing import replace_file
from .notes import Note
from .takes import Take, missing_extra, write_continuation

_LONGEST_NAME = 60


@dataclass(frozen=True)
class PieceFiles:
    """Where `write_piece` put things; None for what was not wanted or could not be written."""

    midi: Path
    picture: Path | None = None
    score: Path | None = None
    wav: Path | None = None
    mp3: Path | None = None
    result: Path | None = None
    facts: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def paths(self) -> list[Path]:
        """Returns the files that were written."""
        every = (self.midi, self.score, self.wav, self.mp3, self.picture, self.result)
        return [path for path in every if path is not None]


@dataclass(frozen=True)
class Wanted:
    """What is to be written beside MIDI, picture and figures.

    Attributes:
        continuation_only: leave the seed out of MIDI and sound.
        wav: sound, as WAV.
        mp3: sound, as MP3.
        score: sheet music, as MusicXML.
    """

    continuation_only: bool = False
    wav: bool = True
    mp3: bool = False
    score: bool = False


def make_folder(folder: Path) -> None:
    """Makes a folder for files, unless it is there.

    Raises:
        ValueError: if it cannot be made, or nothing can be written in it.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"folder {folder} cannot be made: {error}; choose another") from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ValueError(f"folder {folder} cannot be written to; choose another with --out")


def file_name(piece: Take) -> str:
    """Returns the name, without an ending, of the files of a take: its piece and its number."""
    words = re.sub(r"[^\w]+", "-", piece.source.name or "piece").replace("_", "-")
    name = words.strip("-").lower()[:_LONGEST_NAME].strip("-") or "piece"
    return f"{name}-rng-{piece.settings.rng}"


def write_piece(
    piece: Take,
    folder: Path,
    *,
    model: ModelInfo,
    wanted: Wanted | None = None,
    earlier: Sequence[dict[str, Any]] = (),
) -> PieceFiles:
    """Writes a take as MIDI, picture, sound and score, and its figures as `result.json`.

    The MIDI file has the tempo, metre, key, title and hands of the seed's file, and a marker where
    the seed ends. It comes first: where the disk is full, the picture cannot be drawn or the piece
    is no score, the other files are left out and a remark says so.

    Args:
        piece: what was played.
        folder: made if absent.
        model: which model played.
        wanted: what to write; `Wanted()` if None.
        earlier: the figures of takes that were played and written before, for `result.json`.

    Raises:
        ValueError: if the folder or the MIDI file cannot be written (what was played is kept in a
            temporary folder then, where there is room), or no sound can be made.
    """
    wanted = wanted or Wanted()
    make_folder(folder)
    start = folder / file_name(piece)
    midi = _write_midi(piece, start.with_name(f"{start.name}.mid"), wanted.continuation_only)
    remarks: list[str] = []
    made: dict[str, Path] = {"midi": midi}

    for kind, ending in (("picture", "png"), *((("score", "musicxml"),) if wanted.score else ())):
        try:
            made[kind] = piece.save(start.with_name(f"{start.name}.{ending}"))
        except ValueError as error:
            remarks.append(f"No {kind}: {error}.")
    facts = describe_piece(piece, model)
    result = _write_result(facts, made, folder, remarks, earlier)
    # Last, so that nothing is lost where no sound can be made. A continuation of silence alone has
    # none; MIDI and picture show that it is so.
    notes = piece.continuation_only if wanted.continuation_only else piece.notes
    if (wanted.wav or wanted.mp3) and notes:
        _write_sound(notes, start, wanted, made, facts, remarks)
        result = _write_result(facts, made, folder, remarks, earlier)
    return PieceFiles(**made, result=result, facts=facts, remarks=tuple(remarks))


def describe_piece(piece: Take, model: ModelInfo) -> dict[str, Any]:
    """Returns settings, model and figures of a take as plain JSON values."""
    return {
        "version": __version__,
        "model": model.name,
        "revision": model.revision,
        "source": model.source,
        "repo": model.repo,
        "commit": model.commit,
        "seed": piece.source.title,
        # A list, as it is read back.
        "settings": {**asdict(piece.settings), "without": list(piece.settings.without)},
        "composer": piece.composer,
        "quantise": piece.quantise,
        "rescues": [asdict(rescue) for rescue in piece.rescues],
        "seed_seconds": piece.seed_seconds,
        "seed_notes": len(piece.seed_notes),
        "notes": len(piece.new_notes),
        "facts": dict(piece.facts),
        "wall_seconds": round(piece.wall_seconds, 3),
        "real_time_factor": round(piece.real_time_factor, 1),
        "remarks": [*piece.source.remarks, *piece.remarks],
    }


def _write_midi(piece: Take, path: Path, continuation_only: bool) -> Path:
    try:
        return write_continuation(piece, path, continuation_only=continuation_only)
    except ValueError as error:
        try:
            kept = Path(tempfile.mkdtemp(prefix="pyzzicato-"), path.name)
            write_continuation(piece, kept, continuation_only=continuation_only)
        except (OSError, ValueError):
            raise error from None
        raise ValueError(f"{error}; what was played is kept as {kept}") from error


def _write_sound(
    notes: Sequence[Note],
    start: Path,
    wanted: Wanted,
    made: dict[str, Path],
    facts: dict[str, Any],
    remarks: list[str],
) -> None:
    try:
        # Imported here: playing needs no sound.
        from .audio import render, write_mp3, write_wav
    except ModuleNotFoundError as error:
        remarks.append(f"No sound: {missing_extra('audio', error)}.")
        return
    sound = render(notes)
    facts["sound"] = {"engine": sound.engine, "soundfont": sound.soundfont}
    for kind, write in (("mp3", write_mp3), ("wav", write_wav)):  # The smaller one first.
        if getattr(wanted, kind):
            try:
                made[kind] = write(sound, start.with_name(f"{start.name}.{kind}"))
            except ValueError as error:
                remarks.append(f"No {kind.upper()}: {error}.")


def _write_result(
    facts: dict[str, Any],
    made: dict[str, Path],
    folder: Path,
    remarks: list[str],
    earlier: Sequence[dict[str, Any]],
) -> Path | None:
    """Writes the figures of a take, or of several: those of the first, and all as `takes`."""
    facts["files"] = {kind: path.name for kind, path in made.items()}
    own = facts["remarks"]
    facts["remarks"] = [*own, *(remark for remark in remarks if remark not in own)]
    takes = [*earlier, facts]
    whole = facts if len(takes) == 1 else {**takes[0], "takes": takes}
    path = folder / "result.json"
    text = json.dumps(whole, ensure_ascii=False, indent=1)
    try:
        replace_file(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        remarks.append(f"No result.json: {error.strerror}.")
        return None
    return path
