"""The head of note events: onset step, pitch, duration and velocity, each given those before it."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .drawing import Controls, DrawSizes, choose, guide
from .embeddings import EVENT_SIZES
from .pitch import N_KEYS, PitchNet, evidence
from .sounding import DURATIONS_S, N_HELD, ONSET_TICKS, EndReader, lay_out, pass_time

# How far recalled keys are believed at first: fitted on held-out pieces beside an LSTM.
_AS_IT_WAS, _MOVED = 0.12, 0.2


class NoteHead(nn.Module):
    """Four distributions in a row, one for each number of a note event.

    The pitch has two terms: one of the hidden vector alone, which knows registers, and one that
    reads the pitches so far alike in every key (see `pitch.py`).

    Args:
        in_size: channels of the backbone.
        n_planes: planes of 88 keys that follow the channels in what the head is given.
        n_memories: how many of them, the last ones, are memories.
        size: channels of each key.
        dropout: share of the hidden vector and of the units of the keys dropped in training.
        n_soft: how many of the planes, the first ones, are shares of attention.
        n_ends: how many, the last one or none, says how long each key goes on sounding.
    """

    draw_sizes = DrawSizes(len(EVENT_SIZES), len(EVENT_SIZES), sum(EVENT_SIZES))

    def __init__(
        self,
        in_size: int,
        n_planes: int,
        n_memories: int,
        size: int,
        dropout: float = 0.0,
        n_soft: int = 0,
        n_ends: int = 0,
    ) -> None:
        super().__init__()
        self.in_size = in_size
        self.n_planes = n_planes
        self.n_ends = n_ends
        self.dropout = nn.Dropout(dropout)
        onsets, pitches, durations, velocities = EVENT_SIZES
        self.onset = nn.Linear(in_size, onsets)
        self.after_onset = nn.Embedding(onsets, in_size)
        self.net = PitchNet(
            n_planes - n_ends,
            n_memories,
            size,
            in_size,
            dropout=dropout,
            n_soft=n_soft,
            n_held=N_HELD * n_ends,
        )
        # Without a bias: one for all keys would say nothing.
        self.key = nn.Linear(size, 1, bias=False)
        self.own = nn.Linear(in_size, pitches)
        self.recalled: nn.Linear | None = None
        if n_soft:
            self.recalled = nn.Linear(in_size, n_soft)
            _begin_to_recall(self.recalled)
        self.onset_ends: EndReader | None = None
        self.duration_ends: EndReader | None = None
        if n_ends:
            self.onset_ends = EndReader(in_size, (0.01 * ONSET_TICKS).tolist(), in_ratios=False)
            self.duration_ends = EndReader(in_size, DURATIONS_S.tolist(), in_ratios=True)
        self.after_pitch = nn.Embedding(pitches, in_size)
        self.duration = _dense(in_size, durations)
        self.after_duration = nn.Embedding(durations, in_size)
        self.velocity = _dense(in_size, velocities)
        for table in (self.after_onset, self.after_pitch, self.after_duration):
            nn.init.normal_(table.weight, std=0.1)

    def logits(self, seen: Tensor) -> Tensor:
        """Returns `(..., 57)` logits of the onset step, the first of the four, for `(..., F)`."""
        hidden, planes = self._split(seen.flatten(0, -2))
        return self._onset(hidden, planes)[0].view(*seen.shape[:-1], -1)

    def attribute_nll(self, seen: Tensor, targets: Tensor) -> Tensor:
        """Returns `(B, T, 4)` nats of the four numbers of each note.

        Args:
            seen: `(B, T, C + 88 * F)`.
            targets: `(B, T, 4)`.
        """
        hidden, planes = self._split(seen.flatten(0, 1))
        numbers = targets.flatten(0, 1).long().unbind(-1)
        logits = self._in_a_row(hidden, planes, lambda i, _: numbers[i])
        losses = [
            F.cross_entropy(of_number, number, reduction="none")
            for of_number, number in zip(logits, numbers, strict=True)
        ]
        return torch.stack(losses, dim=-1).view(targets.shape)

    def nll(self, seen: Tensor, targets: Tensor) -> Tensor:
        """Returns `(B, T)` nats a note."""
        return self.attribute_nll(seen, targets).sum(-1)

    def draw(self, hidden: Tensor, planes: Tensor, controls: Controls) -> tuple[Tensor, Tensor]:
        """Returns the next note `(4,)` and the logits of its four numbers `(V, 209)`.

        Each number's logits are given the numbers drawn before it, and are without bias.

        Args:
            hidden: `(V, C)`, the backbone's vector in each view.
            planes: `(1, 88, F)`.
            controls: how to draw.
        """
        biases = controls.bias.split(list(EVENT_SIZES))
        uniform, temperature = controls.uniform.split(1), controls.temperature.split(1)
        top_a = controls.top_a.split(1)
        drawn: list[Tensor] = []

        def choose_number(i: int, logits: Tensor) -> Tensor:
            drawn.append(
                choose(guide(logits, controls) + biases[i], uniform[i], temperature[i], top_a[i])
            )
            return drawn[-1]

        logits = self._in_a_row(hidden, planes, choose_number)
        return torch.cat(drawn), torch.cat(logits, dim=-1)

    def _in_a_row(
        self, hidden: Tensor, planes: Tensor, number: Callable[[int, Tensor], Tensor]
    ) -> list[Tensor]:
        """Returns the logits of the four numbers, each given those before it.

        Args:
            hidden: `(N, C)`.
            planes: `(N, 88, F)`, or one past `(1, 88, F)`.
            number: returns what a number is, from which of the four it is and its logits.
        """
        onset, hidden = self._onset(hidden, planes)
        chosen = number(0, onset)
        hidden = hidden + self.after_onset(chosen)
        left = pass_time(planes[..., -1], chosen) if self.onset_ends is not None else None
        pitch = self._pitch(hidden, planes, left)
        chosen = number(1, pitch)
        hidden = hidden + self.after_pitch(chosen)
        duration, hidden = self._duration(hidden, left, chosen)
        hidden = hidden + self.after_duration(number(2, duration))
        velocity = self.velocity(hidden)
        number(3, velocity)
        return [onset, pitch, duration, velocity]

    def _split(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        planes = seen[:, self.in_size :]
        # Nothing is learnt in what was struck: no gradient is worked out for it.
        planes = planes if self.net.n_soft else planes.detach()
        planes = planes.unflatten(1, (N_KEYS, self.n_planes))
        return self.dropout(seen[:, : self.in_size]), planes

    def _onset(self, hidden: Tensor, planes: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits of the onset step, and the hidden vector, which now knows the ends."""
        if self.onset_ends is None:
            return self.onset(hidden), hidden
        by_end, heard = self.onset_ends(planes[..., -1].detach(), hidden)
        hidden = hidden + heard
        return self.onset(hidden) + by_end, hidden

    def _pitch(self, hidden: Tensor, planes: Tensor, left: Tensor | None) -> Tensor:
        held = None if left is None else lay_out(left)
        planes = planes[..., : self.n_planes - self.n_ends]
        units = torch.relu(self.net(planes, hidden, held))
        by_interval: Tensor = self.key(units).squeeze(-1)
        by_register: Tensor = self.own(hidden)
        logits = by_interval + by_register
        if self.recalled is not None:
            shares = planes[..., : self.net.n_soft]
            logits = logits + (evidence(shares) @ self.recalled(hidden)[..., None])[..., 0]
        return logits

    def _duration(
        self, hidden: Tensor, left: Tensor | None, pitch: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Returns logits of the duration, and the hidden vector, which knows the ends that count.

        That of the struck key's own note does not: it ends now.
        """
        if self.duration_ends is None or left is None:
            return self.duration(hidden), hidden
        others = torch.arange(N_KEYS, device=left.device) != pitch[:, None]
        by_end, heard = self.duration_ends(left * others, hidden)
        hidden = hidden + heard
        return self.duration(hidden) + by_end, hidden


@torch.no_grad()
def _begin_to_recall(layer: nn.Linear) -> None:
    """Makes each half of the heads of a recall speak by what suits it (see `SoftRecall`).

    Those that compare intervals by what they read moved, those that compare pitches by what they
    read as it was.
    """
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    n_heads = layer.out_features // 2
    by_interval = (n_heads + 1) // 2
    layer.bias[by_interval:n_heads] = _AS_IT_WAS
    layer.bias[n_heads : n_heads + by_interval] = _MOVED


def _dense(in_size: int, out_size: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(in_size, in_size), nn.ReLU(), nn.Linear(in_size, out_size))
