"""Plays a model one step at a time: what `PyzzicatoModel` gives for whole sequences, in numpy."""

from collections.abc import Sequence
from typing import cast

import numpy as np
from numpy.typing import NDArray
from torch import nn

from .backbone_steps import Dense, Vector, as_array, step_backbone
from .draws import Draw, IndependentDraw, JointDraw, NoteDraw, Step
from .embeddings import EventEmbedding, RollEmbedding
from .heads import IndependentHead
from .joint_head import JointHead
from .model import PyzzicatoModel
from .note_head import NoteHead
from .pitch_steps import EventPast, FirstLayer, RollPast
from .rules import SamplingRule


class Stepper:
    """One piece as a model hears and plays it: takes a step, draws the next.

    Its cost a step does not grow with what was heard, but for the search of a model that recalls,
    which is short (`recall.py`). The weights are the model's own and must not
    change while it plays.

    Args:
        model: any model, on any device; the work is done on the CPU.
        composers: the piece's views, each by the number of its composer, 0 for any: one, or with
            guidance the composer's and 0.
        density: number of the piece's density, the same in all views, 0 for any.
    """

    def __init__(
        self, model: PyzzicatoModel, composers: Sequence[int] = (0,), density: int = 0
    ) -> None:
        self._past, self._draw = _past_and_draw(model)
        self._views = [_View(model, number, density) for number in composers]
        self.hidden: list[Vector] = []

    def take(self, step: Step) -> None:
        """Takes one more step `(A,)`, heard or played."""
        x = self._past.take(step)
        self.hidden = [view.take(x) for view in self._views]

    def hear(self, steps: NDArray[np.uint8]) -> None:
        """Takes steps `(T, A)`, one after the other."""
        for step in steps:
            self.take(step)

    def draw(self, rule: SamplingRule, rng: np.random.Generator, at_least: int = 0) -> Step:
        """Returns the next step `(A,)`, drawn or chosen; `take` it for the piece to go on.

        Args:
            rule: how to draw.
            rng: of the draws.
            at_least: on note events the lowest onset step allowed.
        """
        assert self.hidden, "a piece begins with a step that is heard"
        return self._draw(self.hidden, rule, rng, at_least)


class _View:
    """The backbone with what it is told: a composer, or any, and a density, or any."""

    def __init__(self, model: PyzzicatoModel, composer: int, density: int) -> None:
        self._backbone = step_backbone(model.backbone)
        told = [
            as_array(table.weight)[number]
            for table, number in ((model.composers, composer), (model.densities, density))
            if table is not None
        ]
        self._condition: Vector | None = None
        if model.manner is not None:
            self._condition = sum(told[1:], told[0])
            self._manner = Dense(model.manner)(self._condition)

    def take(self, x: Vector) -> Vector:
        if self._condition is None:
            return self._backbone(x)
        return self._backbone(np.concatenate((x, self._condition))) + self._manner


def _past_and_draw(model: PyzzicatoModel) -> tuple[RollPast | EventPast, Draw]:
    """Returns what a model remembers of a piece, and its head, which reads it."""
    embedding, head = model.embedding, model.head
    if isinstance(head, IndependentHead) and head.net is None:
        plain = RollPast(None)
        return plain, IndependentDraw(head, plain)
    assert head.net is not None and embedding.memory is not None  # what reads memories has them
    layer = FirstLayer(head.net, embedding.memory)
    recalls = model.config.recalls or []
    if isinstance(embedding, RollEmbedding):
        frames = RollPast(layer, embedding.n_recent, embedding.n_chords, recalls)
        if isinstance(head, JointHead):
            return frames, JointDraw(head, frames)
        assert isinstance(head, IndependentHead)
        return frames, IndependentDraw(head, frames)
    assert isinstance(embedding, EventEmbedding) and isinstance(head, NoteHead)
    tables = [as_array(cast(nn.Embedding, table).weight) for table in embedding.tables]
    events = EventPast(tables, layer, embedding.n_recent, recalls)
    return events, NoteDraw(head, events)
