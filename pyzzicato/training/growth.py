"""Weights of a model for one that takes more: what is new has no effect at first."""

from collections.abc import Mapping

import torch
from torch import Tensor

from ..models.model import PyzzicatoModel

_READER = "head.net.conv1.weight"
_COMPOSERS = "composers.weight"
_NEW_PARTS = (
    "densities.",
    "endings.",
    "embedding.soft_recall.",
    "backbone.blocks.",
    "head.net.soft.",
    "head.recalled.",
    "head.net.held.",
    "head.onset_ends.",
    "head.duration_ends.",
)


def grow_weights(weights: Mapping[str, Tensor], model: PyzzicatoModel) -> dict[str, Tensor]:
    """Returns weights with which a model does what the one did that they are from.

    The model may know more composers than the other, after those, each of whom is nobody in
    particular at first. It may have densities, endings, chords, recalls, a learnt recall, attention
    and an ear for ends that the other did not have. Where it has no recalls those of the other are
    left out: that changes what it does, and so does a learnt recall, which is of use at once.
    Whatever else differs is left as it is, for torch to complain of.

    Args:
        weights: of the other model.
        model: the one that is to have them.
    """
    wanted = model.state_dict()
    grown = {name: w for name, w in wanted.items() if name.startswith(_NEW_PARTS)}
    grown |= weights
    if _COMPOSERS in weights and _COMPOSERS in wanted:
        known = weights[_COMPOSERS]
        n_more = max(0, len(wanted[_COMPOSERS]) - len(known))
        grown[_COMPOSERS] = torch.cat((known, known[:1].expand(n_more, -1)))
    n_recent, n_chords = model.config.n_recent, model.config.chords
    n_recalls = len(model.config.recalls or [])
    # The planes: recent steps, chords, what is recalled, memories. By how many are new, where.
    places = {n_recalls: n_recent + n_chords, n_chords + n_recalls: n_recent}
    if _READER in grown and _READER in wanted:
        n_new = wanted[_READER].shape[1] - grown[_READER].shape[1]
        if n_new < 0 and not n_recalls:
            last = n_recent + n_chords - n_new
            grown[_READER] = torch.cat(
                (grown[_READER][:, : n_recent + n_chords], grown[_READER][:, last:]), dim=1
            )
        elif n_new in places:
            before, after = grown[_READER].tensor_split([places[n_new]], dim=1)
            new = torch.zeros_like(wanted[_READER][:, :n_new])
            grown[_READER] = torch.cat((before, new, after), dim=1)
    return grown
