"""The next step the slow obvious way: with the torch modules, one decision after the other.

The numbers that decide come from the same stream as in the fast way: for a frame one for each key,
all beforehand; for a note one for each of its four numbers, in turn. So the steps must be the same.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from pyzzicato.models import SamplingRule
from pyzzicato.models.independent_head import IndependentHead
from pyzzicato.models.joint_head import JointHead
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.models.note_head import NoteHead


def slow_guide(rule: SamplingRule, views: Tensor) -> Tensor:
    """Returns `(V,)` logits of one view `(1, V)`, or of both, with the composer and without."""
    if len(views) == 1:
        return views[0]
    return rule.guidance * views[0] + (1 - rule.guidance) * views[1]


def slow_chance(rule: SamplingRule, log_odds: Tensor, sounds: bool) -> float:
    """Returns how likely a key of guided log-odds is to sound; by threshold that is 0 or 1.

    Args:
        rule: how to draw.
        log_odds: of the key.
        sounds: whether the key sounds in the present frame.
    """
    if rule.threshold is not None:
        return float(torch.sigmoid(log_odds.double()) > rule.threshold)
    tilted = log_odds.double() + (rule.holding if sounds else -rule.pacing)
    return float(torch.sigmoid(tilted / (rule.temperature * rule.tempering)))


def slow_frame(
    head: IndependentHead | JointHead, seen: Tensor, rule: SamplingRule, rng: np.random.Generator
) -> np.ndarray:
    """Returns the next frame: one coin after the other, from the lowest key up."""
    numbers = np.full(88, 0.5) if rule.threshold is not None else rng.random(88)
    present = seen[0, head.in_size :].view(88, -1)[:, 0]
    frame = torch.zeros(88)
    views = head.logits(seen) if isinstance(head, IndependentHead) else None
    for key in range(88):
        if isinstance(head, JointHead):
            views = head.logits_given(seen, frame.expand(len(seen), -1))
        chance = slow_chance(rule, slow_guide(rule, views)[key], bool(present[key]))
        frame[key] = float(numbers[key] < chance)
    return frame.numpy().astype(np.uint8)


def note_logits(head: NoteHead, seen: Tensor, notes: Tensor) -> list[Tensor]:
    """Returns `(n, V)` logits of each of the four numbers, given those before it in `notes`."""
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


def shape_note_logits(rule: SamplingRule, guided: Sequence[Tensor]) -> list[Tensor]:
    """Returns guided logits `(..., V)` of each of the four numbers as the rule draws from them."""
    onset, pitch, duration, velocity = (logits.double() for logits in guided)
    onset = onset + rule.pacing * (torch.arange(onset.shape[-1]) / 28).clamp(max=1)
    duration = duration + rule.holding * torch.linspace(0, 1, duration.shape[-1])
    pitch = pitch / rule.tempering
    return [logits / rule.temperature for logits in (onset, pitch, duration, velocity)]


def slow_choice(logits: Tensor, number: float, lowest: int = 0) -> int:
    """Returns the choice at which the chances, added up one by one, pass a number from 0 to 1."""
    logits[:lowest] = -torch.inf
    reached = 0.0
    for choice, chance in enumerate(torch.softmax(logits, dim=0).tolist()):
        reached += chance
        if number < reached:
            return choice
    return len(logits) - 1


def slow_note(
    head: NoteHead, seen: Tensor, rule: SamplingRule, rng: np.random.Generator, at_least: int = 0
) -> np.ndarray:
    """Returns the next note: each number given those before it."""
    note = torch.zeros(4, dtype=torch.long)
    for i in range(4):
        views = note_logits(head, seen, note.expand(len(seen), -1))
        shaped = shape_note_logits(rule, [slow_guide(rule, logits) for logits in views])
        note[i] = slow_choice(shaped[i], rng.random(), at_least if i == 0 else 0)
    return note.numpy().astype(np.uint8)


@torch.no_grad()
def slow_step(
    model: PyzzicatoModel,
    steps: np.ndarray,
    composers: Sequence[int],
    rule: SamplingRule,
    rng: np.random.Generator,
    at_least: int = 0,
) -> np.ndarray:
    """Returns the step after all these steps `(T, A)`, which go through the model once more."""
    piece = torch.from_numpy(steps)[None]
    views = [model.hidden(piece, model.start(1, torch.tensor([n])))[0][0, -1] for n in composers]
    seen = torch.stack(views)
    if isinstance(model.head, NoteHead):
        return slow_note(model.head, seen, rule, rng, at_least)
    return slow_frame(model.head, seen, rule, rng)
