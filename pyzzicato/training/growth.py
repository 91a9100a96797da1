"""Weights of a model for one that is told or shown more: what is new says nothing at first."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..models import PyzzicatoModel

_READER = "head.net.conv1.weight"


def grow_weights(weights: Mapping[str, Tensor], model: PyzzicatoModel) -> dict[str, Tensor]:
    """Returns weights with which a model does what the one did that they are from.

    The model may have densities and recalls that the other did not have. Whatever else differs is
    left as it is, for torch to complain of.

    Args:
        weights: of the other model.
        model: the one that is to have them.
    """
    wanted = model.state_dict()
    grown = {name: w for name, w in wanted.items() if name.startswith("densities.")}
    grown |= weights
    n_new = len(model.config.recalls or [])
    if n_new and _READER in grown and grown[_READER].shape[1] == wanted[_READER].shape[1] - n_new:
        # The planes: recent steps, what is recalled, memories.
        recent, memories = grown[_READER].tensor_split([model.config.n_recent], dim=1)
        new = torch.zeros_like(wanted[_READER][:, :n_new])
        grown[_READER] = torch.cat((recent, new, memories), dim=1)
    return grown
