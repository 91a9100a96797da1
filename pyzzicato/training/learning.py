"""From a folder of MIDI files to a model of one's own: what `pyzzicato learn` does.

    out/data/           the music, prepared
    out/best/           the model: a checkpoint folder like the bundled ones
    out/listen/         three continuations from before and after, MIDI files
    out/report.md       the table of before and after
    out/progress.jsonl  all lines that were printed, and the figures of each look
    out/settings.json, out/checkpoints/     to go on from

Reading, learning, values of decoding and comparison follow each other; each says what it does.
"""

import json
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from accelerate import Accelerator  # type: ignore[import-untyped]
from accelerate.utils import GradientAccumulationPlugin  # type: ignore[import-untyped]
from transformers.utils import logging as transformers_logging

from ..checks import show_value
from ..hub import LEARNER, list_models, load_model, model_info
from ..hub.checkpoints import read_config
from ..hub.networks import open_network
from ..hub.own_models import as_name, check_name, is_kept, keep_model, own_folder
from ..hub.registry import bundled_name
from ..midi import Sustain
from ..notes import Note
from ..representations import representation_of
from .before_after import Player, as_markdown, as_text, compare, draw_excerpts, write_takes
from .calibration import find_values, write_values
from .finishing import finish_run
from .held_out import middle_crops
from .learning_plan import choose_settings, full_name, validation_share
from .loop import train, validation_loss
from .music_folder import find_files
from .precision import precision_here
from .preparation import Preparation, prepare_folder
from .progress import Progress
from .store import NoteStore, StoredPiece
from .train_settings import TrainSettings

PROGRESS = "progress.jsonl"
REPORT = "report.md"
_LISTED = 10
_CALIBRATION_SEEDS, _CALIBRATION_LOOKS = 24, 4


@dataclass(frozen=True)
class LearnConfig:
    """What to learn from, and where the model goes.

    Attributes:
        folder: of MIDI files, and folders in it.
        out: folder of the run.
        name: of the model and of the style it is asked for by; None for the folder's name.
        start_from: the model that goes on learning, a name or a folder.
        table: csv with composer, title, split or licence of files, see `music_folder.find_files`.
        licence: of the music; needed to publish what has learnt from it.
        keep: whether the model is kept under its name, for the page and `--model NAME`.
    """

    folder: Path
    out: Path
    name: str | None = None
    start_from: str = LEARNER
    table: Path | None = None
    licence: str = ""
    keep: bool = True

    @property
    def style(self) -> str:
        """Returns the name of model and style."""
        return as_name(self.folder.resolve().name) if self.name is None else self.name


class Journal:
    """Says how a run goes, and writes it down.

    Args:
        out: folder of the run; made when there is something to write.
    """

    def __init__(self, out: Path) -> None:
        self._path = out / PROGRESS
        self._began = time.monotonic()

    def log(self, words: str, at: Path | None = None, **figures: Any) -> None:
        """Prints a sentence, and writes it down with figures and the seconds passed.

        Args:
            words: the sentence.
            at: the folder it is about. It is printed and not written down: what is written down is
                shown on the page, where no path of this machine has a place.
            figures: plain JSON values.
        """
        seconds = round(time.monotonic() - self._began, 1)
        minutes, rest = divmod(int(seconds), 60)
        place = "" if at is None else f" ({at})"
        print(f"{minutes:3d}:{rest:02d}  {words}{place}", flush=True)
        line = json.dumps({"seconds": seconds, "words": words, **figures}, ensure_ascii=False)
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def learn(config: LearnConfig) -> Path:
    """Makes a model of a folder of music; returns the model's folder.

    A run that was stopped goes on when it is asked for again.

    Raises:
        ValueError: if the name is not fit or taken, there is no such model or too little music, or
            `out` holds another run.
    """
    _check_name(config)
    base = read_config(model_info(config.start_from).folder)
    find_files(config.folder, config.table)  # What is wrong with it is known before all else.
    transformers_logging.disable_progress_bar()
    journal = Journal(config.out)
    store = _prepare(config, cast(Sustain, base.sustain), journal)
    settings = choose_settings(store, config.start_from, config.style)
    accelerator = Accelerator(
        mixed_precision=precision_here(settings.precision),
        gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),
    )
    before = _loss_before(store, settings, accelerator)
    best = _train(config, store, settings, accelerator, before, journal)
    composer = settings.eval_composer or None
    _calibrate(best, store, composer, config.start_from, journal)
    after = json.loads((best / "training.json").read_text(encoding="utf-8"))["losses"]["validation"]
    players = {
        "before": _player(config.start_from, settings, before),
        "after": Player(config.style, load_model(str(best)), composer, after),
    }
    _compare(config, players, store, representation_of(base).unit, journal)
    _report_where(config, best, composer, journal)
    return best


