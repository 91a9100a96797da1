"""Learning from one's own playing: the model comes to prefer what an adversary takes for real.

After likelihood training a model plays on from its own notes for the first time when it is used. In
this stage it hears itself: it carries on seeds of training pieces, an adversary judges the takes
(`own_takes.py`), and of each seed the least suspicious take and the most suspicious one make a
pair. The weights are moved so that the one becomes likelier and the other less so, against what
they were when the takes were played (direct preference optimisation: Rafailov et al. 2023,
arXiv:2305.18290), while the composers' own continuations stay as likely as they were.

Adversarial training for sequences, with pairs in the place of a policy's reward (Yu et al. 2017,
"SeqGAN", arXiv:1609.05473).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from accelerate import Accelerator  # type: ignore[import-untyped]
from accelerate.utils import set_seed  # type: ignore[import-untyped]
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from ..hub import load_model, model_info
from ..hub.networks import open_network
from ..models.model import PyzzicatoModel
from ..representations import Steps
from .fitting import Report, fit
from .loop import held_out_crops, save_weights, validation_loss
from .optimizers import learning_rate
from .own_takes import TakesOfSeed, draw_seeds, play_takes, suspicion
from .preference_settings import PreferenceSettings
from .progress import Progress
from .run_folder import RunFolder
from .store import NoteStore

TAKES = "takes"
"""Folder of a run that holds what was played."""


class Pair(NamedTuple):
    """Two takes of one seed, and the composer's own notes.

    Attributes:
        sequences: `(T, A)` steps of the take that is preferred, of the other, and the composer's.
        n_seed: how many of them are the seed.
        density: number the model was given.
        reference: nats of the two takes, as the model that played them has it.
    """

    sequences: tuple[Steps, Steps, Steps]
    n_seed: int
    density: int
    reference: tuple[float, float]


class Batch(NamedTuple):
    """Pairs as tensors; the rows are all preferred takes, all others, all of the composers.

    Attributes:
        steps: `(3 B, T, A)` uint8.
        counted: `(3 B, T - 1)`, 1 for each step after the seed that is there, from the second on.
        densities: `(3 B,)`.
        reference: `(2, B)`.
    """

    steps: Tensor
    counted: Tensor
    densities: Tensor
    reference: Tensor


class PreferenceTask:
    """Learning from pairs (see `fitting.Task`).

    Args:
        pairs: one or more.
        settings: of the stage.
        accelerator: one process or many.
        crops: `(T, A)` of held-out pieces, looked at in the end.
    """

    averaging = 0.0
    eval_seconds = 0.0

    def __init__(
        self,
        pairs: Sequence[Pair],
        settings: PreferenceSettings,
        accelerator: Accelerator,
        crops: list[NDArray[np.uint8]],
    ) -> None:
        self._pairs = pairs
        self._settings = settings
        self._accelerator = accelerator
        self._crops = crops
        self.clip_norm = settings.clip_norm
        self.accumulation = settings.gradient_accumulation
        # The last weights are kept: what is likelier of the composers is not what is sought.
        self.eval_every = settings.max_steps

    def batch(self, number: int, process: int) -> Sequence[Tensor]:
        """Returns the pairs of a batch; all pairs come before one comes again."""
        size = self._settings.batch_size
        first = size * (number * self._accelerator.num_processes + process)
        chosen = []
        for place in range(first, first + size):
            time, within = divmod(place, len(self._pairs))
            rng = np.random.default_rng([self._settings.seed, time])
            chosen.append(self._pairs[rng.permutation(len(self._pairs))[within]])
        return stack(chosen, self._settings.most_steps)

    def loss(self, model: Any, batch: Sequence[Tensor]) -> Tensor:
        """Returns the loss of preferring, and of the composers' notes, added up."""
        steps, counted, densities, reference = batch
        nats = model(steps[:, :-1], steps[:, 1:], densities=densities).nats.float() * counted
        preferred, other, _ = nats.sum(1).chunk(3)
        gained = (reference[0] - preferred) - (reference[1] - other)
        preference = -F.logsigmoid(self._settings.strength * gained).mean()
        real, n_real = nats.chunk(3)[2].sum(), counted.chunk(3)[2].sum()
        loss: Tensor = preference + self._settings.likelihood * real / n_real
        return loss

    def rate(self, progress: Progress) -> float:
        """Returns the learning rate of the next update."""
        return learning_rate(progress.step, self._settings)

    def is_over(self, progress: Progress) -> bool:
        """Returns whether the updates are done."""
        return progress.step >= self._settings.max_steps

    def look(self, model: PyzzicatoModel) -> float:
        """Returns nats a step on the middles of the validation pieces."""
        return validation_loss(model, self._crops, self._accelerator)

    def release(self) -> None:
        """Has nothing to give back."""


