"""The article's head: from a backbone's hidden vector to 88 keys, each on its own."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pitch import N_KEYS


class IndependentHead(nn.Module):
    """88 sigmoids: each key sounds or not, whatever the others do (the article's output).

    A key mostly goes on doing what it did. Each key's log-odds therefore get a learnt sum if it
    sounds in the present frame, and start as a copy of that frame: the network learns what changes
    and need not first learn, through all its layers, that most does not.

    Args:
        in_size: channels of the backbone.
        n_keys: keys of a frame, which follow the channels in what the head is given.
    """

    # Log-odds on MAESTRO's training rolls: a silent key starts in 0.7 % of frames, a sounding one
    # goes on in 91 %.
    _START = -5.0
    _GO_ON = 2.3

    def __init__(self, in_size: int, n_keys: int = N_KEYS) -> None:
        super().__init__()
        self.in_size = in_size
        self.out = nn.Linear(in_size, n_keys)
        self.stay = nn.Parameter(torch.full((n_keys,), self._GO_ON - self._START))
        nn.init.constant_(self.out.bias, self._START)

    def logits(self, seen: Tensor) -> Tensor:
        """Returns `(..., 88)` log-odds for `(..., C + 88)` hidden vectors and present frames."""
        logits: Tensor = self.out(seen[..., : self.in_size])
        return logits + self.stay * seen[..., self.in_size :]

    def nll(self, seen: Tensor, targets: Tensor) -> Tensor:
        """Returns `(B, T)` negative log-likelihoods in nats a frame, summed over the keys.

        Args:
            seen: `(B, T, C + 88)`.
            targets: `(B, T, 88)` zeros and ones.
        """
        logits = self.logits(seen)
        losses = F.binary_cross_entropy_with_logits(
            logits, targets.to(logits.dtype), reduction="none"
        )
        return losses.sum(-1)