def _check_name(config: LearnConfig) -> None:
    style, best = check_name(config.style), config.out / "best"
    if not config.keep:
        return
    bundled = [info.name for info in list_models() if info.source != "folder"]
    if bundled_name(style) in bundled:
        raise ValueError(
            f"name must be another than the bundled models', got {show_value(style)}; choose "
            "another name"
        )
    place = own_folder() / style
    if place.exists() and not is_kept(best, style):
        raise ValueError(
            f"name must be a new one: another model is kept as {style!r}; choose another name, or "
            "remove that model from the folder of your own models"
        )


def _prepare(config: LearnConfig, sustain: Sustain, journal: Journal) -> NoteStore:
    n_files = len(find_files(config.folder, config.table))
    journal.log(f"Reading {n_files} MIDI files.", at=config.folder)
    prepared = prepare_folder(
        config.folder,
        config.out / "data",
        table=config.table,
        name=config.style,
        composer=full_name(config.style),
        licence=config.licence,
        validation=validation_share(n_files),
        sustain=sustain,
        processes=min(os.cpu_count() or 1, n_files),
    )
    store = NoteStore(config.out / "data")
    for line in _left_out(prepared):
        journal.log(line)
    held_out = store.of_split("validation")
    n_notes = sum(piece.length for piece in store.of_split("train"))
    minutes = sum(piece.seconds for piece in store.of_split("train")) / 60
    journal.log(
        f"Learning from {prepared.n_pieces - len(held_out)} pieces, {minutes:.0f} minutes, "
        f"{n_notes} notes. Kept apart to judge by: {_titles(held_out)}."
    )
    return store


def _left_out(prepared: Preparation) -> list[str]:
    rows = [f"Skipped {path}: {reason}." for path, reason in prepared.skipped]
    rows += [f"Left out {path}: a double of {first}." for path, first in prepared.doubles]
    more = len(rows) - _LISTED
    return rows[:_LISTED] + ([f"And {more} more, see data/skipped.json."] if more > 0 else [])


def _titles(pieces: Sequence[StoredPiece]) -> str:
    shown = ", ".join(piece.title for piece in pieces[:_LISTED])
    return shown + (f" and {len(pieces) - _LISTED} more" if len(pieces) > _LISTED else "")


def _loss_before(store: NoteStore, settings: TrainSettings, accelerator: Accelerator) -> float:
    network = open_network(model_info(settings.start_from).folder).to(accelerator.device)
    crops = middle_crops(
        store,
        store.of_split("validation"),
        representation_of(network.config),
        settings.eval_steps,
    )
    known = settings.eval_composer in (network.config.composers or [])
    number = network.config.composer_number(settings.eval_composer if known else None)
    scored = [crop for crop in crops if len(crop) > 1]
    if not scored:
        raise ValueError("the pieces kept apart must have two notes at least; add longer music")
    return validation_loss(network, scored, accelerator, composer=number)


