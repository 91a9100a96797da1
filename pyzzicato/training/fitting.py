"""The one training loop: one process or many, stopped and resumed at will."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from ..models.model import PyzzicatoModel
from .averaging import WeightAverage
from .memory import keep_freed_memory
from .progress import Progress
from .run_folder import RunFolder

Report = Callable[[int, dict[str, float]], None]

# On an accelerator losses are read this often: each reading waits until all work is done.
_READ_EVERY = 20


class Task(Protocol):
    """What is learnt, from what, and until when.

    Attributes:
        clip_norm: gradients longer than this are shortened to it.
        accumulation: batches an update.
        eval_every: updates between two looks.
        eval_seconds: a look follows after so many seconds at the latest; 0 for no such limit.
        averaging: what the average of the weights keeps of itself at each update; 0 for none.
    """

    clip_norm: float
    accumulation: int
    eval_every: int
    eval_seconds: float
    averaging: float

    def batch(self, number: int, process: int) -> Sequence[Tensor]:
        """Returns batch `number` of a process; it depends on the two alone."""
        ...

    def loss(self, model: Any, batch: Sequence[Tensor]) -> Tensor:
        """Returns the mean loss of a batch that is on the model's device."""
        ...

    def rate(self, progress: Progress) -> float:
        """Returns the learning rate of the next update."""
        ...

    def is_over(self, progress: Progress) -> bool:
        """Returns whether the run has reached a limit."""
        ...

    def look(self, model: PyzzicatoModel) -> float:
        """Returns the validation loss of a model; all processes are asked."""
        ...

    def release(self) -> None:
        """Gives back memory that batches have taken."""
        ...


class _Ahead(IterableDataset[Sequence[Tensor]]):
    """Batches from one number on, each worker process making its share of them."""

    def __init__(self, task: Task, first: int, process: int) -> None:
        self._task, self._first, self._process = task, first, process

    def __iter__(self) -> Iterator[Sequence[Tensor]]:
        worker = get_worker_info()
        place, stride = (0, 1) if worker is None else (worker.id, worker.num_workers)
        number = self._first + place
        while True:
            yield self._task.batch(number, self._process)
            number += stride
            if number % 50 < stride:
                # Memory-mapped pages would add up to all of the data.
                self._task.release()


def fit(
    model: PyzzicatoModel,
    optimizers: Sequence[torch.optim.Optimizer],
    task: Task,
    folder: RunFolder,
    accelerator: Accelerator,
    report: Report | None = None,
    write: Callable[[PyzzicatoModel, Path], object] | None = None,
    workers: int = 0,
) -> Progress:
    """Trains a model, or goes on from the folder's last checkpoint with the losses it would have.

    Args:
        model: as the run begins.
        optimizers: of its weights.
        task: what is learnt.
        folder: of the run.
        accelerator: one process or many.
        report: called after updates with their number and figures (loss, learning_rate,
            gradient_norm), and after looks (validation, training, best).
        write: writes the model, or its average, into a folder, in Hub layout; None to keep no best.
        workers: processes that make batches ahead of time, for each that trains; 0 to make them
            in between.

    Raises:
        ValueError: if a loss is not a number, a checkpoint cannot be written or read, or another
            number of processes began the run.
    """
    if accelerator.device.type == "cpu":
        keep_freed_memory()
    trained, *prepared = accelerator.prepare(model, *optimizers)
    progress = Progress()
    accelerator.register_for_checkpointing(progress)
    plain: PyzzicatoModel = accelerator.unwrap_model(trained)
    average = WeightAverage(plain, task.averaging) if task.averaging else None
    if average is not None:
        accelerator.register_for_checkpointing(average.model)
    folder.resume()
    _check_processes(progress, accelerator)

    began = time.monotonic() - progress.seconds
    losses: list[float] = []
    unread: list[tuple[int, dict[str, Tensor | float]]] = []
    ahead = _batches(task, progress.step, accelerator, workers)
    while not task.is_over(progress):
        rate = task.rate(progress)
        for group in (group for optimizer in prepared for group in optimizer.param_groups):
            group["lr"] = rate
        figures = _update(trained, prepared, task, ahead, accelerator)
        progress.step += 1
        progress.seconds = time.monotonic() - began
        if average is not None:
            average.update(plain, progress.step)
        unread.append((progress.step, {**figures, "learning_rate": rate}))
        looks = _is_due(task, progress, accelerator)
        if looks or len(unread) >= _READ_EVERY or accelerator.device.type == "cpu":
            losses += _read(unread, folder, report)
        if looks:
            chosen = plain if average is None else average.model
            progress.note_look(float(np.mean(losses)), task.look(chosen))
            losses.clear()
            progress.seconds = time.monotonic() - began
            if progress.best_step == progress.step and accelerator.is_main_process and write:
                folder.save_best(progress.step, partial(write, chosen))
            folder.save(progress.step)
            if report is not None:
                latest = progress.curve[-1]
                shown = {name: latest[name] for name in ("validation", "training")}
                report(progress.step, {**shown, "best": progress.best_loss})
    return progress


