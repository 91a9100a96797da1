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
_KEY_SIZE = 64
# Weights are small so that they learn as fast as others, and scores so many times larger.
_SHARP = 50.0
_VALUE_SIZE = 64
_ONSETS, _DURATIONS, _VELOCITIES = 57, 48, 16
# Queries looked at together in training: those before a block need not see what comes after it.
_BLOCK = 256
_AGES = 16
# What each of the last notes adds to the score where it is the same, the present one first, and the
# score of a place that nothing followed: for every other head.
_GAINS = (5.0, 5.0, 4.0, 4.0, 3.0, 3.0, 2.0, 2.0), (3.0,) * _GRAM
_NOWHERE = 20.0, 16.0


class SoftRecallState(NamedTuple):
    """What has been played, N notes of it.

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
        self.nowhere = nn.Parameter(
            torch.tensor([_NOWHERE[i % 2] / _SHARP for i in range(n_heads)])
        )
        self.by_age = nn.Parameter(torch.zeros(n_heads, _AGES))
        self.what = nn.ModuleList(
            nn.Embedding(n, _VALUE_SIZE) for n in (_ONSETS, _DURATIONS, _VELOCITIES)
        )
        self.out = nn.Linear(n_heads * _VALUE_SIZE, out_size, bias=False)
        # It says nothing at first, so that a model which has learnt already can be given one.
        nn.init.zeros_(self.out.weight)

        self._match_figures()

    @torch.no_grad()
    def _match_figures(self) -> None:
        """Makes each head begin as a match model: it looks for where the last notes were the same.

        Half of the heads compare intervals, half pitches. Each value has a code, each of the last
        notes a place in queries and keys, and each that is the same adds to the score; so the
        longest match has the most attention, and short ones are outweighed by `nowhere`.
        """
        n = _KEY_SIZE // _GRAM
        for table in (self.interval, self.pitch):
            table.weight[:, :n] = F.normalize(torch.randn_like(table.weight[:, :n]), dim=1)
        weight = self.looks.weight.mul_(0.02).view(2, self.n_heads, _GRAM, n, -1, _GRAM)
        nn.init.zeros_(self.looks.bias)
        for head in range(self.n_heads):
            first = self.interval.embedding_dim if head >= (self.n_heads + 1) // 2 else 0
            for ago, gain in enumerate(_GAINS[head % 2]):
                for i in range(n):
                    place = (first + i, _GRAM - 1 - ago)
                    weight[:, head, ago, i, *place] = (gain / _SHARP) ** 0.5

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
        past = [part.rows(self.view - 1).to(query.dtype) for part in (state.keys, state.followed)]
        new = [places[:, :-1], followed]
        read = (self._read_once if numbers.shape[1] == 1 else self._read)(query, past, new)
        as_was, moved, vectors = read.split((N_KEYS, _N_MOVES, _VALUE_SIZE), dim=-1)
        planes = torch.cat((as_was, _from_here(moved, pitch)), dim=2).transpose(2, 3)
        after = SoftRecallState(
            Growing(past[0], new[0]),
            Growing(past[1], new[1]),
            gram[:, -(_GRAM - 1) :],
            places[:, -1:],
            pitch[:, -1:],
        )
        return planes, self.out(vectors.flatten(2)), after

    def _read(self, query: Tensor, past: list[Tensor], new: list[Tensor]) -> Tensor:
        """Returns `(B, T, H, V)`, what each head reads after each note.

        Args:
            query: `(B, T, C)`.
            past: keys and what followed, of the notes before, `(B, N, ...)`.
            new: those of the T notes.
        """
        n_notes, n_past = query.shape[1], past[0].shape[1]
        keys, followed = (torch.cat(rows, dim=1) for rows in zip(past, new, strict=True))
        q, keys = (
            t.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for t in (query * _SHARP, keys)
        )
        parts = []
        for first in range(0, n_notes, _BLOCK):
            last = n_past + min(first + _BLOCK, n_notes)
            places = torch.arange(last, device=q.device)
            bias = self._bias(places[n_past + first :, None] - places).to(q.dtype)
            scores = q[:, :, first : last - n_past] @ keys[:, :, :last].mT + bias
            weights = self._rest(scores).to(followed.dtype)
            read = weights.flatten(1, 2) @ followed[:, :last]
            parts.append(read.unflatten(1, (self.n_heads, -1)))
        return torch.cat(parts, dim=2).transpose(1, 2)

    def _read_once(self, query: Tensor, past: list[Tensor], new: list[Tensor]) -> Tensor:
        """Returns `(B, 1, H, V)` for one note: the same sums, and no copy of the past.

        Each head's query stands in its own channels, zeros in the others', so that past rows are
        read as they lie.
        """
        heads = torch.arange(self.n_heads, device=query.device)
        own = torch.arange(self.width, device=query.device) // _KEY_SIZE == heads[:, None]
        q = query * _SHARP * own.to(query.dtype)  # (B, H, C)
        (old_keys, old_followed), (key, followed) = past, new
        n_past = old_keys.shape[1]
        ages = n_past - torch.arange(n_past, device=q.device)
        scores = torch.cat(
            (
                q @ old_keys.transpose(1, 2) + self._bias(ages).to(q.dtype),
                (q * key).sum(-1, keepdim=True) + self._bias(ages.new_zeros(1)).to(q.dtype),
            ),
            dim=-1,
        )
        weights = self._rest(scores[:, :, None])[:, :, 0]
        read = weights[..., :-1] @ old_followed + weights[..., -1:] * followed
        return read[:, None]

    def _rest(self, scores: Tensor) -> Tensor:
        """Returns shares of attention for scores `(B, H, T, N)`; what is left rests on nothing."""
        nothing = (_SHARP * self.nowhere).to(scores.dtype)[:, None, None]
        nothing = nothing.expand(scores.shape[0], -1, scores.shape[2], -1)
        return torch.cat((scores, nothing), dim=-1).softmax(-1)[..., :-1]

    def _bias(self, age: Tensor) -> Tensor:
        """Returns `(H, ...)` for ages `(...)` in notes; places that none may see are far below."""
        level = (age.clamp(min=0) + 1).float().log2().round().long().clamp(max=_AGES - 1)
        unseen = (age < 0) | (age >= self.view)
        return torch.where(unseen, -1e9, _SHARP * self.by_age[:, level])


def _from_here(moved: Tensor, pitch: Tensor) -> Tensor:
    """Returns `(B, T, H, 88)` planes of intervals `(B, T, H, 97)` counted from each note's key."""
    keys = torch.arange(N_KEYS, device=pitch.device)
    place = keys - pitch[..., None] + REACH
    place = torch.where((place < 0) | (place >= _N_MOVES), _N_MOVES, place)
    padded = F.pad(moved, (0, 1))
    return padded.gather(-1, place[:, :, None].expand(-1, -1, moved.shape[2], -1))
