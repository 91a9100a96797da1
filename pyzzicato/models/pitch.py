"""What has sounded, laid out along the keys, and networks that read it alike in every key.

Tonality is a matter of intervals, not of keys: a network that is shared along the pitch axis learns
a chord once and knows it in all twelve keys. Convolutions along pitch are equivariant to
transposition, as the tied networks of Johnson 2017, "Generating Polyphonic Music Using Tied
Parallel Networks", are.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

N_KEYS = 88
OCTAVE = 12
_BLOCK = 128
_LEAST = 1e-3


def evidence(shares: Tensor) -> Tensor:
    """Returns how much shares of attention speak for their keys: 0 to 7, as log-odds do."""
    return (shares.clamp(min=0) / _LEAST + 1).log()


class PitchMemory(nn.Module):
    """Decaying memories of which keys were struck: `(B, T, 88)` -> `(B, T, 88, F)`.

    Memory f after step t is the sum over steps s <= t of `exp(-(t - s) / spans[f])` times what was
    struck at s, divided by the same sum over all keys together (plus one, for times when little was
    struck): shares of the keys. A memory as long as a piece therefore reads alike after ten seconds
    and after ten minutes, and dense playing does not make the memories grow.

    Args:
        spans: steps after which a memory has faded to 1/e, one for each of the F memories.
    """

    GAIN = 8.0
    """Shares of 88 keys are small numbers; so many times larger they suit the networks."""

    def __init__(self, spans: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("decay", torch.exp(-1 / torch.tensor(list(spans))))
        self.decay: Tensor

    def start(self, batch_size: int) -> Tensor:
        """Returns the bare sums before the first step: `(B, 88, F)` zeros."""
        return self.decay.new_zeros(batch_size, N_KEYS, len(self.decay))

    def forward(self, struck: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the shares after each step, and the bare sums after the last.

        Args:
            struck: `(B, T, 88)` zeros and ones.
            state: `(B, 88, F)` from `start` or the call before.
        """
        if struck.shape[1] == 1:  # As below, without tables of ages: a graph has only this.
            sums = self.decay * state[:, None] + struck[..., None]
            return self.GAIN * sums / (sums.sum(2, keepdim=True) + 1), sums[:, 0]
        # Block by block: the work grows with the steps and not with their square.
        parts = []
        for block in struck.split(_BLOCK, dim=1):
            sums, state = self._sums(block, state)
            parts.append(sums)
        sums = torch.cat(parts, dim=1)
        return self.GAIN * sums / (sums.sum(2, keepdim=True) + 1), state

    def _sums(self, struck: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        steps = torch.arange(struck.shape[1], device=struck.device)
        age = steps[:, None] - steps
        fading = torch.where(age >= 0, self.decay[:, None, None] ** age.clamp(min=0), 0.0)
        sums = torch.einsum("fts,bsk->btkf", fading, struck)
        older = self.decay ** (steps[:, None] + 1)
        sums = sums + older[None, :, None, :] * state[:, None]
        return sums, sums[:, -1]


class PitchNet(nn.Module):
    """Convolutions along the keys, modulated by the backbone: `(N, 88, F)` -> `(N, 88, H)`.

    The first layer is two convolutions side by side: one along the keys, and one around the circle
    of the twelve pitch classes, which reads the memories folded to one octave: which key the music
    is in is a matter of classes, wherever on the keyboard they sound. The backbone's vector scales
    and shifts each channel (FiLM, Perez et al. 2018) the same for all keys, so the output is
    equivariant to transposition of the history, up to the keyboard's edges.

    Args:
        n_planes: F.
        n_memories: how many of the planes, the last ones, are memories.
        n_hidden: H, channels after each convolution.
        context_size: channels of the backbone's vector.
        kernels: keys the two convolutions span, odd.
        dropout: share of the channels after the first layer dropped in training.
        n_soft: how many of the planes, the first ones, are shares of attention (see
            `soft_recall.py`): each key reads its own, and its logarithm, which adds up as odds do.
        n_held: planes of the keys that sound (see `sounding.lay_out`), which are given apart from
            the others; they say nothing at first.
    """

    def __init__(
        self,
        n_planes: int,
        n_memories: int,
        n_hidden: int,
        context_size: int,
        kernels: tuple[int, int] = (37, 13),
        dropout: float = 0.0,
        n_soft: int = 0,
        n_held: int = 0,
    ) -> None:
        super().__init__()
        first, second = kernels
        self.n_memories = n_memories
        self.reach = first // 2 + second // 2
        # Of height 1: with the channels last in memory a CPU runs these two to three times as fast
        # as convolutions of one dimension.
        self.n_soft = n_soft
        self.soft: nn.Linear | None = None
        if n_soft:
            self.soft = nn.Linear(2 * n_soft, n_hidden, bias=False)
            nn.init.zeros_(self.soft.weight)
        self.held: nn.Conv2d | None = None
        if n_held:
            self.held = nn.Conv2d(n_held, n_hidden, (1, first), padding=(0, first // 2), bias=False)
            nn.init.zeros_(self.held.weight)
        self.conv1 = nn.Conv2d(n_planes - n_soft, n_hidden, (1, first), padding=(0, first // 2))
        self.conv2 = nn.Conv2d(n_hidden, n_hidden, (1, second), padding=(0, second // 2))
        self.classes = nn.Linear(OCTAVE * n_memories, n_hidden, bias=False)
        self.film = nn.Linear(context_size, 2 * n_hidden)
        self.dropout = nn.Dropout(dropout)

    def forward(self, planes: Tensor, context: Tensor, held: Tensor | None = None) -> Tensor:
        """Returns `(N, 88, H)` for planes `(N, 88, F)`, context `(N, C)` and keys that sound."""
        scale, shift = self.film(context)[:, :, None, None].chunk(2, dim=1)
        struck = planes
        if self.n_soft:
            # Nothing is learnt in what was struck: no gradient is worked out for it.
            struck = planes[..., self.n_soft :].detach()
        x = struck.transpose(1, 2)[:, :, None]  # (N, F, 1, 88), channels last in memory
        by_key = self.conv1(x) + self._by_class(struck).transpose(1, 2)[:, :, None]
        if self.soft is not None:
            shares = planes[..., : self.n_soft]
            both = torch.cat((4 * shares, evidence(shares) / 7), dim=-1)
            by_key = by_key + self.soft(both).transpose(1, 2)[:, :, None]
        if self.held is not None and held is not None:
            by_key = by_key + self.held(held.transpose(1, 2)[:, :, None])
        units = self.dropout(torch.relu(by_key * (1 + scale) + shift))
        out: Tensor = self.conv2(units)
        return out.squeeze(2).transpose(1, 2)

    def _by_class(self, planes: Tensor) -> Tensor:
        """Returns how the pitch classes act on each key, `(N, 88, H)`."""
        classes = torch.arange(OCTAVE, device=planes.device)
        class_of = torch.arange(N_KEYS, device=planes.device) % OCTAVE
        belongs = (classes[:, None] == class_of).to(planes.dtype)
        folded = belongs @ planes[..., -self.n_memories :]
        circle = ((classes[:, None] + classes) % OCTAVE).flatten()
        around = folded.index_select(1, circle).unflatten(1, (OCTAVE, OCTAVE)).flatten(2)
        effect: Tensor = self.classes(around)
        return effect.index_select(1, class_of)
