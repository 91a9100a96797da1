"""The training loop for the piano-roll benchmarks: one process, stopped and resumed at will.

Weights are averaged as they move, so the rate of learning need not fall by the clock and a run may
end at any time: the average is what is looked at, saved and used. It may fall where looks find no
gain (`rate_decay`).
"""

import copy
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..models.model import PyzzicatoModel
from .loop import Progress
from .sequence_settings import SequenceSettings
from .sequences import Frames, SequenceBatches

Look = Callable[[PyzzicatoModel], float]
Report = Callable[[Progress, float | None], None]


class WeightAverage:
    """An exponential moving average of a model's weights (Polyak averaging).

    Args:
        model: the model that learns.
        decay: what the average keeps of itself at each update; less in the first updates, when the
            average would otherwise be held back by where the weights began.
    """

    def __init__(self, model: PyzzicatoModel, decay: float) -> None:
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self._decay = decay

    @torch.no_grad()
    def update(self, model: PyzzicatoModel, step: int) -> None:
        """Takes in the model's weights after update number `step`, from 1."""
        kept = min(self._decay, step / (step + 10))
        for mean, weight in zip(self.model.parameters(), model.parameters(), strict=True):
            mean.lerp_(weight, 1 - kept)
        for mean, buffer in zip(self.model.buffers(), model.buffers(), strict=True):
            mean.copy_(buffer)


def fit(
    model: PyzzicatoModel,
    pieces: Sequence[Frames],
    settings: SequenceSettings,
    out: Path,
    look: Look,
    report: Report | None = None,
) -> Progress:
    """Trains a model; leaves the average of its weights that validates best in `out/best`.

    A run that was stopped goes on from `out/last.pt` with the losses it would have had; a finished
    one goes on if its limits were raised.

    Args:
        model: freshly built; trained in place, on its own device.
        pieces: `(T, 88)` training pieces.
        settings: the run.
        out: folder of the run.
        look: returns the validation loss of a model.
        report: called after each update with the progress and the training loss, and after each
            look with None for the loss.
    """
    batches = SequenceBatches(pieces, settings)
    average = WeightAverage(model, settings.averaging)
    optimizer = _optimizer(model, settings)
    progress = Progress()
    _resume(out / "last.pt", model, average, optimizer, progress)
    began = time.monotonic() - progress.seconds
    recent: list[float] = []
    while not _over(progress, settings):
        frames, mask = batches.batch(progress.step)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(progress, settings)
        recent.append(_update(model, optimizer, frames, mask, settings))
        progress.step += 1
        average.update(model, progress.step)
        progress.seconds = time.monotonic() - began
        if report is not None:
            report(progress, recent[-1])
        if progress.step % settings.eval_every == 0 or _over(progress, settings):
            _note_look(progress, float(np.mean(recent)), look(average.model))
            recent.clear()
            progress.seconds = time.monotonic() - began
            if progress.best_step == progress.step:
                average.model.save_pretrained(out / "best")
            _save(out / "last.pt", model, average, optimizer, progress)
            if report is not None:
                report(progress, None)
    return progress


def learning_rate(progress: Progress, settings: SequenceSettings) -> float:
    """Returns the rate of the next update."""
    warmup = min(1.0, (progress.step + 1) / max(1, settings.warmup_steps))
    best, in_vain = math.inf, 0
    for look in progress.curve:
        in_vain += look["validation"] >= best
        best = min(best, look["validation"])
    return settings.learning_rate * warmup * settings.rate_decay**in_vain


def _over(progress: Progress, settings: SequenceSettings) -> bool:
    return (
        progress.step >= settings.max_steps
        or progress.seconds >= 60 * settings.max_minutes
        or progress.looks_without_gain >= settings.patience
    )


def _optimizer(model: PyzzicatoModel, settings: SequenceSettings) -> torch.optim.Optimizer:
    """Returns AdamW; biases and other single numbers a channel are left free of weight decay."""
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.parameters() if p.ndim >= 2]},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    rate, decay = settings.learning_rate, settings.weight_decay
    return torch.optim.AdamW(groups, lr=rate, weight_decay=decay)


def _update(
    model: PyzzicatoModel,
    optimizer: torch.optim.Optimizer,
    frames: Tensor,
    mask: Tensor,
    settings: SequenceSettings,
) -> float:
    """Takes one step down the total loss over total frames of a batch; returns that loss."""
    model.train()
    frames, mask = frames.to(model.device), mask.to(model.device)
    half = settings.precision == "bf16"
    with torch.autocast(model.device.type, torch.bfloat16, enabled=half):
        hidden, _ = model.hidden(frames[:, :-1], model.start(len(frames)))
        loss: Tensor = model.head.nll(hidden, frames[:, 1:])[mask].mean()
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
    optimizer.step()
    return float(loss.detach())


def _note_look(progress: Progress, training: float, validation: float) -> None:
    progress.curve.append(
        {
            "step": progress.step,
            "seconds": round(progress.seconds, 1),
            "training": training,
            "validation": validation,
        }
    )
    if validation < progress.best_loss:
        progress.best_loss, progress.best_step = validation, progress.step
        progress.looks_without_gain = 0
    else:
        progress.looks_without_gain += 1


def _save(
    file: Path,
    model: PyzzicatoModel,
    average: WeightAverage,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    """Writes all that a resumed run needs; a run killed here leaves the file before whole."""
    part = file.with_suffix(".part")
    torch.save(
        {
            "model": model.state_dict(),
            "average": average.model.state_dict(),
            "optimizer": optimizer.state_dict(),
            "progress": progress.state_dict(),
            "random": torch.get_rng_state(),
        },
        part,
    )
    part.replace(file)


def _resume(
    file: Path,
    model: PyzzicatoModel,
    average: WeightAverage,
    optimizer: torch.optim.Optimizer,
    progress: Progress,
) -> None:
    if not file.exists():
        return
    saved = torch.load(file, weights_only=True, map_location=model.device)
    model.load_state_dict(saved["model"])
    average.model.load_state_dict(saved["average"])
    optimizer.load_state_dict(saved["optimizer"])
    progress.load_state_dict(saved["progress"])
    torch.set_rng_state(saved["random"].cpu())
    if not math.isfinite(progress.best_loss):
        raise ValueError(f"{file} holds a run whose loss was not a number; start it anew")
