"""From the steps of a representation to what a backbone and a head take in.

An embedding gives two things for each step: a vector for the backbone, and planes of 88 keys that
go past the backbone to the head, which lay out along the keys what has sounded so far.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pitch import N_KEYS, PitchMemory

EVENT_SIZES = (57, N_KEYS, 48, 16)
"""Values of the four numbers of a note event: onset step, pitch, duration, velocity."""


class RollEmbedding(nn.Module):
    """A frame as it is: 88 zeros and ones, one for each key.

    The planes are the present frame and, where memories are wanted, the frame before and what was
    struck of late.

    Args:
        spans: of the memories, frames; none for the present frame alone.
    """

    n_attributes = N_KEYS
    """Numbers a step holds."""
    out_size = N_KEYS

    def __init__(self, spans: Sequence[float] = ()) -> None:
        super().__init__()
        self.memory = PitchMemory(spans) if spans else None
        self.n_memories = len(spans)
        self.n_planes = 2 + len(spans) if spans else 1

    def start(self, batch_size: int) -> Any:
        """Returns the state before the first frame."""
        if self.memory is None:
            return ()
        memories = self.memory.start(batch_size)
        return memories.new_zeros(batch_size, 1, N_KEYS), memories

    def forward(self, steps: Tensor, state: Any, dtype: torch.dtype) -> tuple[Tensor, Tensor, Any]:
        """Returns vectors `(B, T, 88)`, planes `(B, T, 88, F)` and the state after the last step.

        Args:
            steps: `(B, T, 88)`.
            state: from `start` or the call before.
            dtype: of vectors and planes.
        """
        frames = steps.to(dtype)
        if self.memory is None:
            return frames, frames[..., None], ()
        last, memories = state
        before = torch.cat((last, frames[:, :-1]), dim=1)
        remembered, memories = self.memory(frames * (1 - before), memories)
        planes = torch.cat((frames[..., None], before[..., None], remembered), dim=-1)
        return frames, planes, (frames[:, -1:], memories)


class EventEmbedding(nn.Module):
    """A note event as the sum of one vector for each of its four numbers.

    The planes are the last `RECENT` notes, each a plane of its own, and memories of all notes.

    Args:
        size: channels of the sum.
        spans: of the memories, notes.
    """

    RECENT = 8
    n_attributes = len(EVENT_SIZES)

    def __init__(self, size: int, spans: Sequence[float]) -> None:
        super().__init__()
        self.out_size = size
        self.tables = nn.ModuleList(nn.Embedding(n, size) for n in EVENT_SIZES)
        self.memory = PitchMemory(spans)
        self.n_memories = len(spans)
        self.n_planes = self.RECENT + self.n_memories

    def start(self, batch_size: int) -> Any:
        """Returns the state before the first note."""
        memories = self.memory.start(batch_size)
        return memories.new_zeros(batch_size, self.RECENT - 1, N_KEYS), memories

    def forward(self, steps: Tensor, state: Any, dtype: torch.dtype) -> tuple[Tensor, Tensor, Any]:
        """Returns vectors `(B, T, size)`, planes `(B, T, 88, F)` and the state after the last step.

        Args:
            steps: `(B, T, 4)`.
            state: from `start` or the call before.
            dtype: of vectors and planes.
        """
        numbers = steps.long()
        vectors = sum(table(numbers[..., i]) for i, table in enumerate(self.tables))
        struck = F.one_hot(numbers[..., 1], N_KEYS).to(dtype)
        earlier, memories = state
        seen = torch.cat((earlier, struck), dim=1)
        recent = seen.unfold(1, self.RECENT, 1)
        remembered, memories = self.memory(struck, memories)
        planes = torch.cat((recent, remembered), dim=-1)
        return vectors, planes, (seen[:, 1 - self.RECENT :], memories)
