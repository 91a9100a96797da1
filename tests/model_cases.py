"""The models that the shared suite tests: a new backbone, head or representation is a row here.

A row of `CASES` names the choices and what the backbone is documented to see; `STEPS` says how to
draw steps of a representation.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from conftest import tiny_config
from numpy.typing import NDArray
from slow_draws import note_logits
from torch import Tensor
from torch.nn import functional as F

from pyzzicato.models.drawing import SURE
from pyzzicato.models.independent_head import IndependentHead
from pyzzicato.models.joint_head import JointHead
from pyzzicato.models.model import Head, PyzzicatoModel
from pyzzicato.representations.event_bins import SIZES


@dataclass(frozen=True)
class Case:
    """One combination of representation, backbone and head.

    Attributes:
        backbone: its name.
        head: its name.
        representation: its name.
        config: further config values of the debug model.
        sees: steps the backbone's vector depends on, the present one included; None for all.
        rounding: how far sums in another order may be apart.
        is_exported: whether its graph is tested too; false where another row's says the same.
    """

    backbone: str
    head: str = "independent"
    representation: str = "roll"
    config: dict[str, Any] = field(default_factory=dict)
    sees: int | None = None
    rounding: float = 1e-5
    is_exported: bool = True

    def build(self, **choices: Any) -> PyzzicatoModel:
        """Returns an untrained model, ready for use."""
        choices = {**self.config, **choices}
        names = {name: getattr(self, name) for name in ("backbone", "head", "representation")}
        return PyzzicatoModel(tiny_config(**{**names, **choices})).eval()


CASES = {
    # n_layers * (kernel_size - 1) + 1
    "conv1d": Case("conv1d", config={"n_layers": 3, "kernel_size": 4}, sees=3 * 3 + 1),
    "conv1d, kernel 1": Case(
        "conv1d", config={"n_layers": 2, "kernel_size": 1}, sees=1, is_exported=False
    ),
    # (kernel_size - 1) * (2**n_layers - 1) + 1
    "wavenet": Case(
        "wavenet", config={"n_layers": 3, "kernel_size": 3}, sees=2 * 7 + 1, is_exported=False
    ),
    "wavenet, kernel 2": Case(
        "wavenet", config={"n_layers": 4, "kernel_size": 2}, sees=16, is_exported=False
    ),
    "lstm": Case("lstm", is_exported=False),
    "lstm, one layer": Case("lstm", config={"n_layers": 1, "dropout": 0.5}, is_exported=False),
    "conv1d, composers": Case(
        "conv1d", config={"composers": ["bach", "liszt"]}, sees=2 * 2 + 1, is_exported=False
    ),
    "wavenet, memories": Case(
        "wavenet", config={"spans": [3.0, 20.0], "densities": [4.0]}, sees=2 * 3 + 1
    ),
    "lstm, memories": Case(
        "lstm", config={"composers": ["bach", "liszt"], "spans": [5.0], "recent": 2}
    ),
    "conv1d, joint": Case(
        "conv1d", "joint", config={"recent": 1}, sees=2 * 2 + 1, is_exported=False
    ),
    "conv1d, recalls": Case(
        "conv1d", config={"spans": [5.0], "recent": 3, "recalls": [1, 3]}, sees=2 * 2 + 1
    ),
    "wavenet, chords": Case(
        "wavenet", config={"spans": [5.0], "chords": 2, "recalls": [2]}, sees=2 * 3 + 1
    ),
    "wavenet, joint": Case(
        "wavenet", "joint", config={"spans": [2.0], "recent": 5, "recalls": [1]}, sees=2 * 3 + 1
    ),
    "conv1d, joint with chords": Case("conv1d", "joint", config={"chords": 3}, sees=2 * 2 + 1),
    "lstm, joint": Case(
        "lstm", "joint", config={"composers": ["bach", "chopin"], "densities": [2.0, 9.0]}
    ),
    "conv1d, notes": Case("conv1d", "notes", "events", sees=2 * 2 + 1, is_exported=False),
    "wavenet, notes": Case(
        "wavenet", "notes", "events", config={"composers": ["bach", "satie"]}, sees=2 * 3 + 1
    ),
    "lstm, notes": Case(
        "lstm", "notes", "events", config={"spans": [3.0, 30.0], "recent": 1, "recalls": [2]}
    ),
    "lstm, notes that hear ends": Case("lstm", "notes", "events", config={"hears_ends": True}),
    "attention, notes": Case(
        "attention",
        "notes",
        "events",
        config={
            "dense_size": 16,
            "n_heads": 2,
            "view": 6,
            "endings": [2.0],
            "composers": ["bach", "liszt"],
            "hears_ends": True,
        },
        rounding=5e-4,
    ),
    "attention, notes that recall": Case(
        "attention",
        "notes",
        "events",
        config={
            "dense_size": 16,
            "n_heads": 4,
            "n_blocks": 1,
            "view": 5,
            "recall_heads": 2,
        },
        rounding=5e-4,
    ),
    "transformer, notes": Case(
        "transformer",
        "notes",
        "events",
        config={"dense_size": 16, "n_heads": 2, "view": 64, "endings": [2.0]},
        rounding=2e-3,
    ),
    "conv1d, notes that recall": Case(
        "conv1d", "notes", "events", config={"recent": 2, "recalls": [1, 2, 6]}, sees=2 * 2 + 1
    ),
}


def random_roll(batch: int, n: int) -> Tensor:
    """Returns `(B, T, 88)` frames with about four keys sounding."""
    return (torch.rand(batch, n, 88) < 0.05).to(torch.uint8)


def random_events(batch: int, n: int) -> Tensor:
    """Returns `(B, T, 4)` notes, each number drawn from all it can be."""
    numbers = [torch.randint(size, (batch, n)) for size in SIZES]
    return torch.stack(numbers, dim=-1).to(torch.uint8)


STEPS: dict[str, Callable[[int, int], Tensor]] = {"roll": random_roll, "events": random_events}


@torch.no_grad()
def livened(model: PyzzicatoModel) -> PyzzicatoModel:
    """Returns the model with weights that are far from a fresh model's: no part of it is still."""
    for weight in model.parameters():
        weight.add_(0.2 * torch.randn_like(weight))
    return model


