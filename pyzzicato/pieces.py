"""From the name of a seed to files on disk: what the command line and the page both do."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from . import __version__
from .hub import ModelInfo
from .midi import Performance, Sustain, read_midi, write_midi
from .midi.texts import decode
from .midi.writing import replace_file
from .notes import Note, end_of
from .playing.continuation import Continuation
from .seeds import Seed, list_seeds, load_seed

_ENDINGS = (".mid", ".midi", ".rmi", ".kar")


@dataclass(frozen=True)
class SeedPiece:
    """A piece to take a seed from.

    Attributes:
        title: for the picture and the page.
        notes: as a model's checkpoint wants them, pedal heard or not; the first one starts at 0.
        remarks: what was left out, skipped or repaired when a file was read, in words.
        performance: what the notes are from: tempo, metre, key, hands and composer; None for notes
            alone.
    """

    title: str
    notes: tuple[Note, ...]
    remarks: tuple[str, ...] = ()
    performance: Performance | None = None

    @property
    def composer(self) -> str | None:
        """Returns the short name of the composer that preset or file names; None for none."""
        return self.performance.composer if self.performance else None


@dataclass(frozen=True)
class PieceFiles:
    """Where `write_piece` put things; None for what was not wanted or could not be written."""

    midi: Path
    png: Path | None
    wav: Path | None
    result: Path | None
    facts: dict[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


def read_seed(source: str, sustain: str) -> SeedPiece:
    """Returns a preset seed by its name, or the piece in a MIDI file from its first note on.

    Args:
        source: a preset's name or the path of a MIDI file.
        sustain: the checkpoint's treatment of the pedal, "extend" or "ignore".

    Raises:
        ValueError: if `source` is neither; the message lists the presets.
    """
    names = [seed.name for seed in list_seeds()]
    if source in names:
        return preset_piece(load_seed(source))
    if not os.path.lexists(source) and not source.lower().endswith(_ENDINGS):
        load_seed(source)  # Raises, naming the presets and the nearest one.
    return file_piece(read_midi(source), file_title(source), sustain)


def preset_piece(seed: Seed) -> SeedPiece:
    """Returns a preset as a piece to take a seed from."""
    title = f"{seed.composer}: {seed.title}"
    return SeedPiece(title, seed.notes, performance=seed.performance)


def file_piece(performance: Performance, title: str, sustain: str) -> SeedPiece:
    """Returns what a MIDI file plays as a piece to take a seed from, from its first note on.

    Args:
        performance: from `read_midi`.
        title: of the piece.
        sustain: the checkpoint's treatment of the pedal, "extend" or "ignore".
    """
    notes = tuple(performance.music(cast(Sustain, sustain)))
    return SeedPiece(title, notes, tuple(performance.remarks()), performance)


def file_title(path: str | os.PathLike[str]) -> str:
    """Returns a file's name without its ending, fit to be shown.

    A name may be of bytes that are no UTF-8; they are taken for Western European then.
    """
    return decode(os.fsencode(Path(path).stem)) or "MIDI file"


def make_folder(folder: Path) -> None:
    """Makes a folder for files, unless it is there.

    Raises:
        ValueError: if it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"folder {folder} cannot be made: {error}; choose another") from error


def write_piece(
    piece: Continuation,
    folder: Path,
    *,
    seed: SeedPiece,
    model: ModelInfo,
    continuation_only: bool = False,
    audio: bool = True,
) -> PieceFiles:
    """Writes `continuation.mid`, `continuation.wav`, `pianoroll.png` and `result.json`.

    The MIDI file has the tempo, metre, key, title and hands of the seed's file, and a marker where
    the seed ends. It comes first: where the disk is full or the picture cannot be drawn, the other
    files are left out and a remark says so.

    Args:
        piece: what was played.
        folder: made if absent.
        seed: what it was played from.
        model: which model played.
        continuation_only: leave the seed out of MIDI and sound.
        audio: whether to render sound.

    Raises:
        ValueError: if the folder or the MIDI file cannot be written, or no sound can be made.
    """
    make_folder(folder)
    midi = write_continuation(
        piece, folder / "continuation.mid", seed.performance, continuation_only=continuation_only
    )
    said: list[str] = []
    png = _write_picture(piece, folder, seed, said)
    facts = describe_piece(piece, seed, model)
    facts["remarks"] = [*seed.remarks, *piece.remarks, *said]
    result = _write_result(facts, folder, said)
    wav = None
    # Last, so that nothing is lost where no sound can be made. A continuation of silence alone has
    # none; MIDI and picture show that it is so.
    notes = piece.continuation_only if continuation_only else piece.notes
    if audio and notes:
        wav = _write_sound(notes, folder, facts, said)
        facts["remarks"] = [*seed.remarks, *piece.remarks, *said]
        result = _write_result(facts, folder, said)
    return PieceFiles(midi, png, wav, result, facts, tuple(said))


