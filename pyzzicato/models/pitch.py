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


class PitchMemory(nn.Module):
    """Decaying memories of which keys were struck: `(B, T, 88)` -> `(B, T, 88, F)`.

    Memory f after step t is the sum over steps s <= t of `exp(-(t - s) / spans[f])` times what was
    struck at s, divided by the root of its span so that all memories have like sizes.

    Args:
        spans: steps after which a memory has faded to 1/e, one for each of the F memories.
    """

    def __init__(self, spans: Sequence[float]) -> None:
        super().__init__()
        lengths = torch.tensor(list(spans), dtype=torch.float32)
        self.register_buffer("decay", torch.exp(-1 / lengths))
        self.register_buffer("scale", lengths.rsqrt())
        self.decay: Tensor
        self.scale: Tensor

    def start(self, batch_size: int) -> Tensor:
        """Returns the memories before the first step: `(B, 88, F)` zeros."""
        return self.decay.new_zeros(batch_size, N_KEYS, len(self.decay))

    def forward(self, struck: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the memories after each step, scaled, and the bare ones after the last.

        Args:
            struck: `(B, T, 88)` zeros and ones.
            state: `(B, 88, F)` from `start` or the call before.
        """
        n = struck.shape[1]
        if n == 1:
            state = self.decay * state + struck[:, 0, :, None]
            return (state * self.scale)[:, None], state
        steps = torch.arange(n, device=struck.device)
        age = steps[:, None] - steps
        fading = torch.where(age >= 0, self.decay[:, None, None] ** age.clamp(min=0), 0.0)
        memories = torch.einsum("fts,bsk->btkf", fading, struck)
        older = self.decay ** (steps[:, None] + 1)
        memories = memories + older[None, :, None, :] * state[:, None]
        return memories * self.scale, memories[:, -1]


class PitchNet(nn.Module):
    """Two convolutions along the keys, modulated by the backbone: `(N, 88, F)` -> `(N, 88, H)`.

    The backbone's vector scales and shifts each channel (FiLM, Perez et al. 2018) the same for all
    keys, so the output is equivariant to transposition of the history, up to the keyboard's edges.

    Args:
        n_planes: F.
        n_hidden: H, channels after each convolution.
        context_size: channels of the backbone's vector.
        kernels: keys the two convolutions span, odd.
    """

    def __init__(
        self,
        n_planes: int,
        n_hidden: int,
        context_size: int,
        kernels: tuple[int, int] = (37, 13),
    ) -> None:
        super().__init__()
        first, second = kernels
        self.reach = first // 2 + second // 2
        # Of height 1: with the channels last in memory a CPU runs these two to three times as fast
        # as convolutions of one dimension.
        self.conv1 = nn.Conv2d(n_planes, n_hidden, (1, first), padding=(0, first // 2))
        self.conv2 = nn.Conv2d(n_hidden, n_hidden, (1, second), padding=(0, second // 2))
        self.film = nn.Linear(context_size, 2 * n_hidden)

    def forward(self, planes: Tensor, context: Tensor) -> Tensor:
        """Returns `(N, 88, H)` for planes `(N, 88, F)` and context `(N, C)`."""
        scale, shift = self.film(context)[:, :, None, None].chunk(2, dim=1)
        x = planes.transpose(1, 2)[:, :, None]  # (N, F, 1, 88), channels last in memory
        x = torch.relu(self.conv1(x) * (1 + scale) + shift)
        out: Tensor = self.conv2(x)[:, :, 0].transpose(1, 2)
        return out
