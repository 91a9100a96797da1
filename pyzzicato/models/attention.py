"""Attention over note events that knows how many notes and seconds lie between, above an LSTM.

The LSTM knows what has just been played and in which order, the blocks look back over the piece (as
in Merity 2019, "Single Headed Attention RNN", arXiv:1911.11423). Blocks with RMS norms before
attention and the dense layers (Zhang & Sennrich 2019, "Root Mean Square Layer Normalization"),
rotary positions (Su et al. 2021, "RoFormer", arXiv:2104.09864), half of them turned by the number
of the note, half by its time in seconds, and squared ReLU (So et al. 2021, "Primer",
arXiv:2109.08668).
"""

import math
from typing import NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from .config import PyzzicatoConfig
from .lstm import LstmBackbone, LstmState

# Notes and seconds of the shortest and the longest turn.
_NOTE_TURNS = 6.0, 6000.0
_SECOND_TURNS = 0.2, 200.0


class BlockState(NamedTuple):
    """What a block has seen: `keys` and `values` `(B, N, C)`."""

    keys: Tensor
    values: Tensor


class AttentionState(NamedTuple):
    """What the backbone has seen.

    Attributes:
        recurrent: of the LSTM.
        place: `(B, 1, 2)`, how many notes and seconds of the piece have passed.
        blocks: of each block.
    """

    recurrent: LstmState
    place: Tensor
    blocks: tuple[BlockState, ...]