def _is_due(task: Task, progress: Progress, accelerator: Accelerator) -> bool:
    """Returns whether a look follows the update that was just done."""
    if progress.step % task.eval_every == 0 or task.is_over(progress):
        return True
    # Clocks differ, and all processes must look at once.
    if not task.eval_seconds or accelerator.num_processes > 1:
        return False
    return progress.seconds - progress.looked_at >= task.eval_seconds


def _batches(
    task: Task, step: int, accelerator: Accelerator, workers: int
) -> Iterator[Sequence[Tensor]]:
    source = _Ahead(task, step * task.accumulation, accelerator.process_index)
    if not workers:
        return iter(source)
    on_gpu = accelerator.device.type == "cuda"
    # A generator of its own, so that dropout draws the same with workers and without.
    loader = DataLoader(
        source,
        batch_size=None,
        num_workers=workers,
        pin_memory=on_gpu,
        generator=torch.Generator(),
    )
    return iter(loader)


def _update(
    model: Any,
    optimizers: Sequence[Any],
    task: Task,
    batches: Iterator[Sequence[Tensor]],
    accelerator: Accelerator,
) -> dict[str, Tensor | float]:
    model.train()
    total: Tensor | float = 0.0
    for i in range(task.accumulation):
        parts = [part.to(accelerator.device, non_blocking=True) for part in next(batches)]
        if i + 1 < task.accumulation:
            with accelerator.no_sync(model):
                total = total + _learn(model, task, parts, accelerator)
        else:
            total = total + _learn(model, task, parts, accelerator)
    norm = accelerator.clip_grad_norm_(model.parameters(), task.clip_norm)
    for optimizer in optimizers:
        optimizer.step()
        optimizer.zero_grad()
    return {"loss": total, "gradient_norm": norm}


def _learn(model: Any, task: Task, parts: Sequence[Tensor], accelerator: Accelerator) -> Tensor:
    with accelerator.autocast():
        loss = task.loss(model, parts) / task.accumulation
    accelerator.backward(loss)
    return loss.detach()


def _read(
    unread: list[tuple[int, dict[str, Tensor | float]]], folder: RunFolder, report: Report | None
) -> list[float]:
    """Returns the losses of the updates that were not read yet."""
    losses = []
    for step, figures in unread:
        read = {name: float(value) for name, value in figures.items()}
        if not math.isfinite(read["loss"]):
            folder.refuse_loss(step, read["loss"])
        losses.append(read["loss"])
        if report is not None:
            report(step, read)
    unread.clear()
    return losses


def _check_processes(progress: Progress, accelerator: Accelerator) -> None:
    n = accelerator.num_processes
    if progress.processes not in (0, n):
        raise ValueError(
            f"the run was begun by {progress.processes} processes and must go on with as many, got "
            f"{n}; each draws crops of its own"
        )
    progress.processes = n
