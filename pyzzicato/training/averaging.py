"""The average of a model's weights as they move."""

import copy

import torch

from ..models.model import PyzzicatoModel


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
