"""Whose music a seed is most like, in a model's own judgement."""

import numpy as np
import torch
from numpy.typing import NDArray

from .density import count_strokes
from .models import PyzzicatoModel

_MOST_STEPS = 600
"""Of a longer seed the last steps are judged: half a minute of frames, or a minute of notes."""
FEWEST_NOTES = 8
"""Fewer notes are nobody's music, as for the classifier of the evaluation (`style.MIN_NOTES`).
There always is a likeliest composer: of a note held for a second Scarlatti, who repeats keys."""


def composer_nats(
    model: PyzzicatoModel, steps: NDArray[np.uint8], density: int = 0
) -> NDArray[np.float64]:
    """Returns mean nats a step of a seed as each composer's, `(1 + n,)`; number 0 is any composer.

    By Bayes' rule with all composers alike beforehand, the fewest nats are the likeliest composer.

    Args:
        model: one that knows composers.
        steps: `(T, A)`, T at least 2.
        density: number of the seed's density, 0 for any.
    """
    n = 1 + len(model.config.composers or [])
    heard = torch.from_numpy(steps[-_MOST_STEPS:]).to(model.device)
    rows = heard.expand(n, -1, -1)
    model.eval()
    with torch.inference_mode():
        numbers = torch.arange(n, device=model.device)
        state = model.start(n, numbers, torch.full_like(numbers, density))
        seen, _ = model.hidden(rows[:, :-1], state)
        nats: NDArray[np.float64] = model.head.nll(seen, rows[:, 1:]).double().mean(1).cpu().numpy()
    return nats


def likeliest_composer(model: PyzzicatoModel, steps: NDArray[np.uint8], density: int = 0) -> int:
    """Returns the number of the composer whose music a seed is most like, 0 for nobody's.

    Args:
        model: any; one that knows no composers hears nobody's.
        steps: the seed, `(T, A)`; fewer than `FEWEST_NOTES` notes tell nothing.
        density: number of the seed's density, 0 for any.
    """
    config = model.config
    n_at_first = np.count_nonzero(steps[0]) if config.representation == "roll" else 1
    if not config.composers or n_at_first + count_strokes(steps, config) < FEWEST_NOTES:
        return 0
    return int(composer_nats(model, steps, density).argmin())
