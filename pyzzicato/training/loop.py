"""The training loop: one process or many, stopped and resumed at will."""

import json
import math
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from accelerate.utils import set_seed  # type: ignore[import-untyped]
from numpy.typing import NDArray

from ..density import density_number
from ..hub import load_model
from ..models import PyzzicatoConfig, PyzzicatoModel
from ..models.config import COMPOSERS
from .batches import Batch, CropSampler
from .growth import grow_weights
from .representations import middle_crops, representation_of
from .settings import TrainSettings
from .store import NoteStore

Report = Callable[[int, dict[str, float]], None]

# Memory-mapped pages are given back this often, so that memory does not grow with the data.
_RELEASE_EVERY = 50


@dataclass
class Progress:
    """How far a run has come; saved with each checkpoint.

    Attributes:
        step: updates done.
        best_loss: lowest validation loss so far, nats a step.
        best_step: when that was.
        looks_without_gain: validation looks since then.
        seconds: wall time spent in training, over all resumes.
        curve: one entry a validation look: step, training loss, validation loss.
    """

    step: int = 0
    best_loss: float = math.inf
    best_step: int = 0
    looks_without_gain: int = 0
    seconds: float = 0.0
    curve: list[dict[str, float]] = field(default_factory=list)

    def state_dict(self) -> dict[str, Any]:
        """Returns the fields, for accelerate to save."""
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over saved fields."""
        vars(self).update(state)


def learning_rate(step: int, settings: TrainSettings) -> float:
    """Returns the rate of an update: linear warm-up, then a cosine down to a tenth of the peak.

    Or, with `decay_steps`, as it is until so many updates before the end, then straight down to 0.
    A function of the step alone, so a resumed run needs no scheduler's state. The shapes are
    Loshchilov & Hutter 2017, "SGDR", without restarts, and the warm-up, stable, decay of Hu et al.
    2024, "MiniCPM", arXiv:2404.06395.
    """
    warmup = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    if settings.decay_steps:
        left = min(1.0, (settings.max_steps - step) / settings.decay_steps)
        return settings.learning_rate * warmup * left
    done = min(1.0, step / settings.max_steps)
    return settings.learning_rate * warmup * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def train(
    store: NoteStore,
    settings: TrainSettings,
    out: Path,
    accelerator: Accelerator,
    report: Report | None = None,
) -> Progress:
    """Trains a model and leaves its best checkpoint, in Hub layout, in `out/best`.

    A run that was stopped goes on from its last checkpoint in `out` with the same losses as if it
    had not been stopped.

    Args:
        store: prepared data with "train" and "validation" pieces.
        settings: the run.
        out: folder of the run.
        accelerator: one process or many.
        report: called after each update with the step and its figures.

    Raises:
        ValueError: if a split has no piece, or `out` holds a run with other settings.
    """
    _check_same_run(out, settings, accelerator)
    set_seed(settings.seed)
    config = settings.model_config(store.sustain)
    sampler = _sampler(store, config, settings)
    crops = _held_out(store, config, settings)
    plain = _first_weights(config, settings.start_from)
    model, *optimizers = accelerator.prepare(plain, *build_optimizers(plain, settings))
    progress = Progress()
    accelerator.register_for_checkpointing(progress)
    _resume(accelerator, out)

    began = time.monotonic() - progress.seconds
    recent: list[float] = []
    while progress.step < settings.max_steps and progress.looks_without_gain < settings.patience:
        batch = sampler.batch(progress.step, accelerator.process_index)
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = learning_rate(progress.step, settings)
        recent.append(_update(model, optimizers, batch, settings.clip_norm, accelerator))
        progress.step += 1
        progress.seconds = time.monotonic() - began
        if report is not None:
            report(progress.step, {"loss": recent[-1]})
        if progress.step % _RELEASE_EVERY == 0:
            store.release()
        if progress.step % settings.eval_every == 0 or progress.step == settings.max_steps:
            loss = validation_loss(model, crops, accelerator)
            _note_look(progress, float(np.mean(recent)), loss)
            recent.clear()
            if report is not None:
                report(progress.step, {"validation": loss})
            if progress.best_step == progress.step and accelerator.is_main_process:
                save_weights(accelerator.unwrap_model(model), out / "best")
            _save(accelerator, out, progress.step)
    return progress


def build_optimizers(
    model: PyzzicatoModel, settings: TrainSettings
) -> list[torch.optim.Optimizer]:
    """Returns what moves a model's weights, each weight in one of them.

    Muon (Jordan et al. 2024, kellerjordan.github.io/posts/muon; scaled as in Liu et al. 2025,
    arXiv:2502.16982, so that one rate serves both) takes the matrices of the backbone.
    """
    by_muon, others = [], []
    for name, weight in model.named_parameters():
        is_matrix = weight.ndim == 2 and name.startswith("backbone.")
        (by_muon if is_matrix and settings.optimizer == "muon" else others).append(weight)
    rate, decay = settings.learning_rate, settings.weight_decay
    fast = model.device.type == "cpu" or model.device.type == "cuda"
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, rate, weight_decay=decay, fused=fast)
    ]
    if by_muon:
        optimizers.append(
            torch.optim.Muon(by_muon, rate, weight_decay=decay, adjust_lr_fn="match_rms_adamw")
        )
    return optimizers


def save_weights(model: PyzzicatoModel, folder: Path) -> None:
    """Writes a model in Hub layout, its weights rounded to float16: half the size, sound alike.

    They are read as float32, as its config says.
    """
    rounded = {name: w.half() for name, w in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=rounded)


def _sampler(store: NoteStore, config: PyzzicatoConfig, settings: TrainSettings) -> CropSampler:
    """Returns what draws the crops that are learnt from."""
    return CropSampler(
        store,
        store.of_split("train", settings.composers or None),
        representation_of(config),
        settings,
        composer_numbers(config),
        partial(density_number, config=config),
        config.ending_numbers if config.endings else None,
    )


def _held_out(
    store: NoteStore, config: PyzzicatoConfig, settings: TrainSettings
) -> list[NDArray[np.uint8]]:
    """Returns the crops that are looked at, `(T, A)`.

    Raises:
        ValueError: if there are none.
    """
    pieces = store.of_split("validation", settings.composers or None)
    # A single step has none after it to predict.
    steps = representation_of(config)
    crops = [c for c in middle_crops(store, pieces, steps, settings.eval_steps) if len(c) > 1]
    if not crops:
        raise ValueError("there is no validation piece; prepare the validation split too")
    return crops


def composer_numbers(config: PyzzicatoConfig) -> dict[str, int]:
    """Returns the numbers of the composers a model knows, by their full names.

    Raises:
        ValueError: if a short name of the config is not in `COMPOSERS`.
    """
    for name in config.composers or []:
        if name not in COMPOSERS:
            raise ValueError(f"composers must be of {', '.join(COMPOSERS)}; got {name!r}")
    return {COMPOSERS[name]: config.composer_number(name) for name in config.composers or []}


def _first_weights(config: PyzzicatoConfig, start_from: str) -> PyzzicatoModel:
    """Returns a model as a run begins with it: fresh, or with the weights of another.

    A model may learn to be told densities, if it is told composers, and to recall: these say
    nothing at first.

    Raises:
        ValueError: if there is no such model, or its weights do not fit the config.
    """
    model = PyzzicatoModel(config)
    if start_from:
        try:
            model.load_state_dict(grow_weights(load_model(start_from).state_dict(), model))
        except RuntimeError as error:
            raise ValueError(
                f"start_from must be a model of the same config as the run's, got {start_from!r}: "
                f"{error}"
            ) from error
    return model


def _update(
    model: Any, optimizers: list[Any], batch: Batch, clip_norm: float, accelerator: Accelerator
) -> float:
    model.train()
    parts = [part.to(accelerator.device) for part in batch]
    with accelerator.autocast():
        loss = model(*parts).loss
    accelerator.backward(loss)
    accelerator.clip_grad_norm_(model.parameters(), clip_norm)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return float(loss.detach())


@torch.no_grad()
def validation_loss(
    model: Any, crops: list[NDArray[np.uint8]], accelerator: Accelerator, batch_size: int = 16
) -> float:
    """Returns mean nats a step over `(T, A)` crops, T above 1; the processes share the work.

    The first step of each crop is seen and not scored, and neither composer nor density is told.
    """
    model.eval()
    total = torch.zeros(2, dtype=torch.float64)
    mine = sorted(crops, key=len)[accelerator.process_index :: accelerator.num_processes]
    for first in range(0, len(mine), batch_size):
        group = mine[first : first + batch_size]
        longest = max(len(crop) for crop in group)
        padded = np.stack([np.pad(c, ((0, longest - len(c)), (0, 0))) for c in group])
        frames = torch.from_numpy(padded).to(accelerator.device)
        plain = accelerator.unwrap_model(model)
        hidden, _ = plain.hidden(frames[:, :-1], plain.start(len(frames)))
        losses = plain.head.nll(hidden, frames[:, 1:]).double().cpu()
        for row, crop in zip(losses, group, strict=True):
            total += torch.tensor([row[: len(crop) - 1].sum(), len(crop) - 1])
    summed = accelerator.reduce(total.to(accelerator.device), reduction="sum")
    return float(summed[0] / summed[1])


def _note_look(progress: Progress, training: float, validation: float) -> None:
    progress.curve.append({"step": progress.step, "training": training, "validation": validation})
    if validation < progress.best_loss:
        progress.best_loss, progress.best_step = validation, progress.step
        progress.looks_without_gain = 0
    else:
        progress.looks_without_gain += 1


def _check_same_run(out: Path, settings: TrainSettings, accelerator: Accelerator) -> None:
    """Keeps a folder to one run: other settings in it would mix two runs into one curve."""
    file = out / "settings.json"
    told = json.loads(json.dumps(settings.as_dict()))
    if accelerator.is_main_process and not file.exists():
        out.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(told, indent=1), encoding="utf-8")
    # Only now do the others look: none may read a file half written.
    accelerator.wait_for_everyone()
    if json.loads(file.read_text(encoding="utf-8")) != told:
        raise ValueError(f"{out} holds a run with other settings; choose another folder")


def _save(accelerator: Accelerator, out: Path, step: int) -> None:
    """Saves a checkpoint beside the one before and only then removes that one."""
    target = out / "checkpoints" / f"{step:08d}"
    accelerator.save_state(str(target))
    accelerator.wait_for_everyone()
    if accelerator.is_main_process:
        (target / "complete").touch()
        for folder in target.parent.iterdir():
            if folder != target:
                shutil.rmtree(folder)


def _resume(accelerator: Accelerator, out: Path) -> None:
    complete = sorted(mark.parent for mark in (out / "checkpoints").glob("*/complete"))
    if complete:
        accelerator.load_state(str(complete[-1]))