@torch.no_grad()
def halved(model: PyzzicatoModel) -> PyzzicatoModel:
    """Returns the model with weights that float16 holds, so that its graph has the very same."""
    for weight in model.parameters():
        weight.copy_(weight.half())
    return model


@torch.no_grad()
def seen_by_head(
    model: PyzzicatoModel, steps: Tensor, composer: int = 0, density: int = 0
) -> Tensor:
    """Returns `(T, C + 88 * F)` of one piece `(1, T, A)`, from one whole-sequence pass."""
    start = model.start(1, torch.tensor([composer]), torch.tensor([density]))
    return model.hidden(steps, start)[0][0]


@torch.no_grad()
def logits_given(head: Head, seen: Tensor, steps: Tensor) -> Tensor:
    """Returns `(N, L)` logits of all that is drawn in a step, each given those before it.

    Args:
        head: of a model.
        seen: `(N, C + 88 * F)`, what it is given.
        steps: `(N, A)`, the steps that follow.
    """
    if isinstance(head, IndependentHead):
        return head.logits(seen)
    if isinstance(head, JointHead):
        return head.logits_given(seen, steps)
    return torch.cat(note_logits(head, seen, steps), dim=-1)


def sure(steps: Tensor) -> NDArray[np.float32]:
    """Returns `(T, L)` biases with which these steps `(T, A)` are drawn, whatever the logits."""
    if steps.shape[1] == 88:
        return np.where(steps.numpy() > 0, SURE, -SURE).astype(np.float32)
    chosen = [F.one_hot(steps[:, i].long(), size) for i, size in enumerate(SIZES)]
    return torch.cat(chosen, dim=1).numpy().astype(np.float32) * np.float32(SURE)
