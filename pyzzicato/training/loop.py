"""Training on prepared pieces: crops in, the best checkpoint out."""

from collections.abc import Container, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from accelerate.utils import set_seed  # type: ignore[import-untyped]
from numpy.typing import NDArray
from torch import Tensor

from ..checks import show_value
from ..hub import model_info
from ..hub.checkpoints import read_config
from ..hub.networks import open_network
from ..models.architecture import COMPOSERS
from ..models.config import PyzzicatoConfig
from ..models.model import PyzzicatoModel
from ..playing.decoding.density import note_density
from ..representations import representation_of
from .batches import CropSampler
from .fitting import Report, fit
from .growth import grow_weights
from .held_out import middle_crops
from .optimizers import build_optimizers, learning_rate
from .progress import Progress
from .recipes import Settings
from .run_folder import RunFolder
from .store import NoteStore
from .train_settings import LIMITS, TrainSettings


class PieceTask:
    """Learning from crops of prepared pieces (see `fitting.Task`).

    Args:
        store: prepared data with "train" and "validation" pieces.
        config: of the model.
        settings: the run.
        accelerator: one process or many.

    Raises:
        ValueError: if a split has no piece.
    """

    def __init__(
        self,
        store: NoteStore,
        config: PyzzicatoConfig,
        settings: TrainSettings,
        accelerator: Accelerator,
    ) -> None:
        self._store = store
        self._settings = settings
        self._accelerator = accelerator
        self._sampler = CropSampler(
            store,
            store.of_split("train", settings.composers or None),
            representation_of(config),
            settings,
            composer_numbers(config, known_composers(store, settings)),
            partial(density_number, config=config),
            config.ending_numbers if config.endings else None,
        )
        self._crops = held_out_crops(store, config, settings)
        self._as = config.composer_number(settings.eval_composer or None)
        self.clip_norm = settings.clip_norm
        self.accumulation = settings.gradient_accumulation
        self.eval_every = settings.eval_every
        self.eval_seconds = settings.eval_seconds
        self.averaging = settings.averaging

    def batch(self, number: int, process: int) -> Sequence[Tensor]:
        """Returns the crops of a batch, see `batches.Batch`."""
        return self._sampler.batch(number, process)

    def loss(self, model: Any, batch: Sequence[Tensor]) -> Tensor:
        """Returns mean nats a step."""
        loss: Tensor = model(*batch).loss
        return loss

    def rate(self, progress: Progress) -> float:
        """Returns the learning rate of the next update."""
        return learning_rate(progress.step, self._settings)

    def is_over(self, progress: Progress) -> bool:
        """Returns whether the updates are done or gain has stayed away too long."""
        return (
            progress.step >= self._settings.max_steps
            or progress.looks_without_gain >= self._settings.patience
        )

    def look(self, model: PyzzicatoModel) -> float:
        """Returns nats a step on the middles of the validation pieces."""
        return validation_loss(model, self._crops, self._accelerator, composer=self._as)

    def release(self) -> None:
        """Gives back the memory of the pages read so far."""
        self._store.release()


def train(
    store: NoteStore,
    settings: TrainSettings,
    out: Path,
    accelerator: Accelerator,
    report: Report | None = None,
    workers: int = 0,
) -> Progress:
    """Trains a model and leaves its best checkpoint, in Hub layout, in `out/best`.

    A run that was stopped goes on from its last checkpoint in `out` with the same losses as if it
    had not been stopped; its limits may be others then (`settings.LIMITS`).

    Args:
        store: prepared data with "train" and "validation" pieces.
        settings: the run.
        out: folder of the run.
        accelerator: one process or many.
        report: see `fitting.fit`.
        workers: likewise.

    Raises:
        ValueError: if a split has no piece, `out` holds a run with other settings, or the run
            cannot go on; the message says what is kept.
    """
    folder = RunFolder(out, accelerator)
    folder.check(settings.as_dict(), LIMITS)
    set_seed(settings.seed)
    config = settings.model_config(store.sustain)
    task = PieceTask(store, config, settings, accelerator)
    model = _first_weights(config, settings)
    optimizers = build_optimizers(model, settings)
    # Each process drops other activations.
    set_seed(settings.seed, device_specific=True)
    accelerator.wait_for_everyone()
    folder.claim(settings.as_dict())
    return fit(
        model,
        optimizers,
        task,
        folder,
        accelerator,
        report,
        save_weights,
        workers,
    )


def save_weights(model: PyzzicatoModel, folder: Path) -> None:
    """Writes a model in Hub layout, its weights rounded to float16: half the size, sound alike.

    They are read as float32, as its config says.
    """
    rounded = {name: w.half() for name, w in model.state_dict().items()}
    model.save_pretrained(folder, state_dict=rounded)


