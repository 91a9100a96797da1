"""Which keys sound, for how much longer, and what that says of the next note.

A lifted pedal ends many notes at once. A note event says when its own note will end, so the ends
are known; but a network would have to add up the times of all notes since to know them. Here they
are added up for it.
"""

import numpy as np
import torch
from torch import Tensor, nn

from .pitch import N_KEYS

ONSET_TICKS = np.unique(np.concatenate([np.arange(11), np.geomspace(11, 400, 46).round()]))
"""Hundredths of a second of each onset step, as in `representations/event_bins.py`."""
DURATIONS_S = np.geomspace(0.03, 6.0, 48)
"""Seconds of each duration, likewise."""
PAST_MS = 4000
"""A key that ended longer ago is like one that has never been struck."""
_LEAST_S = 0.0005
# Durations are rounded by up to 6 %: long notes end further from where they were to.
_NEAR_S = 0.03, 0.1, 0.3
N_HELD = 2 + len(_NEAR_S)
"""Planes that `lay_out` makes."""
_CHANNELS = 12
_KERNELS = 7, 5


def follow_ends(notes: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Returns how many ms each key goes on sounding after each note is struck, and the state.

    Below 0 is how long ago it ended, down to `-PAST_MS`. A key that is struck again sounds for as
    long as its new note. Whole numbers, so that step by step and in a whole the sums are the same.

    Args:
        notes: `(B, T, 4)` whole numbers.
        state: `(B, 88)` from the call before; zeros at the beginning.

    Returns:
        `(B, T, 88)` and `(B, 88)`.
    """
    onsets = torch.tensor((10 * ONSET_TICKS).astype(int).tolist(), device=notes.device)
    lengths = torch.tensor((1000 * DURATIONS_S).round().astype(int).tolist(), device=notes.device)
    keys = torch.arange(N_KEYS, device=notes.device)
    left = state - PAST_MS
    struck = notes[..., 1:2] == keys
    passed, lasts = onsets[notes[..., 0]], lengths[notes[..., 2]]
    if notes.shape[1] == 1:  # As below, without a table of places: a graph has only this.
        after = torch.where(struck[:, 0], lasts, (left - passed).clamp(min=-PAST_MS))
        return after[:, None], after + PAST_MS
    times = passed.cumsum(1)[..., None]
    ends = torch.cat((left[:, None], torch.where(struck, times + lasts[..., None], 0)), dim=1)
    # Where each key was struck last; 0 is before the first note.
    places = torch.arange(1, notes.shape[1] + 1, device=notes.device)[:, None]
    last = torch.where(struck, places, 0).cummax(1).values
    after = (ends.gather(1, last) - times).clamp(min=-PAST_MS)
    return after, after[:, -1] + PAST_MS


def pass_time(left: Tensor, onset: Tensor) -> Tensor:
    """Returns seconds that each key goes on sounding, `(N, 88)`, after an onset step `(N,)`."""
    seconds = torch.tensor((0.01 * ONSET_TICKS).tolist(), dtype=left.dtype, device=left.device)
    return (left - seconds[onset][:, None]).clamp(min=-0.001 * PAST_MS)


def lay_out(left: Tensor) -> Tensor:
    """Returns planes of the keys, `(N, 88, N_HELD)`, from seconds left `(N, 88)`.

    Does it sound, for how long (`log(1 + s)`), and is it about to end or has it just ended, by
    three measures of how near that is.
    """
    sounds = (left > _LEAST_S).to(left.dtype)
    near = [torch.exp(-left.abs() / scale) for scale in _NEAR_S]
    return torch.stack((sounds, left.clamp(min=0).log1p(), *near), dim=-1)


class EndReader(nn.Module):
    """What the ends to come say of a time: `(N, 88)` seconds -> `(N, n)` logits, `(N, C)` vectors.

    The ends are counted along the bins of the time that is to be chosen, each shared between the
    two bins it lies between, and read by two convolutions along the bins, which the hidden vector
    scales and shifts (FiLM, Perez et al. 2018). It says nothing at first, so that a head which has
    learnt already can be given one.

    Args:
        size: channels C of the hidden vector.
        bins: n times, rising, in seconds.
        in_ratios: whether bins lie in equal ratios, not in equal differences.
    """

    def __init__(self, size: int, bins: list[float], in_ratios: bool) -> None:
        super().__init__()
        self.in_ratios = in_ratios
        # Numbers and no buffer: what is not among the weights would be lost when they are loaded.
        self._bins = np.log(bins).tolist() if in_ratios else list(bins)
        first, second = _KERNELS
        self.conv1 = nn.Conv2d(1, _CHANNELS, (1, first), padding=(0, first // 2))
        self.conv2 = nn.Conv2d(_CHANNELS, 1, (1, second), padding=(0, second // 2), bias=False)
        self.film = nn.Linear(size, 2 * _CHANNELS)
        self.enter = nn.Linear(len(bins), size, bias=False)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.enter.weight)

    def forward(self, left: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Returns logits `(N, n)` and what is to be added to the hidden vectors, `(N, C)`.

        Args:
            left: `(N, 88)` seconds that each key goes on sounding, 0 or less where it does not.
            hidden: `(N, C)`, or more of them for one past `(1, 88)`.
        """
        counts = self.count(left)
        scale, shift = self.film(hidden)[:, :, None, None].chunk(2, dim=1)
        units = torch.relu(self.conv1(counts[:, None, None]) * (1 + scale) + shift)
        return self.conv2(units)[:, 0, 0], self.enter(counts)

    def count(self, left: Tensor) -> Tensor:
        """Returns how many keys end in each bin, `(N, n)`; beyond the last is in the last."""
        bins = torch.tensor(self._bins, dtype=left.dtype, device=left.device)
        sounds = (left > _LEAST_S).to(left.dtype)
        times = left.clamp(min=_LEAST_S).log() if self.in_ratios else left
        # How much of the way from each bin to the next lies before an end.
        gone = ((times[..., None] - bins[:-1]) / (bins[1:] - bins[:-1])).clamp(0, 1)
        beyond = (sounds[:, None] @ gone)[:, 0]
        all_ends = sounds.sum(1, keepdim=True)
        nothing = torch.zeros_like(all_ends)
        return torch.cat((all_ends, beyond), dim=1) - torch.cat((beyond, nothing), dim=1)