def _train(
    config: LearnConfig,
    store: NoteStore,
    settings: TrainSettings,
    accelerator: Accelerator,
    before: float,
    journal: Journal,
) -> Path:
    journal.log(
        f"{config.start_from} goes on learning: {settings.max_steps} updates at the most, a look "
        f"at the pieces kept apart every {settings.eval_seconds:.0f} seconds, until "
        f"{settings.patience} looks in a row bring no gain. Their loss now: {before:.3f}.",
        update=0,
        held_out=before,
    )
    best_before = [before]

    def report(update: int, figures: dict[str, float]) -> None:
        if "validation" not in figures:
            return
        loss = figures["validation"]
        verdict = "the best so far" if loss < best_before[0] else f"best {best_before[0]:.3f}"
        best_before[0] = min(best_before[0], loss)
        journal.log(
            f"Update {update}: held-out loss {loss:.3f}, {verdict}; of what it learns from "
            f"{figures['training']:.3f}.",
            update=update,
            held_out=loss,
            training=figures["training"],
        )

    workers = 2 if accelerator.device.type == "cuda" else 0
    progress: Progress = train(store, settings, config.out, accelerator, report, workers)
    best = config.out / "best"
    # It is published with the model: folders of this machine have no place in it.
    command = f"pyzzicato learn FOLDER --out RUN --name {config.style}"
    if Path(config.start_from).name == config.start_from:
        command += f" --start-from {config.start_from}"
    finish_run(store, settings, progress, best, accelerator, command)
    gain = ""
    if progress.best_loss >= before:
        gain = f" It predicts worse than before ({before:.3f}): add music, some twenty pieces."
    journal.log(
        f"Learnt in {progress.seconds / 60:.1f} minutes and {progress.step} updates; kept is what "
        f"update {progress.best_step} had, {progress.best_loss:.3f}.{gain}"
    )
    return best


def _calibrate(
    best: Path, store: NoteStore, composer: str | None, start_from: str, journal: Journal
) -> None:
    excerpts = draw_excerpts(_notes_of(store, "train"), _CALIBRATION_SEEDS)
    if not excerpts:
        journal.log("The pieces are too short to find values for drawing by; none are set.")
        return
    journal.log(
        "Finding values for drawing: its own notes shall surprise it as much as real ones do, and "
        f"figures come back as often. {2 * _CALIBRATION_LOOKS} looks at the most."
    )
    looks = iter(range(1, 2 * _CALIBRATION_LOOKS + 1))

    def report(line: str) -> None:
        if line.startswith("look"):
            journal.log(f"Look {next(looks)} at its own playing.")

    limits = find_values(
        best,
        excerpts,
        looks=_CALIBRATION_LOOKS,
        composer=composer,
        first=load_model(start_from).decoding.top_a,
        report=report,
    )
    write_values(best, limits)
    shown = ", ".join(f"{name} {value:g}" for name, value in limits.items())
    journal.log(f"Left out as too unlikely (top-a): {shown}.")


def _player(start_from: str, settings: TrainSettings, loss: float) -> Player:
    model = load_model(start_from)
    known = settings.eval_composer in (model.config.composers or [])
    return Player(start_from, model, settings.eval_composer if known else None, loss)


def _compare(
    config: LearnConfig, players: dict[str, Player], store: NoteStore, unit: str, journal: Journal
) -> None:
    pieces = _notes_of(store, "validation")
    excerpts = draw_excerpts(pieces)
    if not excerpts:
        journal.log("The pieces kept apart are too short to be carried on: nothing is compared.")
        return
    journal.log("Before and after, on the pieces kept apart:")
    rows = compare([*players.values()], excerpts, unit)
    (config.out / REPORT).write_text(as_markdown(rows), encoding="utf-8")
    print("\n" + "\n".join(as_text(rows)) + "\n")
    takes = write_takes(players, pieces, config.out / "listen")
    journal.log(
        f"To hear: {', '.join(path.name for path in takes)}.",
        at=config.out / "listen",
        table=rows,
        takes=[path.name for path in takes],
    )


def _report_where(config: LearnConfig, best: Path, composer: str | None, journal: Journal) -> None:
    model = str(best)
    if config.keep:
        keep_model(best, config.style)
        model = config.style
    asked = f" --composer {composer}" if composer else ""
    kept = ", and it is on the page of the app" if config.keep else ""
    journal.log(
        f"The model is ready{kept}. Play it: pyzzicato continue SEED --model {model}{asked}",
        at=best,
        done=True,
    )


def _notes_of(store: NoteStore, split: str) -> dict[str, list[Note]]:
    """Returns the notes of the pieces of a split, by title and path."""
    pieces = store.of_split(split)
    return {f"{its.title} ({its.path})": store.notes(its) for its in pieces}
