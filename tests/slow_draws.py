"""The next step the slow obvious way: with the torch networks, one decision after the other.

The numbers that decide are those that a graph is given, so that the steps must be the same.
"""

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pyzzicato.models.independent_head import IndependentHead
from pyzzicato.models.joint_head import JointHead
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.models.note_head import NoteHead
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.representations.event_bins import SIZES

Views = Sequence[tuple[int, float]]
"""Number of the composer and weight of each view of a piece."""


def slow_guide(weights: Sequence[float], views: Tensor) -> Tensor:
    """Returns `(L,)` logits of all views `(V, L)` together, float64."""
    return sum(w * view.double() for w, view in zip(weights, views, strict=True))  # type: ignore


def chance_of_key(log_odds: float, draw: Draw, key: int) -> float:
    """Returns how likely a key of guided log-odds is to sound."""
    odds = math.exp(min(log_odds, 500.0))
    least = float(draw.min_p[0])
    if odds < least or 1 / max(odds, 1e-300) < least:
        log_odds = math.copysign(1e9, log_odds)
    scaled = (log_odds + float(draw.bias[key])) / float(draw.temperature[0])
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, scaled))))


def slow_frame(
    head: IndependentHead | JointHead, seen: Tensor, weights: Sequence[float], draw: Draw
) -> list[int]:
    """Returns the next frame: one key after the other, from the lowest up."""
    frame = torch.zeros(88)
    views = head.logits(seen) if isinstance(head, IndependentHead) else None
    for key in range(88):
        if isinstance(head, JointHead):
            views = head.logits_given(seen, frame.expand(len(seen), -1))
        assert views is not None
        chance = chance_of_key(float(slow_guide(weights, views)[key]), draw, key)
        frame[key] = float(draw.uniform[key] < chance)
    return [int(sounds) for sounds in frame]


def note_logits(head: NoteHead, seen: Tensor, notes: Tensor) -> list[Tensor]:
    """Returns `(n, L)` logits of each of the four numbers, given those before it in `notes`."""
    onset, pitch, duration, _ = notes.long().unbind(-1)
    hidden = seen[:, : head.in_size]
    planes = seen[:, head.in_size :].view(len(seen), 88, head.n_planes)
    tables = [head.onset(hidden)]
    hidden = hidden + head.after_onset.weight[onset]
    units = torch.relu(head.net(planes, hidden))
    by_key = units @ head.key.weight[0]
    tables.append(by_key + head.own(hidden))
    hidden = hidden + head.after_pitch.weight[pitch]
    tables.append(head.duration(hidden))
    hidden = hidden + head.after_duration.weight[duration]
    tables.append(head.velocity(hidden))
    return tables


def chances_of_number(logits: Tensor, draw: Draw, number: int) -> Tensor:
    """Returns the chances of all values of a number of a note, from its guided logits."""
    first = sum(SIZES[:number])
    biased = logits.double() + torch.from_numpy(draw.bias[first : first + len(logits)]).double()
    plain = torch.softmax(biased, dim=-1)
    chances = torch.softmax(biased / float(draw.temperature[number]), dim=-1)
    chances[plain < float(draw.min_p[number]) * plain.max()] = 0
    return chances / chances.sum()


def slow_note(head: NoteHead, seen: Tensor, weights: Sequence[float], draw: Draw) -> list[int]:
    """Returns the next note: each number given those before it."""
    note = torch.zeros(4, dtype=torch.long)
    for i, number in enumerate(draw.uniform.tolist()):
        views = note_logits(head, seen, note.expand(len(seen), -1))[i]
        reached = chances_of_number(slow_guide(weights, views), draw, i).cumsum(0)
        note[i] = min(int((reached <= number).sum()), SIZES[i] - 1)
    return note.tolist()  # type: ignore[no-any-return]


@torch.no_grad()
def slow_step(
    model: PyzzicatoModel, steps: np.ndarray, views: Views, density: int, draw: Draw
) -> list[int]:
    """Returns the step after all these steps `(T, A)`, which go through the model once more."""
    piece, told = torch.from_numpy(steps)[None], torch.tensor([density])
    seen = torch.stack(
        [model.hidden(piece, model.start(1, torch.tensor([n]), told))[0][0, -1] for n, _ in views]
    )
    weights = [weight for _, weight in views]
    if isinstance(model.head, NoteHead):
        return slow_note(model.head, seen, weights, draw)
    return slow_frame(model.head, seen, weights, draw)