def density_number(steps: NDArray[np.uint8], config: PyzzicatoConfig) -> int:
    """Returns the number a model takes for the density of a passage `(T, A)`, 0 for any."""
    return config.density_number(note_density(steps, representation_of(config)))


def held_out_crops(
    store: NoteStore, config: PyzzicatoConfig, settings: Settings
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


def composer_numbers(config: PyzzicatoConfig, own: Iterable[str] = ()) -> dict[str, int]:
    """Returns the numbers of the composers a model knows, by their names in a store.

    Args:
        config: of the model.
        own: names beside those of `COMPOSERS` that stand for themselves: "my-band".

    Raises:
        ValueError: if a short name of the config is neither in `COMPOSERS` nor one of `own`.
    """
    known = {name: name for name in own} | COMPOSERS
    for name in config.composers or []:
        if name not in known:
            raise ValueError(
                f"composers must be of {', '.join(COMPOSERS)}, or composers of the prepared data; "
                f"got {show_value(name)}"
            )
    return {known[name]: config.composer_number(name) for name in config.composers or []}


def known_composers(store: NoteStore, settings: TrainSettings) -> set[str]:
    """Returns names that a model may be asked for: those in its data, and in what it starts from.

    A name that is misspelt in a recipe is in neither.
    """
    names = {piece.composer for piece in store.pieces}
    if settings.start_from:
        names |= {*(read_config(model_info(settings.start_from).folder).composers or [])}
    return names


def _first_weights(config: PyzzicatoConfig, settings: TrainSettings) -> PyzzicatoModel:
    """Returns a model as a run begins with it: fresh, or with the weights of another.

    It may have more than the other (see `grow_weights`); what is new has no effect at first.

    Raises:
        ValueError: if there is no such model, its weights do not fit the config, or only what is
            new is to learn and there is none or nothing else.
    """
    model, start_from = PyzzicatoModel(config), settings.start_from
    if start_from:
        try:
            start = open_network(model_info(start_from).folder)
            known = start.state_dict()
            model.load_state_dict(grow_weights(known, model))
        except RuntimeError as error:
            raise ValueError(
                "start_from must be a model of the same config as the run's, got "
                f"{show_value(start_from)}: "
                f"{error}"
            ) from error
        if settings.only_new:
            _hold(model, known)
    elif settings.only_new:
        raise ValueError("only_new needs a model to begin with, for what is not new: start_from")
    return model


def _hold(model: PyzzicatoModel, names: Container[str]) -> None:
    """Keeps weights from learning, by their names.

    Raises:
        ValueError: if none is left to learn.
    """
    for name, weight in model.named_parameters():
        weight.requires_grad = name not in names
    if not any(weight.requires_grad for weight in model.parameters()):
        raise ValueError(
            "only_new leaves nothing to learn: the model that the run starts from has all parts; "
            "give the recipe's model one more, or leave only_new out"
        )


@torch.no_grad()
def validation_loss(
    model: PyzzicatoModel,
    crops: list[NDArray[np.uint8]],
    accelerator: Accelerator,
    batch_size: int = 16,
    composer: int = 0,
) -> float:
    """Returns mean nats a step over `(T, A)` crops, T above 1; the processes share the work.

    The first step of each crop is seen and not scored. The only condition is the composer, by the
    number that the model has for him.
    """
    model.eval()
    total = np.zeros(2)
    mine = sorted(crops, key=len)[accelerator.process_index :: accelerator.num_processes]
    for first in range(0, len(mine), batch_size):
        group = mine[first : first + batch_size]
        longest = max(len(crop) for crop in group)
        padded = np.stack([np.pad(c, ((0, longest - len(c)), (0, 0))) for c in group])
        frames = torch.from_numpy(padded).to(accelerator.device)
        composers = torch.full((len(frames),), composer, device=frames.device)
        hidden, _ = model.hidden(frames[:, :-1], model.start(len(frames), composers))
        losses = model.head.nll(hidden, frames[:, 1:]).float().cpu().numpy()
        for row, crop in zip(losses, group, strict=True):
            total += row[: len(crop) - 1].sum(dtype=np.float64), len(crop) - 1
    if accelerator.num_processes > 1:
        # Not every device knows float64.
        mean = torch.tensor(total / max(1.0, total[1]), dtype=torch.float32)
        weight = torch.tensor(total[1], dtype=torch.float32)
        parts = accelerator.gather(torch.stack((mean[0], weight)).to(accelerator.device)[None])
        means, weights = parts.cpu().double().unbind(-1)
        return float((means * weights).sum() / weights.sum())
    return float(total[0] / total[1])
