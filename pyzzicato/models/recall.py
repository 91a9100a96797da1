"""What followed the last time: music repeats itself, and a repeat predicts what comes next better
than any network can.

What was just played is looked for earlier in the piece, the longest run of it that can be found
there, and what followed it then is handed to the head: the match model of data compression (for
example Mahoney 2005, "Adaptive weighing of context models for lossless data compression"), and like
it read by a network that has learnt how far to believe it. On a roll the frames of scores are
compared, for those of performances never come back; of note events the pitches.
"""  # noqa: D205

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .pitch import N_KEYS

_BLOCK = 256
_ENDLESS = 2**62


class RecallState(NamedTuple):
    """What has been played.

    Attributes:
        frames: `(B, P, 88)` uint8, all of it.
        runs: `(B, P)`, for each frame, how many frames before it are the same as the last ones; 0
            for the first, which has none before it.
    """

    frames: Tensor
    runs: Tensor


class PitchRecall(nn.Module):
    """What followed the last time: `(B, T, 88)` -> `(B, T, 88, F)`.

    A plane for each length. Where the longest run is at least that long and shorter than the next
    length, the plane has 1 for the keys that sounded in the frame that followed it, and -1 for the
    others; elsewhere it is 0. Of runs of one length the latest counts.

    Args:
        lengths: frames, rising; the F of them.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        super().__init__()
        self.lengths = list(lengths)

    def start(self, batch_size: int, device: torch.device) -> RecallState:
        """Returns the state before the first frame."""
        return RecallState(
            torch.zeros(batch_size, 0, N_KEYS, dtype=torch.uint8, device=device),
            torch.zeros(batch_size, 0, dtype=torch.long, device=device),
        )

    @torch.no_grad()
    def forward(self, steps: Tensor, state: RecallState) -> tuple[Tensor, RecallState]:
        """Returns the planes after each step, float32, and the state after the last.

        Args:
            steps: `(B, T, 88)` zeros and ones.
            state: from `start` or the call before.
        """
        if steps.shape[1] == 1:
            return self._step(steps, state)
        # Block by block: the tables of a whole long piece would fill memory.
        parts = []
        for block in steps.split(_BLOCK, dim=1):
            planes, state = self._block(block, state)
            parts.append(planes)
        return torch.cat(parts, dim=1), state

    def _step(self, steps: Tensor, state: RecallState) -> tuple[Tensor, RecallState]:
        """Does what `_block` does for one step, without tables of lags: a graph has only this."""
        frames, same = self._compare(steps, state)
        n_before, runs = state.frames.shape[1], state.runs
        none = runs.new_zeros(runs.shape[0], 1)
        # A run up to a frame goes on from the run up to the frame before it.
        runs = torch.cat((none, (runs + 1) * same[:, 0, :-1]), dim=1)
        # The latest of the longest.
        best = runs.flip(1).max(1)
        follows = (n_before - best.indices)[:, None]
        return self._planes(frames, follows, best.values[:, None]), RecallState(frames, runs)

    def _block(self, steps: Tensor, state: RecallState) -> tuple[Tensor, RecallState]:
        """Returns the planes after each step and the state, no step waiting for the one before.

        With the frames laid out by how long ago they were (their lag), a run is a stretch of ones
        along the steps at one lag.
        """
        frames, same = self._compare(steps, state)
        n_before, n_steps = state.frames.shape[1], steps.shape[1]
        now = torch.arange(n_steps, device=frames.device)
        lags = torch.arange(1, n_before + n_steps, device=frames.device)
        places = n_before + now[:, None] - lags  # (T, L), below 0 before the piece
        goes_on = same.gather(2, places.clamp(min=0).expand(len(frames), -1, -1)) & (places >= 0)
        # At which step a run was broken off last, and what it had come to before this block.
        at = now[:, None].to(torch.int32)
        broken = torch.where(goes_on, -1, at).cummax(1).values
        runs = at - broken
        if n_before:
            carried = state.runs[:, (n_before - lags).clamp(min=0)]
            runs = runs + (broken < 0) * carried[:, None].to(torch.int32)
        # The latest of the longest: the more the longer the run, less the more the lag.
        lag = (runs * len(lags) - lags.to(torch.int32)).argmax(2)
        longest = runs.gather(2, lag[..., None])[..., 0]
        follows = (n_before + now - lag).clamp(min=0)
        last = runs[:, -1].flip(1).long()
        return self._planes(frames, follows, longest), RecallState(
            frames, torch.cat((last.new_zeros(len(frames), 1), last), dim=1)
        )

    @staticmethod
    def _compare(steps: Tensor, state: RecallState) -> tuple[Tensor, Tensor]:
        """Returns all frames `(B, P, 88)`, and which are the same as each of the steps' (B, T, P).

        Frames are the same if they have as many keys as they share.
        """
        frames = torch.cat((state.frames, steps.to(torch.uint8)), dim=1)
        counts, new = frames.float(), steps.float()
        shared = new @ counts.transpose(1, 2)
        same = (shared == counts.sum(-1)[:, None]) & (shared == new.sum(-1, keepdim=True))
        return frames, same

    def _planes(self, frames: Tensor, follows: Tensor, longest: Tensor) -> Tensor:
        """Returns the planes `(B, T, 88, F)`.

        Args:
            frames: `(B, P, 88)`.
            follows: `(B, T)`, the number of the frame that followed.
            longest: `(B, T)`, the run before it.
        """
        after = follows[..., None].expand(-1, -1, N_KEYS)
        signs = 2 * frames.float().gather(1, after) - 1
        length = longest[..., None, None]
        least = torch.tensor(self.lengths, device=frames.device)
        below = torch.tensor([*self.lengths[1:], _ENDLESS], device=frames.device)
        return signs[..., None] * ((length >= least) & (length < below))
