"""How a step is drawn, in torch: what a head does with its logits, from uniform random numbers.

A graph draws by these functions, so that whoever plays it hands in a few numbers and takes a step.
The numbers are the decoding's (`pyzzicato.playing.decoding`); here is only what is done with them.
"""

from typing import NamedTuple

import torch
from torch import Tensor

SURE = 1e9
"""A bias that decides: what has it is drawn, what has its negative is not."""


class DrawSizes(NamedTuple):
    """How much there is to draw in a step.

    Attributes:
        uniform: random numbers.
        numbers: what has a temperature of its own.
        logits: of all that is drawn.
    """

    uniform: int
    numbers: int
    logits: int


class Controls(NamedTuple):
    """What a draw is given beside the logits.

    Attributes:
        uniform: `(N,)` random numbers from 0 to below 1, one for each thing drawn: the four numbers
            of a note event, or the 88 keys of a frame.
        temperature: `(K,)`, above 0, one for each number of a note event, or one for a frame.
        top_a: `(K,)`, 0 to 1: a choice whose probability is below this share of the square of the
            likeliest's is not drawn (top-a of Peng Bo's RWKV-LM, github.com/BlinkDL/RWKV-LM; here
            whatever the temperature). What a model is sure of stays sure, and where it is not,
            choices stay wide; min-p (Nguyen et al. 2024, arXiv:2407.01082) has the first power in
            the square's place. 0 for no limit.
        bias: `(L,)`, added to the logits: of the four numbers one after the other, or of the keys.
        view_weights: `(V,)`, with a sum of 1: how much each view of the piece counts, on logits.
            One view counts 1; with a composer and without, guidance g and 1 - g.
    """

    uniform: Tensor
    temperature: Tensor
    top_a: Tensor
    bias: Tensor
    view_weights: Tensor


def guide(logits: Tensor, controls: Controls) -> Tensor:
    """Returns `(n,)` logits of all views `(V, n)` together."""
    return controls.view_weights @ logits


def choose(logits: Tensor, uniform: Tensor, temperature: Tensor, top_a: Tensor) -> Tensor:
    """Returns which of n choices is drawn, a whole number, `(1,)`.

    Args:
        logits: `(n,)`, guided and with their bias.
        uniform: a number from 0 to below 1, `()` or `(1,)`, as are the others.
        temperature: above 0.
        top_a: 0 to 1, see `Controls`.
    """
    below = logits - logits.max()
    # The likeliest's own probability is one over the sum of what the others are to it.
    limit = torch.log(top_a) - torch.exp(below).sum().log()
    chances = torch.where(below >= limit, torch.exp(below / temperature), 0.0)
    reached = chances.cumsum(0)
    is_passed = reached <= uniform * reached[-1:]
    # Rounding may leave the last sum short of what it is compared with.
    return is_passed.sum(0, keepdim=True).clamp(max=len(logits) - 1)


def limit_keys(log_odds: Tensor, present: Tensor, controls: Controls) -> Tensor:
    """Returns log-odds `(88,)`, those beyond top-a made certain.

    What is so unlikely leaves the other choice a probability of nearly 1, and so its square. That a
    key is let go is never left out: at each single frame it is unlikely, and it has to end.

    Args:
        log_odds: `(88,)`.
        present: `(88,)`, 1 for each key that sounds.
        controls: how to draw.
    """
    certain = torch.where(log_odds > 0, SURE, -SURE)
    is_certain = log_odds.abs() > -torch.log(controls.top_a)
    may_end = (present > 0) & (log_odds > 0)
    return torch.where(is_certain & ~may_end, certain, log_odds)


def leave_way_on(present: Tensor, controls: Controls) -> Controls:
    """Returns controls by which nothing is left out while no key sounds.

    In silence each stroke by itself is unlikely. Were all of them left out, silence would not end.

    Args:
        present: `(88,)`, 1 for each key that sounds.
        controls: how to draw.
    """
    return controls._replace(top_a=torch.where(present.any(), controls.top_a, 0.0))


def key_cuts(log_odds: Tensor, present: Tensor, controls: Controls) -> Tensor:
    """Returns the log-odds that each key must pass to sound, `(88,)`.

    A key sounds where its log-odds pass a number drawn from the logistic distribution: with just
    the chance that they stand for. Temperature and top-a say how much likelier a likely key is
    struck than an unlikely one, and not how many are: of keys that are silent the expected number
    of strokes stays, of keys that sound that of releases (both counted as if they were few).

    Args:
        log_odds: `(88,)`, guided, of the keys on their own.
        present: `(88,)`, 1 for each key that sounds.
        controls: how to draw.
    """
    noise = torch.log(controls.uniform) - torch.log1p(-controls.uniform)
    sign = 1.0 - 2.0 * present  # A silent key changes by sounding, one that sounds by being let go.
    change = sign * log_odds
    limited = sign * limit_keys(log_odds, present, controls)
    kinds = torch.tensor([[1.0], [-1.0]], device=sign.device)
    # What is certain to change is not among what is drawn.
    drawn = (sign == kinds) & (limited < SURE / 2)
    rates = torch.stack((change, limited / controls.temperature))
    before, after = torch.where(drawn, rates[:, None], -SURE).logsumexp(-1)
    # Where no change is left to be drawn, none is made likelier.
    kept = torch.where(after > -SURE / 2, before - after, 0.0)
    shift = sign * torch.where(sign > 0, kept[:1], kept[1:])
    return controls.temperature * (noise - shift) - controls.bias