def stack(pairs: Sequence[Pair], most_steps: int) -> Batch:
    """Returns pairs as tensors, each sequence cut after `most_steps`."""
    rows = [(its.sequences[kind], its.n_seed) for kind in range(3) for its in pairs]
    n_steps = min(most_steps, max(len(steps) for steps, _ in rows))
    padded = np.zeros((len(rows), n_steps, rows[0][0].shape[1]), np.uint8)
    counted = np.zeros((len(rows), n_steps - 1), np.float32)
    for row, (steps, n_seed) in enumerate(rows):
        n = min(len(steps), n_steps)
        padded[row, :n] = steps[:n]
        counted[row, n_seed - 1 : n - 1] = 1
    return Batch(
        torch.from_numpy(padded),
        torch.from_numpy(counted),
        torch.tensor([its.density for _ in range(3) for its in pairs]),
        torch.tensor([its.reference for its in pairs]).T.contiguous(),
    )


@torch.no_grad()
def make_pairs(
    model: PyzzicatoModel,
    seeds: Sequence[TakesOfSeed],
    settings: PreferenceSettings,
    accelerator: Accelerator,
) -> list[Pair]:
    """Returns the best take and the worst of each seed, and what they cost the model that played.

    Args:
        model: with the weights that the takes were played with.
        seeds: and their takes.
        settings: of the stage.
        accelerator: says on what and how precisely it is worked out.

    Raises:
        ValueError: if the adversary makes no difference between takes.
    """
    model.eval().to(accelerator.device)
    pairs = []
    for its, scores in zip(seeds, suspicion(seeds), strict=True):
        if scores.min() == scores.max():
            continue
        best, worst = its.takes[int(np.argmin(scores))], its.takes[int(np.argmax(scores))]
        pair = Pair((best, worst, its.real), its.n_seed, its.density, (0.0, 0.0))
        steps, counted, densities, _ = (
            part.to(accelerator.device) for part in stack([pair], settings.most_steps)
        )
        with accelerator.autocast():
            nats = model(steps[:2, :-1], steps[:2, 1:], densities=densities[:2]).nats
        cost = (nats.float() * counted[:2]).sum(1).tolist()
        pairs.append(pair._replace(reference=(cost[0], cost[1])))
    if not pairs:
        raise ValueError("the adversary finds all takes of a seed alike; choose more seeds")
    return pairs


def play_all(
    store: NoteStore, settings: PreferenceSettings, out: Path, accelerator: Accelerator
) -> list[TakesOfSeed]:
    """Returns takes of all seeds; those that are in the folder already are kept.

    The processes share the work.

    Args:
        store: prepared data.
        settings: of the stage.
        out: folder for the takes.
        accelerator: one process or many.

    Raises:
        ValueError: if no training piece is long enough, or a file is damaged.
    """
    model = load_model(settings.start_from)
    lengths = settings.seed_seconds, settings.seconds
    drawn = draw_seeds(store, settings.seeds, *lengths, settings.seed)
    out.mkdir(parents=True, exist_ok=True)
    files = {number: out / f"{number:06d}.npz" for number in drawn}
    mine = [*drawn][accelerator.process_index :: accelerator.num_processes]
    is_main = accelerator.is_main_process
    for number in tqdm(mine, desc="seeds carried on", disable=not is_main):
        if not files[number].exists():
            play_takes(model, *drawn[number], settings.takes, number).write(files[number])
    accelerator.wait_for_everyone()
    return [TakesOfSeed.read(file) for file in files.values()]


def prefer(
    store: NoteStore,
    settings: PreferenceSettings,
    out: Path,
    accelerator: Accelerator,
    report: Report | None = None,
) -> Progress:
    """Lets a model learn from its own playing; leaves it, in Hub layout, in `out/best`.

    A run that was stopped keeps the takes it has played.

    Args:
        store: prepared data with "train" and "validation" pieces.
        settings: of the stage; `start_from` is a model that can play.
        out: folder of the run.
        accelerator: one process or many.
        report: see `fitting.fit`.

    Raises:
        ValueError: if there is no such model or too little music, or `out` holds another run.
    """
    if not settings.start_from:
        raise ValueError("start_from must name the model that learns from its playing, got ''")
    folder = RunFolder(out, accelerator)
    folder.check(settings.as_dict(), ("precision",))
    start = model_info(settings.start_from).folder
    model = open_network(start)
    folder.claim(settings.as_dict())
    seeds = play_all(store, settings, out / TAKES, accelerator)
    if len({its.piece for its in seeds}) < 10:
        raise ValueError(
            f"seeds must be of 10 different pieces at least, got {len({s.piece for s in seeds})}; "
            "an adversary learns nothing from fewer"
        )
    pairs = make_pairs(model, seeds, settings, accelerator)
    crops = held_out_crops(store, model.config, settings)
    set_seed(settings.seed, device_specific=True)
    optimizer = torch.optim.AdamW(
        model.parameters(), settings.learning_rate, betas=(0.9, 0.98), weight_decay=0.0
    )
    return fit(
        model,
        [optimizer],
        PreferenceTask(pairs, settings, accelerator, crops),
        folder,
        accelerator,
        report,
        save_weights,
    )
