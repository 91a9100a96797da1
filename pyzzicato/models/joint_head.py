"""The joint head of a roll: the keys of a frame, each given the keys below it."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .drawing import Controls, DrawSizes, guide, key_cuts, leave_way_on, limit_keys
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

    draw_sizes = DrawSizes(uniform=N_KEYS, numbers=1, logits=N_KEYS)

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
        # Nothing is learnt in the planes: no gradient is worked out for them.
        planes = seen[:, self.in_size :].detach().unflatten(1, (N_KEYS, self.n_planes))
        z, rest = self._alone(self.dropout(seen[:, : self.in_size]), planes)
        effect = self._from_sounding(frames.to(z.dtype), planes[..., 0], self._intervals())
        return self._log_odds(z + effect, rest)

    def draw(self, hidden: Tensor, planes: Tensor, controls: Controls) -> tuple[Tensor, Tensor]:
        """Returns the next frame `(88,)` and the log-odds of its keys `(V, 88)`.

        One number is drawn for each key beforehand; the frame is then the one in which every key,
        given the keys below it, does what its number says. It is found by trying: a frame is
        proposed, at first the present one, all keys are decided at once as if the proposal were
        right, and what they decided is proposed next, until they decide what was proposed. After n
        tries at least the n lowest keys are right, so the search ends; as most keys go on doing
        what they did, it ends after two or three. The log-odds of the last try are those of the
        frame: it was what they were asked of.

        Args:
            hidden: `(V, C)`, the backbone's vector in each view.
            planes: `(1, 88, F)`.
            controls: how to draw.
        """
        z, rest = self._alone(hidden, planes)
        present = planes[..., 0]
        controls = leave_way_on(present[0], controls)
        intervals = self._intervals()

        def log_odds_given(frame: Tensor) -> Tensor:
            return self._log_odds(z + self._from_sounding(frame, present, intervals), rest)

        at_first = log_odds_given(present)
        cuts = key_cuts(guide(at_first, controls), present[0], controls)

        def frame_of(log_odds: Tensor) -> Tensor:
            guided = limit_keys(guide(log_odds, controls), present[0], controls)
            return (guided > cuts).to(present.dtype)[None]

        def is_undecided(frame: Tensor, proposed: Tensor, _: Tensor) -> Tensor:
            return (frame != proposed).any()

        def decide(frame: Tensor, _: Tensor, __: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            log_odds = log_odds_given(frame)
            return frame_of(log_odds), frame.clone(), log_odds

        first = frame_of(at_first), present.clone(), at_first
        frame, _, log_odds = torch.while_loop(is_undecided, decide, first)
        return frame[0].long(), log_odds

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

    def _alone(self, hidden: Tensor, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns z without the keys below `(N, 88, H)` and the rest of the log-odds `(N, 88)`."""
        return self.net(planes, hidden), self.own(hidden) + self.stay * planes[..., 0]

    @staticmethod
    def _from_sounding(frames: Tensor, present: Tensor, intervals: Tensor) -> Tensor:
        """Returns how the keys of frames `(N, 88)` act on those above them, `(N, 88, H)`."""
        sounds = torch.cat((frames, frames * (1 - present)), dim=1)
        effect: Tensor = (sounds @ intervals).unflatten(1, (N_KEYS, -1))
        return effect

    def _log_odds(self, z: Tensor, rest: Tensor) -> Tensor:
        units = self.dropout(torch.relu(z))
        log_odds: Tensor = self.out(torch.relu(self.mix(units))).squeeze(-1)
        return log_odds + rest
