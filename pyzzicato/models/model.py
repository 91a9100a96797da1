"""The one model class: an embedding, a backbone and a head, chosen by the config."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils.generic import ModelOutput

from .architecture import LOOKING_BACK
from .attention import AttentionBackbone, TransformerBackbone
from .config import PyzzicatoConfig
from .conv1d import Conv1dBackbone
from .drawing import Controls
from .embeddings import EventEmbedding, RollEmbedding
from .independent_head import IndependentHead
from .joint_head import JointHead
from .lstm import LstmBackbone
from .note_head import NoteHead
from .wavenet import WaveNetBackbone

Backbone = Conv1dBackbone | WaveNetBackbone | LstmBackbone | AttentionBackbone | TransformerBackbone
Embedding = RollEmbedding | EventEmbedding
Head = IndependentHead | JointHead | NoteHead
BACKBONES: dict[str, type[Backbone]] = {
    "conv1d": Conv1dBackbone,
    "wavenet": WaveNetBackbone,
    "lstm": LstmBackbone,
    "attention": AttentionBackbone,
    "transformer": TransformerBackbone,
}
EMBEDDINGS: dict[str, type[Embedding]] = {"roll": RollEmbedding, "events": EventEmbedding}
HEADS: dict[str, type[Head]] = {
    "independent": IndependentHead,
    "joint": JointHead,
    "notes": NoteHead,
}

CONDITION_SIZE = 32
"""Channels of the vector that holds the conditions of a piece."""
STEP_SCALE = 32.0
"""Conditions of a step start at zero, and are learnt so many times faster than the rest."""


class ModelState(NamedTuple):
    """All that a model carries from step to step.

    Attributes:
        condition: `(B, CONDITION_SIZE)`, the conditions of its piece as a vector; None for a model
            without any.
        past: the embedding's state.
        backbone: the backbone's.
    """

    condition: Tensor | None
    past: Any
    backbone: Any


@dataclass
class PyzzicatoOutput(ModelOutput):
    """What a forward pass gives.

    Attributes:
        loss: mean nats a step over the targets, where targets were given.
        nats: `(B, T)`, of each target, likewise.
        logits: where they were not, of the first thing the head decides of the step after each
            step: of every key, if no lower one sounds, on a roll `(B, T, 88)`; of the onset step
            of note events `(B, T, 57)`.
        state: after the last step.
    """

    loss: Tensor | None = None
    nats: Tensor | None = None
    logits: Tensor | None = None
    state: Any = None


class PyzzicatoModel(PreTrainedModel):
    """Predicts the next step of a piece from the steps so far.

    A step is one `(88,)` frame of a roll, zeros and ones, or one `(4,)` note event. The model runs
    over sequences, whole or cut, with a carried state; `export.py` exports one step of it.
    """

    config: PyzzicatoConfig
    config_class = PyzzicatoConfig
    base_model_prefix = "pyzzicato"
    main_input_name = "steps"

    def __init__(self, config: PyzzicatoConfig) -> None:
        super().__init__(config)
        self.embedding = EMBEDDINGS[config.representation].build(config)
        in_size = self.embedding.out_size
        # Number 0 is any composer, and any density.
        self.composers: nn.Embedding | None = None
        if config.composers:
            self.composers = nn.Embedding(1 + len(config.composers), CONDITION_SIZE)
        self.densities: nn.Embedding | None = None
        if config.densities:
            self.densities = nn.Embedding(1 + len(config.densities), CONDITION_SIZE)
            # They have no effect at first, so that a model without them can learn them later.
            nn.init.zeros_(self.densities.weight)
        # How much is left of the piece: number 0 does not say.
        self.endings: nn.Embedding | None = None
        if config.endings:
            self.endings = nn.Embedding(1 + len(config.endings), CONDITION_SIZE)
            nn.init.zeros_(self.endings.weight)
        is_conditioned = bool(self.condition_names)
        in_size += CONDITION_SIZE if is_conditioned else 0
        self.backbone: Backbone = BACKBONES[config.backbone](in_size, config)
        # The condition is used twice: before the backbone, and past it.
        self.manner: nn.Linear | None = None
        if is_conditioned:
            self.manner = nn.Linear(CONDITION_SIZE, self.backbone.out_size, bias=False)
        self.head = _build_head(config, self.backbone.out_size, self.embedding)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Keeps what each module drew when it was built: transformers would draw N(0, 0.02)."""
        return None

    def start(
        self,
        batch_size: int = 1,
        composers: Tensor | None = None,
        densities: Tensor | None = None,
    ) -> ModelState:
        """Returns the state before the first step of `batch_size` pieces.

        Args:
            batch_size: B.
            composers: `(B,)` whole numbers, 1 + the place in the config's list, 0 for any; None
                for any. Ignored by a model that knows no composers.
            densities: `(B,)` likewise, of how many notes a second the piece has.
        """
        anything = torch.zeros(batch_size, dtype=torch.long, device=self.device)
        numbers = {"composer": composers, "density": densities}
        return ModelState(
            self.condition(
                {name: anything if n is None else n for name, n in numbers.items()}, batch_size
            ),
            self.embedding.start(batch_size),
            self.backbone.start(batch_size),
        )

    @property
    def condition_tables(self) -> dict[str, nn.Embedding]:
        """Returns the vectors of each condition of a whole piece, by name."""
        tables = {"composer": self.composers, "density": self.densities}
        return {name: table for name, table in tables.items() if table is not None}

    @property
    def step_tables(self) -> dict[str, nn.Embedding]:
        """Returns the vectors of each condition of a step, by name."""
        tables = {"ending": self.endings}
        return {name: table for name, table in tables.items() if table is not None}

    @property
    def condition_names(self) -> list[str]:
        """Returns the names of the conditions, of a piece and of a step."""
        return [*self.condition_tables, *self.step_tables]

    def condition(self, numbers: Mapping[str, Tensor], batch_size: int) -> Tensor | None:
        """Returns the vector of the conditions, `(B, CONDITION_SIZE)`; None for nothing.

        Args:
            numbers: `(B,)` whole numbers by name, 0 for any; those it does not know are left out.
            batch_size: B.
        """
        vectors = [table(numbers[name]) for name, table in self.condition_tables.items()]
        if self.step_tables and not vectors:
            return next(self.parameters()).new_zeros(batch_size, CONDITION_SIZE)
        return sum(vectors[1:], vectors[0]) if vectors else None

    def hidden(
        self, steps: Tensor, state: ModelState, numbers: Mapping[str, Tensor] | None = None
    ) -> tuple[Tensor, ModelState]:
        """Returns what the head sees and the state after the last step.

        That is `(B, T, C + 88 * F)`: the backbone's hidden vector and the embedding's F planes of
        88 keys, side by side.

        Args:
            steps: `(B, T, A)`, T at least 1.
            state: from `start` or the call before.
            numbers: `(B, T)` whole numbers of what is known of each step, by name (`step_tables`):
                "ending", how much is left of the piece after it, see `Architecture.ending_numbers`.
        """
        dtype = next(self.parameters()).dtype
        x, planes, past = self.embedding(steps, state.past, dtype)
        hidden, backbone = self._run(x, state.condition, numbers or {}, state.backbone)
        seen = torch.cat((hidden, planes.flatten(2)), dim=-1)
        return seen, ModelState(state.condition, past, backbone)

    def _run(
        self, x: Tensor, condition: Tensor | None, numbers: Mapping[str, Tensor], state: Any
    ) -> tuple[Tensor, Any]:
        """Returns the backbone's hidden vectors `(B, T, C)` and its state."""
        given: Tensor | None = None
        if condition is not None:
            given = condition[:, None].expand(-1, x.shape[1], -1)
            for name, table in self.step_tables.items():
                number = numbers.get(name)
                if number is None:
                    number = torch.zeros(x.shape[:2], dtype=torch.long, device=x.device)
                # What is not known adds nothing. It is looked up all the same: processes that learn
                # together wait for the gradient of every weight.
                given = given + STEP_SCALE * table(number) * (number > 0)[..., None]
            # The seconds passed, where a backbone reads them, stay last.
            n_before = x.shape[-1] - int(self.config.backbone in LOOKING_BACK)
            x = torch.cat((x[..., :n_before], given, x[..., n_before:]), dim=-1)
        hidden, state = self.backbone(x, state)
        if self.manner is not None:
            hidden = hidden + self.manner(given)
        return hidden, state

    def play(
        self, step: Tensor, conditions: Mapping[str, Tensor], state: Any, controls: Controls
    ) -> tuple[Tensor, Tensor, Any]:
        """Takes a step of one piece and draws the next: what a graph does.

        Args:
            step: `(A,)`, the piece's latest.
            conditions: `(V,)` whole numbers by name: the conditions in each of the piece's
                views, the same piece with a composer and without.
            state: of the embedding, for 1 piece, and of the backbone, for V.
            controls: how to draw.

        Returns:
            The next step `(A,)`, logits `(V, L)` of all that was drawn, each given what was drawn
            before it, without bias, and the state.
        """
        past, backbone = state
        x, planes, past = self.embedding(step[None, None], past, torch.float32)
        n_views = controls.view_weights.shape[0]
        x = x.expand(n_views, -1, -1)
        numbers = {name: conditions[name][:, None] for name in self.step_tables}
        condition = self.condition(conditions, n_views)
        hidden, backbone = self._run(x, condition, numbers, backbone)
        drawn, logits = self.head.draw(hidden.squeeze(1), planes.squeeze(1), controls)
        return drawn, logits, (past, backbone)

    def forward(
        self,
        steps: Tensor,
        targets: Tensor | None = None,
        composers: Tensor | None = None,
        densities: Tensor | None = None,
        endings: Tensor | None = None,
        state: ModelState | None = None,
        **_: Any,
    ) -> PyzzicatoOutput:
        """Returns logits for the step after each step or, where targets are given, their loss.

        Args:
            steps: `(B, T, A)` frames, A = 88 zeros and ones, or note events, A = 4 numbers.
            targets: `(B, T, A)`, the step that follows each step.
            composers: `(B,)`, see `start`; used where no state is given.
            densities: `(B,)`, likewise.
            endings: `(B, T)`, see `hidden`.
            state: from `start` or an earlier output; None for the beginning of a piece.
        """
        numbers = {"ending": endings}
        seen, state = self.hidden(
            steps,
            self.start(len(steps), composers, densities) if state is None else state,
            {name: n for name, n in numbers.items() if n is not None},
        )
        if targets is None:
            return PyzzicatoOutput(logits=self.head.logits(seen), state=state)
        nats = self.head.nll(seen, targets)
        return PyzzicatoOutput(loss=nats.mean(), nats=nats, state=state)


def _build_head(config: PyzzicatoConfig, in_size: int, seen: Embedding) -> Head:
    sizes = (in_size, seen.n_planes, seen.n_memories, config.head_size, config.dropout)
    return HEADS[config.head](*sizes, **seen.head_sizes)
