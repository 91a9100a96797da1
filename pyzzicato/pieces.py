"""From the name of a seed to files on disk: what the command line and the page both do."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

from . import __version__
from .audio import render, write_wav
from .hub import ModelInfo
from .midi import Sustain, read_midi, write_midi
from .models.architecture import short_name
from .notes import Note
from .playing.continuation import Continuation
from .plots import plot_pianoroll, save_png
from .seeds import list_seeds, load_seed


@dataclass(frozen=True)
class SeedPiece:
    """A piece to take a seed from.

    Attributes:
        title: for the picture and the page.
        notes: as a model's checkpoint wants them, pedal heard or not.
        remarks: what was dropped or repaired when a file was read, in words.
        composer: short name of its composer, if he is known and one of the fourteen.
    """

    title: str
    notes: tuple[Note, ...]
    remarks: tuple[str, ...] = ()
    composer: str | None = None


@dataclass(frozen=True)
class PieceFiles:
    """Where `write_piece` put things; `wav` is None where no sound was wanted."""

    midi: Path
    png: Path
    wav: Path | None
    result: Path
    facts: dict[str, Any] = field(default_factory=dict)


def read_seed(source: str, sustain: str) -> SeedPiece:
    """Returns a preset seed by its name, or the piece in a MIDI file.

    Args:
        source: a preset's name or the path of a MIDI file.
        sustain: the checkpoint's treatment of the pedal, "extend" or "ignore".

    Raises:
        ValueError: if `source` is neither; the message lists the presets.
    """
    names = [seed.name for seed in list_seeds()]
    if source in names:
        seed = load_seed(source)
        return SeedPiece(
            f"{seed.composer}: {seed.title}", seed.notes, composer=short_name(seed.composer)
        )
    if not Path(source).exists() and not source.lower().endswith((".mid", ".midi")):
        load_seed(source)  # Raises, naming the presets and the nearest one.
    performance = read_midi(source)
    notes = performance.sounding(cast(Sustain, sustain))
    return SeedPiece(Path(source).stem, tuple(notes), tuple(performance.remarks()))


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

    Args:
        piece: what was played.
        folder: made if absent.
        seed: what it was played from.
        model: which model played.
        continuation_only: leave the seed out of MIDI and sound.
        audio: whether to render sound.

    Raises:
        ValueError: if the folder cannot be written or there is nothing to sound.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(f"folder {folder} cannot be made: {error}; choose another") from error
    notes = piece.continuation_only if continuation_only else piece.notes
    midi = write_midi(notes, folder / "continuation.mid")
    picture = plot_pianoroll(
        piece.seed_notes,
        piece.new_notes,
        piece.seed_seconds,
        seed.title,
        end_seconds=piece.seed_seconds + piece.settings.seconds,
        returns=[piece.seed_seconds + rescue.seconds for rescue in piece.rescues],
    )
    png = save_png(picture, folder / "pianoroll.png")
    facts = describe_piece(piece, seed, model)
    result = _write_result(facts, folder)
    wav = None
    # Last, so that nothing is lost where no sound can be made. A continuation of silence alone has
    # none; MIDI and picture show that it is so.
    if audio and notes:
        sound = render(notes)
        wav = write_wav(sound, folder / "continuation.wav")
        facts["sound"] = {"engine": sound.engine, "soundfont": sound.soundfont}
        result = _write_result(facts, folder)
    return PieceFiles(midi, png, wav, result, facts)


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
        "wall_seconds": round(piece.wall_seconds, 3),
        "real_time_factor": round(piece.real_time_factor, 1),
    }


def _write_result(facts: dict[str, Any], folder: Path) -> Path:
    path = folder / "result.json"
    path.write_text(json.dumps(facts, ensure_ascii=False, indent=1), encoding="utf-8")
    return path
