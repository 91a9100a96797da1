"""Notes to come, where some are known: what they say of the next note.

Whoever plays a span anew, or around a part that stays, knows notes that are to come. A head that
sees ahead is told of each key how long it is until the key is struck next, as far as that is known.
Where nothing is known it does exactly what it would do if it did not see ahead.
"""

import torch
from torch import Tensor, nn

from .pitch import N_KEYS
from .sounding import ONSET_TICKS, PAST_MS, MomentReader

_UNKNOWN_S = -0.001 * PAST_MS
"""A key of which nothing is known is like one that was struck long ago."""
_SPANS_S = 0.5, 2.0, 8.0


def seconds_ahead(ahead: Tensor, dtype: torch.dtype) -> Tensor:
    """Returns seconds until each key is struck, below 0 where that is not known.

    Args:
        ahead: whole numbers, 1 and the ms until then, 0 where it is not known.
        dtype: of the seconds.
    """
    return torch.where(ahead > 0, 0.001 * ahead, _UNKNOWN_S).to(dtype)


def is_known(left: Tensor) -> Tensor:
    """Returns 1 where a stroke of any key is known, of seconds `(N, 88)`, and 0 else, `(N, 1)`."""
    return (left > 0).any(-1, keepdim=True).to(left.dtype)


class AheadReader(nn.Module):
    """What notes to come say of the onset step, and of all numbers after it.

    It says nothing at first, so that a head which has learnt already can be given one.

    Args:
        size: channels C of the hidden vector.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.moments = MomentReader(size, (0.01 * ONSET_TICKS).tolist(), in_ratios=False)
        self.keys = nn.Linear(len(_SPANS_S) * N_KEYS, size, bias=False)
        nn.init.zeros_(self.keys.weight)

    def forward(self, left: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits `(N, 57)` and what is to be added to the hidden vectors, `(N, C)`.

        Args:
            left: `(N, 88)`, of `seconds_ahead`.
            hidden: `(N, C)`, or more of them for one past `(1, 88)`.
        """
        known = is_known(left)
        logits, heard = self.moments(left, hidden)
        is_to_come = (left > 0).to(left.dtype)
        soon = [is_to_come * torch.exp(-left.clamp(min=0) / span) for span in _SPANS_S]
        return known * logits, known * (heard + self.keys(torch.cat(soon, dim=-1)))
