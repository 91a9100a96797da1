"""Attention over note events that knows how many notes and seconds lie between.

The blocks look back over the piece, either above an LSTM, which knows what has just been played and
in which order (as in Merity 2019, "Single Headed Attention RNN", arXiv:1911.11423), or alone, as a
transformer (Vaswani et al. 2017, arXiv:1706.03762). Blocks with RMS norms before attention and the
dense layers (Zhang & Sennrich 2019, "Root Mean Square Layer Normalization"),
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
from .state import Growing

# Notes and seconds of the shortest and the longest turn.
_NOTE_TURNS = 6.0, 6000.0
_SECOND_TURNS = 0.2, 200.0


class BlockState(NamedTuple):
    """What a block has seen: keys and values, rows of C numbers."""

    keys: Growing
    values: Growing


class BlocksState(NamedTuple):
    """What a row of blocks has seen.

    Attributes:
        place: `(B, 1, 2)`, how many notes and seconds of the piece have passed.
        blocks: of each block.
    """

    place: Tensor
    blocks: tuple[BlockState, ...]


class AttentionState(NamedTuple):
    """What the LSTM and the blocks above it have seen."""

    recurrent: LstmState
    above: BlocksState


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
        return BlockState(Growing(nothing), Growing(nothing))

    def forward(self, x: Tensor, turns: Tensor, state: BlockState) -> tuple[Tensor, BlockState]:
        """Returns `(B, T, C)` and the state after the last note.

        Args:
            x: `(B, T, C)`.
            turns: `(B, T, 2, C / H / 2)`, cosine and sine of each pair's angle.
            state: from `start` or the call before.
        """
        q, k, v = self.qkv(self.before(x)).chunk(3, dim=-1)
        turns = turns.to(q.dtype)
        q, k = _turn(q, turns, self.n_heads), _turn(k, turns, self.n_heads)
        past_keys, past_values = (part.rows(self.view - 1).to(k.dtype) for part in state)
        if x.shape[1] == 1:
            seen = self._attend_once(q, (k, v), (past_keys, past_values))
        else:
            keys = torch.cat((past_keys, k), dim=1)
            seen = self._attend(q, keys, torch.cat((past_values, v), dim=1))
        x = x + self.dropout(self.out(seen))
        units = torch.relu(self.dense1(self.between(x))).square()
        x = x + self.dropout(self.dense2(units))
        return x, BlockState(Growing(past_keys, k), Growing(past_values, v))

    def _attend(self, q: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        heads = [t.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for t in (q, keys, values)]
        n_notes, n_seen = q.shape[1], keys.shape[1]
        is_seen = None
        if n_notes < n_seen or n_seen > self.view:
            ages = torch.arange(n_seen - n_notes, n_seen, device=q.device)[:, None]
            ages = ages - torch.arange(n_seen, device=q.device)
            is_seen = (ages >= 0) & (ages < self.view)
        seen = F.scaled_dot_product_attention(
            heads[0], heads[1], heads[2], attn_mask=is_seen, is_causal=is_seen is None
        )
        return seen.transpose(1, 2).flatten(2)

    def _attend_once(
        self, q: Tensor, new: tuple[Tensor, Tensor], past: tuple[Tensor, Tensor]
    ) -> Tensor:
        """Returns what one note `(B, 1, C)` sees: the same sums, and no copy of the past.

        Each head's query stands in its own channels, zeros in the others', so that past rows are
        read as they lie.
        """
        size = q.shape[-1]
        heads = torch.arange(self.n_heads, device=q.device)
        own = torch.arange(size, device=q.device) // (size // self.n_heads) == heads[:, None]
        own = own.to(q.dtype)  # (H, C)
        q = q * own * (size // self.n_heads) ** -0.5
        (key, value), (keys, values) = new, past
        ages = keys.shape[1] - torch.arange(keys.shape[1], device=q.device)
        scores = q @ keys.transpose(1, 2) + torch.where(ages < self.view, 0.0, -1e9)
        scores = torch.cat((scores, (q * key).sum(-1, keepdim=True)), dim=-1)
        weights = scores.softmax(-1)  # (B, H, N + 1)
        read = weights[..., :-1] @ values + weights[..., -1:] * value
        return (read * own).sum(1, keepdim=True)


class Blocks(nn.ModuleList):
    """`n_blocks` blocks, one above the other.

    A block says nothing at first, so that an LSTM which has learnt already can be given some.
    """

    def __init__(self, config: PyzzicatoConfig) -> None:
        size = config.dense_size
        super().__init__(
            Block(size, config.n_heads, 4 * size, config.view, config.dropout)
            for _ in range(config.n_blocks)
        )
        self.rates = _rates(size // config.n_heads // 2)

    def start(self, batch_size: int) -> BlocksState:
        """Returns the state before the first note."""
        place = next(self.parameters()).new_zeros(batch_size, 1, 2)
        return BlocksState(place, tuple(cast(Block, block).start(batch_size) for block in self))

    def forward(self, y: Tensor, seconds: Tensor, state: BlocksState) -> tuple[Tensor, BlocksState]:
        """Returns `(B, T, C)` and the state after the last note.

        Args:
            y: `(B, T, C)`.
            seconds: `(B, T, 1)`, how many after the note before each was struck.
            state: from `start` or the call before.
        """
        seconds = seconds.float()
        places = state.place + torch.cat((torch.ones_like(seconds), seconds), dim=-1).cumsum(1)
        angles = places @ torch.tensor(self.rates, device=places.device)
        turns = torch.stack((angles.cos(), angles.sin()), dim=2)
        after = []
        for block, past in zip(self, state.blocks, strict=True):
            y, past = block(y, turns, past)
            after.append(past)
        return y, BlocksState(places[:, -1:], tuple(after))


class AttentionBackbone(LstmBackbone):
    """The LSTM with its dense layers, and blocks above it.

    The last channel of what it is given is how many seconds after the note before each was struck.
    """

    def __init__(self, in_size: int, config: PyzzicatoConfig) -> None:
        super().__init__(in_size - 1, config)
        self.blocks = Blocks(config)

    def start(self, batch_size: int) -> AttentionState:  # type: ignore[override]
        """Returns the state before the first note."""
        return AttentionState(super().start(batch_size), self.blocks.start(batch_size))

    def forward(  # type: ignore[override]
        self, x: Tensor, state: AttentionState
    ) -> tuple[Tensor, AttentionState]:
        """Returns hidden `(B, T, C)` for `x` `(B, T, C_in)`, and the state after the last note."""
        y, recurrent = super().forward(x[..., :-1], state.recurrent)
        y, above = self.blocks(y, x[..., -1:], state.above)
        return y, AttentionState(recurrent, above)


class TransformerBackbone(nn.Module):
    """Blocks alone.

    The last channel of what it is given is how many seconds after the note before each was struck.
    """

    def __init__(self, in_size: int, config: PyzzicatoConfig) -> None:
        super().__init__()
        self.enter = nn.Linear(in_size - 1, config.dense_size)
        self.blocks = Blocks(config)
        self.after = RmsNorm(config.dense_size)
        self.out_size = config.dense_size

    def start(self, batch_size: int) -> BlocksState:
        """Returns the state before the first note."""
        return self.blocks.start(batch_size)

    def forward(self, x: Tensor, state: BlocksState) -> tuple[Tensor, BlocksState]:
        """Returns hidden `(B, T, C)` for `x` `(B, T, C_in)`, and the state after the last note."""
        y, state = self.blocks(self.enter(x[..., :-1]), x[..., -1:], state)
        return self.after(y), state


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
