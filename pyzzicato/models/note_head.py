"""The head of note events: onset step, pitch, duration and velocity, each given those before it."""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .drawing import Controls, DrawSizes, choose, guide
from .embeddings import EVENT_SIZES
from .pitch import N_KEYS, PitchNet, evidence

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
    ) -> None:
        super().__init__()
        self.in_size = in_size
        self.n_planes = n_planes
        self.dropout = nn.Dropout(dropout)
        onsets, pitches, durations, velocities = EVENT_SIZES
        self.onset = nn.Linear(in_size, onsets)
        self.after_onset = nn.Embedding(onsets, in_size)
        self.net = PitchNet(n_planes, n_memories, size, in_size, dropout=dropout, n_soft=n_soft)
        # Without a bias: one for all keys would say nothing.
        self.key = nn.Linear(size, 1, bias=False)
        self.own = nn.Linear(in_size, pitches)
        self.recalled: nn.Linear | None = None
        if n_soft:
            self.recalled = nn.Linear(in_size, n_soft)
            _begin_to_recall(self.recalled)
        self.after_pitch = nn.Embedding(pitches, in_size)
        self.duration = _dense(in_size, durations)
        self.after_duration = nn.Embedding(durations, in_size)
        self.velocity = _dense(in_size, velocities)
        for table in (self.after_onset, self.after_pitch, self.after_duration):
            nn.init.normal_(table.weight, std=0.1)

    def logits(self, seen: Tensor) -> Tensor:
        """Returns `(B, T, 57)` logits of the onset step, the first of the four."""
        logits: Tensor = self.onset(self.dropout(seen[..., : self.in_size]))
        return logits

    def attribute_nll(self, seen: Tensor, targets: Tensor) -> Tensor:
        """Returns `(B, T, 4)` nats of the four numbers of each note.

        Args:
            seen: `(B, T, C + 88 * F)`.
            targets: `(B, T, 4)`.
        """
        hidden, planes = self._split(seen.flatten(0, 1))
        onset, pitch, duration, velocity = targets.flatten(0, 1).long().unbind(-1)
        losses = [F.cross_entropy(self.onset(hidden), onset, reduction="none")]
        hidden = hidden + self.after_onset(onset)
        losses.append(F.cross_entropy(self._pitch(hidden, planes), pitch, reduction="none"))
        hidden = hidden + self.after_pitch(pitch)
        losses.append(F.cross_entropy(self.duration(hidden), duration, reduction="none"))
        hidden = hidden + self.after_duration(duration)
        losses.append(F.cross_entropy(self.velocity(hidden), velocity, reduction="none"))
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
        layers: Sequence[Callable[[Tensor], Tensor]] = (
            self.onset,
            partial(self._pitch, planes=planes),
            self.duration,
            self.velocity,
        )
        tables = (self.after_onset, self.after_pitch, self.after_duration)
        drawn, logits = [], []
        for i, layer in enumerate(layers):
            logits.append(layer(hidden))
            drawn.append(
                choose(
                    guide(logits[-1], controls) + biases[i],
                    uniform[i],
                    temperature[i],
                    top_a[i],
                )
            )
            if i < len(tables):
                hidden = hidden + tables[i](drawn[-1])
        return torch.cat(drawn), torch.cat(logits, dim=-1)

    def _split(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        planes = seen[:, self.in_size :]
        # Nothing is learnt in what was struck: no gradient is worked out for it.
        planes = planes if self.net.n_soft else planes.detach()
        planes = planes.unflatten(1, (N_KEYS, self.n_planes))
        return self.dropout(seen[:, : self.in_size]), planes

    def _pitch(self, hidden: Tensor, planes: Tensor) -> Tensor:
        units = torch.relu(self.net(planes, hidden))
        by_interval: Tensor = self.key(units).squeeze(-1)
        by_register: Tensor = self.own(hidden)
        logits = by_interval + by_register
        if self.recalled is not None:
            shares = planes[..., : self.net.n_soft]
            logits = logits + (evidence(shares) @ self.recalled(hidden)[..., None])[..., 0]
        return logits


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
