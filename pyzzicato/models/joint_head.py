"""The joint head of a roll: the keys of a frame, each given the keys below it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pitch import N_KEYS, PitchNet


class JointHead(nn.Module):
    """88 keys in ascending order, each given the hidden vector, the past and the keys below it.

    The distribution of a frame is factorised as in NADE (Larochelle & Murray 2011) and RNN-NADE
    (Boulanger-Lewandowski et al. 2012), with weights shared along the keys: what a lower key says
    to a higher one depends on the interval between them. Each key has `size` units,

        z[k] = net(planes, hidden)[k] + sum over j < k of below[k - j] * (sounds[j], struck[j])
        log-odds[k] = out(relu(mix(relu(z[k])))) + own(hidden)[k] + stay * present[k]

    Args:
        in_size: channels of the backbone.
        n_planes: planes of 88 keys that follow the channels in what the head is given; the first
            is the present frame.
        n_memories: how many of them, the last ones, are memories.
        size: units of each key.
        dropout: share of the hidden vector and of all units dropped in training.
    """

    # As in the independent head, but one number for all keys.
    _START = -5.0
    _STAY = 7.3

    def __init__(
        self, in_size: int, n_planes: int, n_memories: int, size: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.in_size = in_size
        self.n_planes = n_planes
        self.dropout = nn.Dropout(dropout)
        self.net = PitchNet(n_planes, n_memories, size, in_size, dropout=dropout)
        # By interval, from 1 to 87 semitones; for a key that sounds, and for one newly struck.
        self.below = nn.Parameter(torch.zeros(2, N_KEYS - 1, size))
        self.mix = nn.Linear(size, size)
        self.out = nn.Linear(size, 1)
        self.own = nn.Linear(in_size, N_KEYS)
        self.stay = nn.Parameter(torch.tensor(self._STAY))
        nn.init.constant_(self.own.bias, self._START)

    def logits(self, seen: Tensor) -> Tensor:
        """Returns `(B, T, 88)` log-odds of each key if no lower key sounds."""
        flat = seen.flatten(0, 1)
        logits = self.logits_given(flat, flat.new_zeros(len(flat), N_KEYS))
        return logits.view(*seen.shape[:2], N_KEYS)

    def logits_given(self, seen: Tensor, frames: Tensor) -> Tensor:
        """Returns `(N, 88)` log-odds of each key given the keys of `frames` `(N, 88)` below it."""
        z, rest, present = self._given(seen)
        frames = frames.to(z.dtype)
        sounds = torch.cat((frames, frames * (1 - present)), dim=1)
        z = z + (sounds @ self._intervals()).view_as(z)
        units = self.dropout(torch.relu(z))
        log_odds: Tensor = self.out(torch.relu(self.mix(units)))[..., 0]
        return log_odds + rest

    def nll(self, seen: Tensor, targets: Tensor) -> Tensor:
        """Returns `(B, T)` nats a frame for `(B, T, C + 88 * F)` and `(B, T, 88)` targets."""
        frames = targets.flatten(0, 1)
        logits = self.logits_given(seen.flatten(0, 1), frames)
        losses = F.binary_cross_entropy_with_logits(
            logits, frames.to(logits.dtype), reduction="none"
        )
        return losses.sum(-1).view(targets.shape[:2])

    def _intervals(self) -> Tensor:
        """Returns `below` as a matrix from all keys to all units, `(2 * 88, 88 * H)`."""
        keys = torch.arange(N_KEYS, device=self.below.device)
        interval = keys - keys[:, None]
        weights = self.below[:, (interval - 1).clamp(min=0)]
        return (weights * (interval > 0)[..., None]).view(2 * N_KEYS, -1)

    def _given(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns z without the keys below `(N, 88, H)`, the rest of the log-odds and the present
        frame, both `(N, 88)`, for `(N, C + 88 * F)`."""  # noqa: D205, D209
        hidden = self.dropout(seen[:, : self.in_size])
        # Nothing is learnt in the planes: no gradient is worked out for them.
        planes = seen[:, self.in_size :].detach().unflatten(1, (N_KEYS, self.n_planes))
        present = planes[..., 0]
        return self.net(planes, hidden), self.own(hidden) + self.stay * present, present
