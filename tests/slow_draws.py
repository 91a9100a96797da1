"""The next step the slow obvious way: with the torch networks, one decision after the other.

The numbers that decide are those that a graph is given, so that the steps must be the same.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from pyzzicato.models.independent_head import IndependentHead
from pyzzicato.models.joint_head import JointHead
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.models.note_head import NoteHead
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.representations.event_bins import ONSET_TICKS, SIZES

Views = Sequence[tuple[int, float]]
"""Number of the composer and weight of each view of a piece."""


def slow_guide(weights: Sequence[float], views: Tensor) -> Tensor:
    """Returns `(L,)` logits of all views `(V, L)` together, float64."""
    return sum(w * view.double() for w, view in zip(weights, views, strict=True))  # type: ignore


def limited(log_odds: float, draw: Draw, is_held: bool) -> float:
    """Returns log-odds of a key, certain where top-a says so; one that is held may always end."""
    odds, least = math.exp(min(log_odds, 500.0)), float(draw.top_a[0])
    is_certain = odds < least or (not is_held and 1 / max(odds, 1e-300) < least)
    return math.copysign(1e9, log_odds) if is_certain else log_odds


def rate_shifts(alone: Sequence[float], present: Sequence[float], draw: Draw) -> list[float]:
    """Returns what each key's log-odds gain so that as much changes as without temperature.

    Sums of odds, key by key: of strokes over the silent keys, of releases over those that sound.
    """
    heat = float(draw.temperature[0])
    shifts = [0.0] * len(alone)
    for kind, sign in ((0.0, 1.0), (1.0, -1.0)):
        keys = [k for k, p in enumerate(present) if p == kind]
        # What is certain to change is not among what is drawn.
        drawn = [k for k in keys if sign * limited(alone[k], draw, kind > 0) < 1e8]
        before = sum(math.exp(sign * alone[k]) for k in drawn)
        cold = [sign * limited(alone[k], draw, kind > 0) / heat for k in drawn]
        after = sum(math.exp(x) for x in cold if x > -1e6)
        for k in keys:
            shifts[k] = sign * math.log(before / after) if after else 0.0
    return shifts


def chance_of_key(log_odds: float, draw: Draw, key: int, shift: float, is_held: bool) -> float:
    """Returns how likely a key of guided log-odds is to sound."""
    heat = float(draw.temperature[0])
    scaled = (limited(log_odds, draw, is_held) + float(draw.bias[key])) / heat + shift
    return 1 / (1 + math.exp(-max(-500.0, min(500.0, scaled))))


def slow_frame(
    head: IndependentHead | JointHead, seen: Tensor, weights: Sequence[float], draw: Draw
) -> list[int]:
    """Returns the next frame: one key after the other, from the lowest up."""
    frame = torch.zeros(88)
    held = seen[0, head.in_size :].view(88, head.n_planes)[:, 0] > 0
    if not held.any():
        draw = replace(draw, top_a=np.zeros_like(draw.top_a))  # In silence nothing is left out.
    views = head.logits(seen) if isinstance(head, IndependentHead) else None
    shifts = shifts_of(head, seen, weights, draw)
    for key in range(88):
        if isinstance(head, JointHead):
            views = head.logits_given(seen, frame.expand(len(seen), -1))
        assert views is not None
        guided = float(slow_guide(weights, views)[key])
        chance = chance_of_key(guided, draw, key, shifts[key], bool(held[key]))
        frame[key] = float(draw.uniform[key] < chance)
    return [int(sounds) for sounds in frame]


def shifts_of(
    head: IndependentHead | JointHead, seen: Tensor, weights: Sequence[float], draw: Draw
) -> list[float]:
    """Returns `rate_shifts` of a frame: of the keys as they are if the present frame goes on."""
    planes = seen[0, head.in_size :].view(88, head.n_planes)
    present = planes[:, 0]
    if isinstance(head, JointHead):
        views = head.logits_given(seen, present.expand(len(seen), -1))
    else:
        views = head.logits(seen)
    return rate_shifts(slow_guide(weights, views).tolist(), present.tolist(), draw)


def note_logits(head: NoteHead, seen: Tensor, notes: Tensor) -> list[Tensor]:
    """Returns `(n, L)` logits of each of the four numbers, given those before it in `notes`."""
    onset, pitch, duration, _ = notes.long().unbind(-1)
    hidden = seen[:, : head.in_size]
    planes = seen[:, head.in_size :].view(len(seen), 88, head.n_planes)
    by_end: Tensor | float = 0.0
    held, left = None, planes[..., -1]
    if head.n_ends:
        assert head.onset_ends is not None
        by_end, heard = head.onset_ends(left, hidden)
        hidden = hidden + heard
        left = (left - torch.from_numpy(0.01 * ONSET_TICKS).float()[onset][:, None]).clamp(min=-4)
        near = [(-left.abs() / scale).exp() for scale in (0.03, 0.1, 0.3)]
        held = torch.stack(((left > 5e-4).float(), (1 + left.relu()).log(), *near), dim=-1)
    tables = [head.onset(hidden) + by_end]
    hidden = hidden + head.after_onset.weight[onset]
    read = planes[..., :-1] if head.n_ends else planes
    by_key = torch.relu(head.net(read, hidden, held)) @ head.key.weight[0]
    by_recall: Tensor | float = 0.0
    if head.recalled is not None:
        shares = planes[..., : head.net.n_soft]
        believed = head.recalled(hidden)
        by_recall = (torch.log1p(shares.clamp(min=0) / 1e-3) * believed[:, None]).sum(-1)
    tables.append(by_key + head.own(hidden) + by_recall)
    hidden = hidden + head.after_pitch.weight[pitch]
    by_end = 0.0
    if head.n_ends:
        assert head.duration_ends is not None
        by_end, heard = head.duration_ends(left.scatter(1, pitch[:, None], 0), hidden)
        hidden = hidden + heard
    tables.append(head.duration(hidden) + by_end)
    hidden = hidden + head.after_duration.weight[duration]
    tables.append(head.velocity(hidden))
    return tables


def chances_of_number(logits: Tensor, draw: Draw, number: int) -> Tensor:
    """Returns the chances of all values of a number of a note, from its guided logits."""
    first = sum(SIZES[:number])
    biased = logits.double() + torch.from_numpy(draw.bias[first : first + len(logits)]).double()
    plain = torch.softmax(biased, dim=-1)
    chances = torch.softmax(biased / float(draw.temperature[number]), dim=-1)
    chances[plain < float(draw.top_a[number]) * plain.max() ** 2] = 0
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
    piece, found = torch.from_numpy(steps)[None], torch.tensor([density])
    seen = torch.stack(
        [model.hidden(piece, model.start(1, torch.tensor([n]), found))[0][0, -1] for n, _ in views]
    )
    weights = [weight for _, weight in views]
    if isinstance(model.head, NoteHead):
        return slow_note(model.head, seen, weights, draw)
    return slow_frame(model.head, seen, weights, draw)
