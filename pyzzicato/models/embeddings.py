"""From the steps of a representation to what a backbone and a head take in.

An embedding gives two things for each step: a vector for the backbone, and planes of 88 keys that
go past the backbone to the head, which lay out along the keys what has sounded so far.
"""

from collections.abc import Sequence
from typing import Any, ClassVar, Self, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .architecture import LOOKING_BACK
from .config import PyzzicatoConfig
from .pitch import N_KEYS, PitchMemory
from .recall import PitchRecall
from .soft_recall import SoftRecall
from .sounding import ONSET_TICKS, follow_ends

EVENT_SIZES = (57, N_KEYS, 48, 16)
"""Values of the four numbers of a note event: onset step, pitch, duration, velocity."""


class RollEmbedding(nn.Module):
    """A frame as it is: 88 zeros and ones, one for each key.

    The planes are the last frames, the present one first, the last chords struck, the latest first,
    what followed the last time, and memories of what was struck.

    Args:
        spans: of the memories, frames; may be none.
        n_recent: frames that have a plane each, 1 or more.
        n_chords: chords that have a plane each; none where there are no memories.
        recalls: lengths of what is recalled, see `PitchRecall`; none where there are no memories.
    """

    n_attributes = N_KEYS
    """Numbers a step holds."""
    out_size = N_KEYS
    head_sizes: ClassVar[dict[str, int]] = {}
    """Sizes that the head is told of beside those of all embeddings."""

    def __init__(
        self,
        spans: Sequence[float] = (),
        n_recent: int = 1,
        n_chords: int = 0,
        recalls: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.memory = PitchMemory(spans) if spans else None
        self.n_memories = len(spans)
        self.n_recent = n_recent
        self.n_chords = n_chords
        self.recall = PitchRecall(recalls) if recalls else None
        self.n_planes = n_recent + n_chords + len(recalls) + self.n_memories

    @classmethod
    def build(cls, config: PyzzicatoConfig) -> Self:
        """Returns the embedding that a config describes."""
        return cls(config.memory_spans, config.n_recent, config.chords, config.recalls or [])

    def start(self, batch_size: int) -> Any:
        """Returns the state before the first frame."""
        if self.memory is None:
            return ()
        memories = self.memory.start(batch_size)
        # The frame before shows what was struck, whether or not it has a plane.
        last = memories.new_zeros(batch_size, max(1, self.n_recent - 1), N_KEYS)
        chords = memories.new_zeros(batch_size, self.n_chords, N_KEYS)
        recall = None if self.recall is None else self.recall.start(batch_size, memories.device)
        return last, memories, chords, recall

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
        last, memories, chords, recall = state
        seen = torch.cat((last, frames), dim=1)
        first = last.shape[1]
        recent = _windows(seen[:, first + 1 - self.n_recent :], self.n_recent).flip(-1)
        struck = frames * (1 - seen[:, first - 1 : -1])
        remembered, memories = self.memory(struck, memories)
        parts = [recent, remembered]
        if self.n_chords:
            latest, chords = last_chords(struck, chords)
            parts.insert(1, latest)
        if self.recall is not None:
            recalled, recall = self.recall(steps, recall)
            parts.insert(-1, recalled.to(remembered.dtype))
        return frames, torch.cat(parts, dim=-1), (seen[:, -first:], memories, chords, recall)


def _windows(rows: Tensor, n: int) -> Tensor:
    """Returns each n rows that follow one another, `(B, T, 88, n)` of `(B, T + n - 1, 88)`."""
    if rows.shape[1] == n:  # One step, in fewer operators: a graph has only this.
        return rows.transpose(1, 2)[:, None]
    return rows.unfold(1, n, 1)


def last_chords(struck: Tensor, earlier: Tensor) -> tuple[Tensor, Tensor]:
    """Returns the last chords after each frame, the latest first, and those after the last frame.

    A chord is what is struck in one frame; frames in which nothing is do not count.

    Args:
        struck: `(B, T, 88)` zeros and ones.
        earlier: `(B, N, 88)` the N chords before, the latest last; zeros where there were fewer.

    Returns:
        `(B, T, 88, N)` and `(B, N, 88)`, the latest last.
    """
    n = earlier.shape[1]
    is_chord = struck.any(-1)
    if struck.shape[1] == 1:  # As below, without a row of all chords: a graph has only this.
        one_more = torch.cat((earlier[:, 1:], struck), dim=1)
        chords = torch.where(is_chord[..., None], one_more, earlier)
        return chords.flip(1).transpose(1, 2)[:, None], chords
    # All chords in a row, the earlier ones first; frames without one go to a last place that is
    # never looked at.
    n_places = n + struck.shape[1]
    place = torch.where(is_chord, n - 1 + is_chord.cumsum(1), n_places)
    row = torch.cat((earlier, torch.zeros_like(struck), torch.zeros_like(struck[:, :1])), dim=1)
    row = row.scatter(1, place[..., None].expand(-1, -1, N_KEYS), struck)
    latest = is_chord.cumsum(1) + n - 1
    planes = [row.gather(1, (latest - i)[..., None].expand(-1, -1, N_KEYS)) for i in range(n)]
    return torch.stack(planes, dim=-1), torch.stack([p[:, -1] for p in reversed(planes)], dim=1)


class EventEmbedding(nn.Module):
    """A note event as the sum of one vector for each of its four numbers.

    The planes are the last notes, the latest last, what followed the last time, and memories of all
    notes; then, where that is wanted, the seconds that each key goes on sounding (`sounding.py`).

    Args:
        size: channels of the sum.
        spans: of the memories, notes.
        n_recent: notes that have a plane each, 1 or more.
        recalls: lengths of what is recalled, see `PitchRecall`.
        soft_recall: see there; None for none.
        tells_time: whether the vectors hold the seconds since the note before, at their end.
        hears_ends: whether there is a plane of how long each key goes on sounding.
    """

    n_attributes = len(EVENT_SIZES)

    def __init__(
        self,
        size: int,
        spans: Sequence[float],
        n_recent: int,
        recalls: Sequence[int] = (),
        soft_recall: SoftRecall | None = None,
        tells_time: bool = False,
        hears_ends: bool = False,
    ) -> None:
        super().__init__()
        self.out_size = size + tells_time
        self.tells_time = tells_time
        self.tables = nn.ModuleList(nn.Embedding(n, size) for n in EVENT_SIZES)
        self.memory = PitchMemory(spans)
        self.n_memories = len(spans)
        self.n_recent = n_recent
        self.recall = PitchRecall(recalls) if recalls else None
        self.soft_recall = soft_recall
        n_soft = 0 if soft_recall is None else soft_recall.n_planes
        self.hears_ends = hears_ends
        self.head_sizes = {"n_soft": n_soft, "n_ends": int(hears_ends)}
        self.n_planes = n_soft + n_recent + len(recalls) + self.n_memories + hears_ends

    @classmethod
    def build(cls, config: PyzzicatoConfig) -> Self:
        """Returns the embedding that a config describes."""
        size, soft = config.embedding_size, None
        if config.recall_heads:
            soft = SoftRecall(config.recall_heads, size, config.view)
        tells_time = config.backbone in LOOKING_BACK
        return cls(
            size,
            config.memory_spans,
            config.n_recent,
            config.recalls or [],
            soft,
            tells_time,
            config.hears_ends,
        )

    def start(self, batch_size: int) -> Any:
        """Returns the state before the first note."""
        memories = self.memory.start(batch_size)
        # One at least: a state of no rows would be taken for one that grows, see `export.py`.
        earlier = memories.new_zeros(batch_size, max(1, self.n_recent - 1), N_KEYS)
        recall = None if self.recall is None else self.recall.start(batch_size, memories.device)
        soft = None if self.soft_recall is None else self.soft_recall.start(batch_size)
        left = None
        if self.hears_ends:
            left = torch.zeros(batch_size, N_KEYS, dtype=torch.long, device=memories.device)
        return earlier, memories, recall, soft, left

    def forward(self, steps: Tensor, state: Any, dtype: torch.dtype) -> tuple[Tensor, Tensor, Any]:
        """Returns vectors `(B, T, size)`, planes `(B, T, 88, F)` and the state after the last step.

        Args:
            steps: `(B, T, 4)`.
            state: from `start` or the call before.
            dtype: of vectors and planes.
        """
        numbers = steps.long()
        vectors = self._vectors(numbers)
        # Not one_hot: outside of CUDA that reads the numbers to check them, and waits for them.
        struck = (numbers[..., 1:2] == torch.arange(N_KEYS, device=numbers.device)).to(dtype)
        earlier, memories, recall, soft, left = state
        seen = torch.cat((earlier, struck), dim=1)
        first = earlier.shape[1]
        recent = _windows(seen[:, first + 1 - self.n_recent :], self.n_recent)
        remembered, memories = self.memory(struck, memories)
        parts = [recent, remembered]
        if self.recall is not None:
            recalled, recall = self.recall(struck, recall)
            parts.insert(1, recalled.to(remembered.dtype))
        if self.soft_recall is not None:
            recalled, followed, soft = self.soft_recall(numbers, soft)
            parts.insert(0, recalled.to(remembered.dtype))
            vectors = vectors + followed
        if self.tells_time:
            # No buffer: what is not among the weights would be lost when they are loaded.
            ticks = (0.01 * ONSET_TICKS).tolist()
            seconds = torch.tensor(ticks, dtype=vectors.dtype, device=vectors.device)
            passed = seconds[numbers[..., :1]]
            vectors = torch.cat((vectors, passed), dim=-1)
        if left is not None:
            sounding, left = follow_ends(numbers, left)
            parts.append((0.001 * sounding).to(remembered.dtype)[..., None])
        after = seen[:, -first:], memories, recall, soft, left
        return vectors, torch.cat(parts, dim=-1), after

    def _vectors(self, numbers: Tensor) -> Tensor:
        """Returns the sum of the vectors of the four numbers, `(B, T, size)`."""
        if numbers.shape[1] > 1:
            vectors: Tensor = sum(table(numbers[..., i]) for i, table in enumerate(self.tables))
            return vectors
        # The same for one step, in fewer operators: a graph has only this.
        table = torch.cat([cast(nn.Embedding, table).weight for table in self.tables])
        sizes = torch.tensor([0, *EVENT_SIZES[:-1]], device=numbers.device)
        return F.embedding(numbers + sizes.cumsum(0), table).sum(2)
