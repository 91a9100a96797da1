"""The article's head, 88 keys each on its own, with or without a memory along the keys."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .drawing import Controls, DrawSizes, guide, key_cuts, leave_way_on, limit_keys
from .pitch import N_KEYS, PitchNet


class IndependentHead(nn.Module):
    """88 sigmoids: each key sounds or not, whatever the others do (the article's output).

    A key mostly goes on doing what it did. Each key's log-odds therefore get a learnt sum if it
    sounds in the present frame, and start as a copy of that frame: the network learns what changes
    and need not first learn, through all its layers, that most does not.

    The article's head knows the past by the hidden vector alone. Given memories, a network along
    the keys reads them too, and the same interval says the same to every key.

    Args:
        in_size: channels of the backbone.
        n_planes: planes of keys that follow the channels in what the head is given; the first is
            the present frame.
        n_memories: how many of them, the last ones, are memories; 0 for the article's head.
        size: units of each key, where there are memories.
        dropout: share of the hidden vector and of the units dropped in training, likewise.
        n_keys: keys of a frame.
    """

    draw_sizes = DrawSizes(uniform=N_KEYS, numbers=1, logits=N_KEYS)

    # Log-odds on MAESTRO's training rolls: a silent key starts in 0.7 % of frames, a sounding one
    # goes on in 91 %.
    _START = -5.0
    _GO_ON = 2.3

    def __init__(
        self,
        in_size: int,
        n_planes: int = 1,
        n_memories: int = 0,
        size: int = 0,
        dropout: float = 0.0,
        n_keys: int = N_KEYS,
    ) -> None:
        super().__init__()
        self.in_size = in_size
        self.n_planes = n_planes
        self.net: PitchNet | None = None
        if n_memories:
            self.dropout = nn.Dropout(dropout)
            self.net = PitchNet(n_planes, n_memories, size, in_size, dropout=dropout)
            self.mix = nn.Linear(size, size)
            self.key = nn.Linear(size, 1, bias=False)
        self.out = nn.Linear(in_size, n_keys)
        self.stay = nn.Parameter(torch.full((n_keys,), self._GO_ON - self._START))
        nn.init.constant_(self.out.bias, self._START)

    def logits(self, seen: Tensor) -> Tensor:
        """Returns `(..., 88)` log-odds for `(..., C + 88 * F)` hidden vectors and planes."""
        hidden = seen[..., : self.in_size]
        # Nothing is learnt in the planes: no gradient is worked out for them.
        planes = seen[..., self.in_size :].detach().unflatten(-1, (-1, self.n_planes))
        if self.net is not None:
            hidden = self.dropout(hidden)
        logits: Tensor = self.out(hidden) + self.stay * planes[..., 0]
        if self.net is not None:
            # The network along the keys takes all steps of all pieces in one row.
            units = torch.relu(self.net(planes.flatten(0, -3), hidden.flatten(0, -2)))
            by_key = self.key(torch.relu(self.mix(self.dropout(units))))
            logits = logits + by_key.view_as(logits)
        return logits

    def draw(self, hidden: Tensor, planes: Tensor, controls: Controls) -> tuple[Tensor, Tensor]:
        """Returns the next frame `(88,)` and the log-odds of its keys `(V, 88)`.

        Args:
            hidden: `(V, C)`, the backbone's vector in each view.
            planes: `(1, 88, F)`.
            controls: how to draw.
        """
        each = planes.flatten(1).expand(hidden.shape[0], -1)
        log_odds = self.logits(torch.cat((hidden, each), dim=-1))
        guided = guide(log_odds, controls)
        present = planes[0, :, 0]
        controls = leave_way_on(present, controls)
        cuts = key_cuts(guided, present, controls)
        return (limit_keys(guided, present, controls) > cuts).long(), log_odds

    def nll(self, seen: Tensor, targets: Tensor) -> Tensor:
        """Returns `(B, T)` negative log-likelihoods in nats a frame, summed over the keys.

        Args:
            seen: `(B, T, C + 88 * F)`.
            targets: `(B, T, 88)` zeros and ones.
        """
        logits = self.logits(seen)
        losses = F.binary_cross_entropy_with_logits(
            logits, targets.to(logits.dtype), reduction="none"
        )
        return losses.sum(-1)