class RmsNorm(nn.Module):
    """Divides each vector by the root of its mean square and scales each channel."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x: Tensor) -> Tensor:
        """Returns `(..., C)` for `(..., C)`."""
        scale = torch.rsqrt(x.float().square().mean(-1, keepdim=True) + 1e-6)
        return x * scale.to(x.dtype) * self.weight


class Block(nn.Module):
    """Attention and two dense layers, each added to what goes past them.

    Args:
        size: channels C.
        n_heads: heads.
        n_dense: channels between the two dense layers.
        view: notes seen, the present one among them.
        dropout: share of what is added dropped in training.
    """

    def __init__(self, size: int, n_heads: int, n_dense: int, view: int, dropout: float) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.view = view
        self.before = RmsNorm(size)
        self.qkv = nn.Linear(size, 3 * size, bias=False)
        self.out = nn.Linear(size, size, bias=False)
        self.between = RmsNorm(size)
        self.dense1 = nn.Linear(size, n_dense)
        self.dense2 = nn.Linear(n_dense, size)
        self.dropout = nn.Dropout(dropout)
        for last in (self.out, self.dense2):
            nn.init.zeros_(last.weight)
        nn.init.zeros_(self.dense2.bias)

    def start(self, batch_size: int) -> BlockState:
        """Returns the state before the first note."""
        size = self.out.weight.shape[0]
        nothing = self.out.weight.new_zeros(batch_size, 0, size)
        return BlockState(nothing, nothing)

    def forward(self, x: Tensor, turns: Tensor, past: BlockState) -> tuple[Tensor, BlockState]:
        """Returns `(B, T, C)` and what joins the past: `keys` and `values` `(B, T, C)`.

        Args:
            x: `(B, T, C)`.
            turns: `(B, T, 2, C / H / 2)`, cosine and sine of each pair's angle.
            past: up to `view - 1` notes before, from `start` and `append`.
        """
        q, k, v = self.qkv(self.before(x)).chunk(3, dim=-1)
        turns = turns.to(q.dtype)
        new = BlockState(_turn(k, turns, self.n_heads), v)
        seen = self._attend(_turn(q, turns, self.n_heads), past, new)
        x = x + self.dropout(self.out(seen))
        units = torch.relu(self.dense1(self.between(x))).square()
        return x + self.dropout(self.dense2(units)), new

    def _attend(self, q: Tensor, past: BlockState, new: BlockState) -> Tensor:
        q, *rows = (t.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for t in (q, *past, *new))
        old_keys, old_values, keys, values = rows
        n_notes, n_past = q.shape[2], old_keys.shape[2]
        if n_notes == 1:
            # A step reads what is kept where it lies.
            scale = q.shape[-1] ** -0.5
            scores = torch.cat((q @ old_keys.mT, q @ keys.mT), dim=-1) * scale
            old, present = scores.softmax(-1).tensor_split([-1], dim=-1)
            seen = old @ old_values + present @ values
        elif not n_past and n_notes <= self.view:
            seen = F.scaled_dot_product_attention(q, keys, values, is_causal=True)
        else:
            keys, values = torch.cat((old_keys, keys), dim=2), torch.cat((old_values, values), 2)
            places = torch.arange(n_past + n_notes, device=q.device)
            ages = places[n_past:, None] - places
            is_seen = (ages >= 0) & (ages < self.view)
            seen = F.scaled_dot_product_attention(q, keys, values, attn_mask=is_seen)
        joined: Tensor = seen.transpose(1, 2).flatten(2)
        return joined


def append(past: Tensor, new: Tensor, view: int) -> Tensor:
    """Returns `(B, N, C)`: of the past and what joins it, what a later note may look back on."""
    joined = torch.cat((past.to(new.dtype), new), dim=1)
    return joined[:, max(0, joined.shape[1] - (view - 1)) :]


class AttentionBackbone(LstmBackbone):
    """The LSTM with its dense layers, and `n_blocks` blocks above it.

    The last channel of what it is given is how many seconds after the note before each was struck.
    A block says nothing at first, so that an LSTM which has learnt already can be given some.
    """

    def __init__(self, in_size: int, config: PyzzicatoConfig) -> None:
        super().__init__(in_size - 1, config)
        size = config.dense_size
        self.blocks = nn.ModuleList(
            Block(size, config.n_heads, 4 * size, config.view, config.dropout)
            for _ in range(config.n_blocks)
        )
        self.view = config.view
        self.rates = _rates(size // config.n_heads // 2)

    def start(self, batch_size: int) -> AttentionState:  # type: ignore[override]
        """Returns the state before the first note."""
        place = self.dense1.weight.new_zeros(batch_size, 1, 2)
        blocks = tuple(cast(Block, block).start(batch_size) for block in self.blocks)
        return AttentionState(super().start(batch_size), place, blocks)

    def forward(  # type: ignore[override]
        self, x: Tensor, state: AttentionState
    ) -> tuple[Tensor, AttentionState]:
        """Returns hidden `(B, T, C)` for `x` `(B, T, C_in)`, and the state after the last note."""
        y, new = self.grow(x, state)
        blocks = (
            BlockState(*(append(*rows, self.view) for rows in zip(past, fresh, strict=True)))
            for past, fresh in zip(state.blocks, new.blocks, strict=True)
        )
        return y, new._replace(blocks=tuple(blocks))

    def grow(self, x: Tensor, state: AttentionState) -> tuple[Tensor, AttentionState]:
        """Returns the same, but of `blocks` only what joins them (see `Block`)."""
        y, recurrent = super().forward(x[..., :-1], state.recurrent)
        seconds = x[..., -1:].float()
        places = state.place + torch.cat((torch.ones_like(seconds), seconds), dim=-1).cumsum(1)
        angles = places @ torch.tensor(self.rates, device=places.device)
        turns = torch.stack((angles.cos(), angles.sin()), dim=2)
        new = []
        for block, past in zip(self.blocks, state.blocks, strict=True):
            y, rows = block(y, turns, past)
            new.append(rows)
        return y, AttentionState(recurrent, places[:, -1:], tuple(new))


def _rates(n_pairs: int) -> list[list[float]]:
    """Returns radians of each pair of channels: a row for a note, and one for a second.

    Numbers and no buffer: what is not among the weights would be lost when they are loaded.
    """
    by_second = n_pairs // 2
    by_note = n_pairs - by_second
    notes = 2 * math.pi / np.geomspace(*_NOTE_TURNS, by_note)
    seconds = 2 * math.pi / np.geomspace(*_SECOND_TURNS, by_second)
    return [[*notes.tolist(), *[0.0] * by_second], [*[0.0] * by_note, *seconds.tolist()]]


def _turn(x: Tensor, turns: Tensor, n_heads: int) -> Tensor:
    """Returns `(B, T, C)` whose pairs of channels are turned, in each head alike."""
    cos, sin = turns[:, :, None].unbind(3)
    a, b = x.unflatten(-1, (n_heads, 2, -1)).unbind(3)
    return torch.stack((a * cos - b * sin, a * sin + b * cos), dim=3).flatten(2)
