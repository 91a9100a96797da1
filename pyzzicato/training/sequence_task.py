"""Learning a piano-roll benchmark in the one training loop.

Weights are averaged as they move, so the rate of learning need not fall by the clock and a run may
end at any time: the average is what is looked at, saved and used. It may fall where looks find no
gain (`rate_decay`).
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from torch import Tensor

from ..models.model import PyzzicatoModel
from .fitting import Report, fit
from .progress import Progress
from .run_folder import RunFolder
from .sequence_settings import SEQUENCE_LIMITS, SequenceSettings
from .sequences import Frames, SequenceBatches

Look = Callable[[PyzzicatoModel], float]


class SequenceTask:
    """Learning from whole pieces (see `fitting.Task`).

    Args:
        pieces: `(T, 88)` training pieces.
        settings: the run.
        look: returns the validation loss of a model.
    """

    def __init__(self, pieces: Sequence[Frames], settings: SequenceSettings, look: Look) -> None:
        self._batches = SequenceBatches(pieces, settings)
        self._settings = settings
        self._look = look
        self.clip_norm = settings.clip_norm
        self.accumulation = 1
        self.eval_every = settings.eval_every
        self.eval_seconds = 0.0
        self.averaging = settings.averaging

    def batch(self, number: int, process: int) -> Sequence[Tensor]:
        """Returns frames and which targets are real, see `SequenceBatches`."""
        return self._batches.batch(number)

    def loss(self, model: Any, batch: Sequence[Tensor]) -> Tensor:
        """Returns the total loss over total frames."""
        frames, mask = batch
        hidden, _ = model.hidden(frames[:, :-1], model.start(len(frames)))
        loss: Tensor = model.head.nll(hidden, frames[:, 1:])[mask].mean()
        return loss

    def rate(self, progress: Progress) -> float:
        """Returns the learning rate of the next update."""
        return learning_rate(progress, self._settings)

    def is_over(self, progress: Progress) -> bool:
        """Returns whether updates, time or patience are used up."""
        return (
            progress.step >= self._settings.max_steps
            or progress.seconds >= 60 * self._settings.max_minutes
            or progress.looks_without_gain >= self._settings.patience
        )

    def look(self, model: PyzzicatoModel) -> float:
        """Returns the validation loss."""
        return self._look(model)

    def release(self) -> None:
        """Does nothing: the pieces are in memory."""


def learn_sequences(
    model: PyzzicatoModel,
    pieces: Sequence[Frames],
    settings: SequenceSettings,
    out: Path,
    look: Look,
    accelerator: Accelerator,
    report: Report | None = None,
) -> Progress:
    """Trains a model; leaves the average of its weights that validates best in `out/best`.

    A run that was stopped goes on with the losses it would have had; a finished one goes on if its
    limits were raised.

    Args:
        model: freshly built.
        pieces: `(T, 88)` training pieces.
        settings: the run.
        out: folder of the run.
        look: returns the validation loss of a model.
        accelerator: of one process.
        report: see `fitting.fit`.

    Raises:
        ValueError: if `out` holds a run with other settings, or the run cannot go on.
    """
    folder = RunFolder(out, accelerator)
    folder.check(settings.as_dict(), SEQUENCE_LIMITS)
    task = SequenceTask(pieces, settings, look)
    folder.claim(settings.as_dict())
    optimizers = [_optimizer(model, settings)]
    return fit(
        model,
        optimizers,
        task,
        folder,
        accelerator,
        report,
        PyzzicatoModel.save_pretrained,
    )


def learning_rate(progress: Progress, settings: SequenceSettings) -> float:
    """Returns the rate of the next update."""
    warmup = min(1.0, (progress.step + 1) / max(1, settings.warmup_steps))
    best, in_vain = math.inf, 0
    for look in progress.curve:
        in_vain += look["validation"] >= best
        best = min(best, look["validation"])
    return settings.learning_rate * warmup * settings.rate_decay**in_vain


def _optimizer(model: PyzzicatoModel, settings: SequenceSettings) -> torch.optim.Optimizer:
    """Returns AdamW; biases and other single numbers a channel are left free of weight decay."""
    groups: list[dict[str, Any]] = [
        {"params": [p for p in model.parameters() if p.ndim >= 2]},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    rate, decay = settings.learning_rate, settings.weight_decay
    return torch.optim.AdamW(groups, lr=rate, weight_decay=decay)
