"""What moves the weights, and how fast."""

import math

import torch
from torch import nn

from ..models.model import PyzzicatoModel
from .muon import Muon
from .recipes import Settings
from .train_settings import TrainSettings


def learning_rate(step: int, settings: Settings) -> float:
    """Returns the rate of an update: linear warm-up, then a cosine down to a tenth of the peak.

    Or, with `decay_steps`, as it is until so many updates before the end, then straight down to 0.
    A function of the step alone, so a resumed run needs no scheduler's state. The shapes are
    Loshchilov & Hutter 2017, "SGDR", without restarts, and the warm-up, stable, decay of Hu et al.
    2024, "MiniCPM", arXiv:2404.06395.
    """
    warmup = min(1.0, (step + 1) / max(1, settings.warmup_steps))
    if settings.decay_steps:
        left = min(1.0, (settings.max_steps - step) / settings.decay_steps)
        return settings.learning_rate * warmup * left
    done = min(1.0, step / settings.max_steps)
    return settings.learning_rate * warmup * (0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * done)))


def build_optimizers(model: PyzzicatoModel, settings: TrainSettings) -> list[torch.optim.Optimizer]:
    """Returns what moves a model's weights, each weight in one of them.

    Muon takes the matrices and the convolutions of the backbone.
    """
    by_muon: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    learning = ((n, weight) for n, weight in model.named_parameters() if weight.requires_grad)
    for name, weight in learning:
        is_matrix = weight.ndim >= 2 and name.startswith("backbone.")
        (by_muon if is_matrix and settings.optimizer == "muon" else others).append(weight)
    rate, decay = settings.learning_rate, settings.weight_decay
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, rate, weight_decay=decay, fused=True)
    ]
    if by_muon:
        optimizers.append(Muon(by_muon, rate, weight_decay=decay))
    return optimizers
