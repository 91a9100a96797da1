"""A learnt recall: where the piece has been before as it is now, and what followed there.

Attention over past notes whose queries and keys are made of the last few intervals, pitches, onset
steps and durations alone, so that like places find each other wherever they stand. What is read
there is the note that followed: its pitch as it was, and moved by the interval between that place
and now, as planes of 88 keys for the head; its other numbers as a vector for the backbone. It is
the soft counterpart of the match model in `recall.py`, with the pointers of Vinyals et al. 2015,
"Pointer Networks", on n-grams.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .pitch import N_KEYS
from .state import Growing

REACH = 48
"""Semitones up or down that a recalled interval may have; wider ones say nothing."""
_N_MOVES = 2 * REACH + 1
_GRAM = 8
_KEY_SIZE = 32
_VALUE_SIZE = 64
_ONSETS, _DURATIONS, _VELOCITIES = 57, 48, 16
# Queries looked at together in training: those before a block need not see what comes after it.
_BLOCK = 256
_AGES = 16


class SoftRecallState(NamedTuple):
    """What has been heard, N notes of it.

    Attributes:
        keys: rows of C numbers, what each place looked like that a note followed; the place before
            the first note is one of them.
        followed: rows of V numbers, the note that followed each place.
        gram: `(B, 7, U)`, the last notes as vectors.
        key: `(B, 1, C)`, of the last place, which nothing has followed yet.
        pitch: `(B, 1)` of the last note, as a number; -1 before the first.
    """

    keys: Growing
    followed: Growing
    gram: Tensor
    key: Tensor
    pitch: Tensor


class SoftRecall(nn.Module):
    """What followed where the piece was as it is now: `(B, T, 4)` notes -> planes and vectors.

    Args:
        n_heads: attention heads H, each with two planes.
        out_size: channels of the vectors.
        view: notes that are looked back on, 1 or more.
    """

    def __init__(self, n_heads: int, out_size: int, view: int) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.n_planes = 2 * n_heads
        self.view = view
        self.interval = nn.Embedding(_N_MOVES + 1, 16)
        self.pitch = nn.Embedding(N_KEYS, 16)
        self.onset = nn.Embedding(_ONSETS, 12)
        self.duration = nn.Embedding(_DURATIONS, 12)
        self.gram_size = 56
        self.width = n_heads * _KEY_SIZE
        self.looks = nn.Linear(_GRAM * self.gram_size, 2 * self.width)
        # Where nothing is alike, attention rests on a place that nothing followed.
        self.nowhere = nn.Parameter(torch.zeros(n_heads))
        self.by_age = nn.Parameter(torch.zeros(n_heads, _AGES))
        self.what = nn.ModuleList(
            nn.Embedding(n, _VALUE_SIZE) for n in (_ONSETS, _DURATIONS, _VELOCITIES)
        )
        self.out = nn.Linear(n_heads * _VALUE_SIZE, out_size, bias=False)
        # It says nothing at first, so that a model which has learnt already can be given one.
        nn.init.zeros_(self.out.weight)

    def start(self, batch_size: int) -> SoftRecallState:
        """Returns the state before the first note."""
        zeros = self.nowhere.new_zeros
        n_values = N_KEYS + _N_MOVES + _VALUE_SIZE
        return SoftRecallState(
            Growing(zeros(batch_size, 0, self.width)),
            Growing(zeros(batch_size, 0, n_values)),
            zeros(batch_size, _GRAM - 1, self.gram_size),
            zeros(batch_size, 1, self.width),
            torch.full((batch_size, 1), -1, dtype=torch.long, device=self.nowhere.device),
        )

    def forward(
        self, numbers: Tensor, state: SoftRecallState
    ) -> tuple[Tensor, Tensor, SoftRecallState]:
        """Returns planes `(B, T, 88, 2 H)`, vectors `(B, T, C)` and the state after the last note.

        The first H planes hold how much speaks for each key as it was, the others moved; together
        at most 1 in each.

        Args:
            numbers: `(B, T, 4)` whole numbers.
            state: from `start` or the call before.
        """
        onset, pitch, duration, velocity = numbers.unbind(-1)
        before = torch.cat((state.pitch, pitch[:, :-1]), dim=1)
        move = pitch - before + REACH
        move = torch.where((before < 0) | (move < 0) | (move >= _N_MOVES), _N_MOVES, move)
        parts = (self.interval(move), self.pitch(pitch), self.onset(onset), self.duration(duration))
        gram = torch.cat((state.gram, torch.cat(parts, dim=-1)), dim=1)
        wide = gram.unfold(1, _GRAM, 1).flatten(2)
        query, place = self.looks(wide).chunk(2, dim=-1)
        places = torch.cat((state.key.to(place.dtype), place), dim=1)
        what = sum(
            table(n) for table, n in zip(self.what, (onset, duration, velocity), strict=True)
        )
        followed = torch.cat(
            (
                F.one_hot(pitch, N_KEYS).to(query.dtype),
                F.one_hot(move, _N_MOVES + 1)[..., :_N_MOVES].to(query.dtype),
                what.to(query.dtype),
            ),
            dim=-1,
        )
        past_keys, past_followed = (
            part.rows(self.view - 1).to(query.dtype) for part in (state.keys, state.followed)
        )
        if numbers.shape[1] == 1:
            read = self._read_once(query, (places[:, :1], followed), (past_keys, past_followed))
        else:
            keys = torch.cat((past_keys, places[:, :-1]), dim=1)
            values = torch.cat((past_followed, followed), dim=1)
            read = self._read(query, keys, values, past_keys.shape[1])
        as_was, moved, vectors = read.split((N_KEYS, _N_MOVES, _VALUE_SIZE), dim=-1)
        planes = torch.cat((as_was, _from_here(moved, pitch)), dim=2).transpose(2, 3)
        after = SoftRecallState(
            Growing(past_keys, places[:, :-1]),
            Growing(past_followed, followed),
            gram[:, -(_GRAM - 1) :],
            places[:, -1:],
            pitch[:, -1:],
        )
        return planes, self.out(vectors.flatten(2)), after

    def _read(self, query: Tensor, keys: Tensor, values: Tensor, n_before: int) -> Tensor:
        """Returns `(B, T, H, V)`, what each head reads after each note."""
        batch, n_notes, _ = query.shape
        q = (query * _KEY_SIZE**-0.5).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        k = keys.unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
        sink = self.nowhere.to(query.dtype)[None, :, None, None].expand(batch, -1, n_notes, -1)
        parts = []
        for first in range(0, n_notes, _BLOCK):
            last = min(first + _BLOCK, n_notes)
            n_keys = n_before + last
            age = torch.arange(n_before + first, n_keys, device=q.device)[:, None]
            bias = self._bias(age - torch.arange(n_keys, device=q.device)).to(q.dtype)
            scores = q[:, :, first:last] @ k[:, :, :n_keys].transpose(2, 3) + bias
            weights = torch.cat((scores, sink[:, :, first:last]), dim=-1).softmax(-1)[..., :-1]
            read = weights.to(values.dtype).flatten(1, 2) @ values[:, :n_keys]
            parts.append(read.unflatten(1, (self.n_heads, -1)))
        return torch.cat(parts, dim=2).transpose(1, 2)

    def _read_once(
        self, query: Tensor, new: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Returns `(B, 1, H, V)` for one note: the same sums, and no copy of the past.

        Each head's query stands in its own channels, zeros in the others', so that past rows are
        read as they lie.
        """
        heads = torch.arange(self.n_heads, device=query.device)
        own = torch.arange(self.width, device=query.device) // _KEY_SIZE == heads[:, None]
        q = query * own.to(query.dtype) * _KEY_SIZE**-0.5  # (B, H, C)
        (key, value), (keys, values) = new, past
        ages = keys.shape[1] - torch.arange(keys.shape[1], device=q.device)
        sink = self.nowhere.to(q.dtype)[:, None].expand(q.shape[0], -1, -1)
        scores = torch.cat(
            (
                q @ keys.transpose(1, 2) + self._bias(ages).to(q.dtype),
                (q * key).sum(-1, keepdim=True) + self._bias(ages.new_zeros(1)).to(q.dtype),
                sink,
            ),
            dim=-1,
        )
        weights = scores.softmax(-1)
        read = weights[..., :-2] @ values + weights[..., -2:-1] * value
        return read[:, None]

    def _bias(self, age: Tensor) -> Tensor:
        """Returns `(H, ...)` for ages `(...)` in notes; places that none may see are far below."""
        level = (age.clamp(min=0) + 1).float().log2().round().long().clamp(max=_AGES - 1)
        unseen = (age < 0) | (age >= self.view)
        return torch.where(unseen, -1e9, self.by_age[:, level])


def _from_here(moved: Tensor, pitch: Tensor) -> Tensor:
    """Returns `(B, T, H, 88)` planes of intervals `(B, T, H, 97)` counted from each note's key."""
    keys = torch.arange(N_KEYS, device=pitch.device)
    place = keys - pitch[..., None] + REACH
    place = torch.where((place < 0) | (place >= _N_MOVES), _N_MOVES, place)
    padded = F.pad(moved, (0, 1))
    return padded.gather(-1, place[:, :, None].expand(-1, -1, moved.shape[2], -1))
