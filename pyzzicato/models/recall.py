"""What followed the last time: music repeats itself, and a repeat tells what comes next better than
any network can.

What was just heard is looked for earlier in the piece, the longest run of it that can be found
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

_ENDLESS = 2**62


class RecallState(NamedTuple):
    """What has been heard.

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
        frames = torch.cat((state.frames, steps.to(torch.uint8)), dim=1)
        n_heard = state.frames.shape[1]
        counts, new = frames.float(), steps.float()
        # Frames are the same if they have as many keys as they share.
        shared = new @ counts.transpose(1, 2)
        same = (shared == counts.sum(-1)[:, None]) & (shared == new.sum(-1, keepdim=True))
        runs = state.runs
        none = runs.new_zeros(runs.shape[0], 1)
        n_steps = steps.shape[1]
        found, longest = [], []
        for t in range(n_steps):
            # A run up to a frame goes on from the run up to the frame before it.
            runs = torch.cat((none, (runs + 1) * same[:, t, : t - n_steps]), dim=1)
            # The latest of the longest.
            best = runs.flip(1).max(1)
            longest.append(best.values)
            found.append(n_heard + t - best.indices)
        after = torch.stack(found, dim=1)[..., None].expand(-1, -1, N_KEYS)
        signs = 2 * counts.gather(1, after) - 1
        length = torch.stack(longest, dim=1)[..., None, None]
        least = torch.tensor(self.lengths, device=frames.device)
        below = torch.tensor([*self.lengths[1:], _ENDLESS], device=frames.device)
        planes = signs[..., None] * ((length >= least) & (length < below))
        return planes, RecallState(frames, runs)