def write_continuation(
    piece: Continuation,
    path: Path,
    like: Performance | None,
    *,
    continuation_only: bool = False,
) -> Path:
    """Writes a continuation as a MIDI file like the one its seed is from; returns the path.

    Args:
        piece: what was played.
        path: of the file.
        like: what the seed was cut from; None for notes alone.
        continuation_only: leave the seed out.

    Raises:
        ValueError: if the file cannot be written.
    """
    start, ends = piece.settings.seed_start, piece.seed_seconds
    if continuation_only:
        # Nobody waits for the rest of the bar in which the seed ended.
        return write_midi(
            piece.continuation_only, path, like=like, like_start_s=start + ends, whole_bars=False
        )
    return write_midi(piece.notes, path, like=like, like_start_s=start, seed_seconds=ends or None)


def _write_picture(
    piece: Continuation, folder: Path, seed: SeedPiece, said: list[str]
) -> Path | None:
    try:
        # Imported here: playing needs no matplotlib.
        from .plots import plot_pianoroll, save_png
    except ModuleNotFoundError as error:
        said.append(_not_installed("picture", error))
        return None
    picture = plot_pianoroll(
        piece.seed_notes,
        piece.new_notes,
        piece.seed_seconds,
        seed.title,
        end_seconds=max(piece.seed_seconds + piece.settings.seconds, end_of(piece.notes)),
        returns=[piece.seed_seconds + rescue.seconds for rescue in piece.rescues],
    )
    try:
        return save_png(picture, folder / "pianoroll.png")
    except ValueError as error:
        said.append(f"No picture: {error}.")
        return None


def _write_sound(
    notes: Sequence[Note], folder: Path, facts: dict[str, Any], said: list[str]
) -> Path | None:
    try:
        # Imported here: playing needs no sound.
        from .audio import render, write_wav
    except ModuleNotFoundError as error:
        said.append(_not_installed("audio", error))
        return None
    sound = render(notes)
    facts["sound"] = {"engine": sound.engine, "soundfont": sound.soundfont}
    return write_wav(sound, folder / "continuation.wav")


def _not_installed(extra: str, error: ModuleNotFoundError) -> str:
    kind = "sound" if extra == "audio" else "picture"
    return f"No {kind}: {error.name} is not installed; run pip install 'pyzzicato[{extra}]'."


def describe_piece(piece: Continuation, seed: SeedPiece, model: ModelInfo) -> dict[str, Any]:
    """Returns settings, model and figures of a continuation as plain JSON values."""
    return {
        "version": __version__,
        "model": model.name,
        "revision": model.revision,
        "source": model.source,
        "repo": model.repo,
        "commit": model.commit,
        "seed": seed.title,
        "remarks": [*seed.remarks, *piece.remarks],
        # A list, as it is read back.
        "settings": {**asdict(piece.settings), "without": list(piece.settings.without)},
        "composer": piece.composer,
        "rescues": [asdict(rescue) for rescue in piece.rescues],
        "seed_seconds": piece.seed_seconds,
        "seed_notes": len(piece.seed_notes),
        "notes": len(piece.new_notes),
        "facts": dict(piece.facts),
        "wall_seconds": round(piece.wall_seconds, 3),
        "real_time_factor": round(piece.real_time_factor, 1),
    }


def _write_result(facts: dict[str, Any], folder: Path, said: list[str]) -> Path | None:
    path = folder / "result.json"
    text = json.dumps(facts, ensure_ascii=False, indent=1)
    try:
        replace_file(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        said.append(f"No result.json: {error.strerror}.")
        return None
    return path
