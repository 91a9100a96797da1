"""The one model class: an embedding, a backbone and a head, chosen by the config."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel
from transformers.utils.generic import ModelOutput

from .config import PyzzicatoConfig
from .conv1d import Conv1dBackbone
from .embeddings import RollEmbedding
from .heads import IndependentHead, SamplingRule
from .lstm import LstmBackbone
from .wavenet import WaveNetBackbone

Backbone = Conv1dBackbone | WaveNetBackbone | LstmBackbone
BACKBONES: dict[str, type[Backbone]] = {
    "conv1d": Conv1dBackbone,
    "wavenet": WaveNetBackbone,
    "lstm": LstmBackbone,
}
EMBEDDINGS = {"roll": RollEmbedding}
HEADS = {"independent": IndependentHead}


@dataclass
class PyzzicatoOutput(ModelOutput):
    """What a forward pass gives.

    Attributes:
        loss: mean nats a step over the targets, where targets were given.
        logits: what the head predicts of the step after each step, `(B, T, 88)` on a roll.
        state: the backbone's state after the last step.
    """

    loss: Tensor | None = None
    logits: Tensor | None = None
    state: Any = None


class PyzzicatoModel(PreTrainedModel):
    """Predicts the next step of a piece from the steps so far.

    A step is one `(88,)` frame of a roll, zeros and ones. The same weights run over whole sequences
    (`forward`) and one step at a time with a carried state (`start`, `step`); the two agree.
    """

    config_class = PyzzicatoConfig
    base_model_prefix = "pyzzicato"
    main_input_name = "steps"

    def __init__(self, config: PyzzicatoConfig) -> None:
        super().__init__(config)
        self.embedding = EMBEDDINGS[config.representation]()
        self.backbone: Backbone = BACKBONES[config.backbone](self.embedding.out_size, config)
        self.head = HEADS[config.head](self.backbone.out_size)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Keeps what each module drew when it was built: transformers would draw N(0, 0.02)."""
        return None

    def start(self, batch_size: int = 1) -> Any:
        """Returns the state before the first step of `batch_size` pieces."""
        return self.backbone.start(batch_size)

    def hidden(self, steps: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Returns what the head sees and the state after the last step.

        That is `(B, T, C + 88)`: the backbone's hidden vector and the present frame, side by side.

        Args:
            steps: `(B, T, 88)`, T at least 1.
            state: from `start` or the call before.
        """
        x = self.embedding(steps, next(self.parameters()).dtype)
        hidden, state = self.backbone(x, state)
        return torch.cat((hidden, x), dim=-1), state

    def forward(
        self, steps: Tensor, targets: Tensor | None = None, state: Any = None, **_: Any
    ) -> PyzzicatoOutput:
        """Returns logits for the step after each step, and the loss where targets are given.

        Args:
            steps: `(B, T, 88)` zeros and ones.
            targets: `(B, T, 88)`, the step that follows each step.
            state: from `start` or an earlier output; None for the beginning of a piece.
        """
        hidden, state = self.hidden(steps, self.start(len(steps)) if state is None else state)
        loss = None if targets is None else self.head.nll(hidden, targets).mean()
        return PyzzicatoOutput(loss=loss, logits=self.head.logits(hidden), state=state)

    @torch.no_grad()
    def step(self, step: Tensor, state: Any) -> tuple[Tensor, Any]:
        """Returns what the head sees after one more step `(B, 88)`, and the state."""
        hidden, state = self.hidden(step[:, None], state)
        return hidden[:, 0], state

    @torch.no_grad()
    def sample(self, hidden: Tensor, rule: SamplingRule, generator: torch.Generator) -> Tensor:
        """Returns the next step `(B, 88)`, drawn or chosen, for `(B, C + 88)` of `step`."""
        return self.head.sample(hidden, rule, generator)
