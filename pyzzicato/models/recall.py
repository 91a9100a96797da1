"""What followed the last time: music repeats itself, and a repeat tells what comes next better than
any network can.

What was just heard is looked for earlier in the piece, the longest run of it that can be found
there, and what followed it then is handed to the head: the match model of data compression (for
example Mahoney 2005, "Adaptive weighing of context models for lossless data compression"), and like
it read by a network that has learnt how far to believe it. On a roll the frames of scores are
compared, for those of performances never come back; of note events the pitches.
"""  # noqa: D205

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from .pitch import N_KEYS


class RecallState(NamedTuple):
    """What has been heard.

    Attributes:
        frames: `(B, P, 88)` uint8, all of it.
        runs: `(B, P)`, for each frame before the last, how many frames up to it are the same as the
            last ones; 0 for the last itself.
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
        n_heard, n_all = state.frames.shape[1], frames.shape[1]
        counts = frames.float()
        # Frames are the same if they have as many keys as they share.
        sizes = counts.sum(-1)
        shared = counts[:, n_heard:] @ counts.transpose(1, 2)
        same = (shared == sizes[:, None]) & (shared == sizes[:, n_heard:, None])
        runs = torch.zeros(len(frames), n_all + 1, dtype=torch.long, device=frames.device)
        runs[:, 1 : n_heard + 1] = state.runs
        found, longest = [], []
        for i in range(n_heard, n_all):
            # A run up to a frame goes on from the run up to the frame before it.
            grown = (runs[:, :-1] + 1) * same[:, i - n_heard]
            runs[:, 1:] = grown
            runs[:, i + 1 :] = 0
            # The latest of the longest.
            best = runs[:, : i + 1].flip(1).max(1)
            longest.append(best.values)
            found.append(i - best.indices)
        after = torch.stack(found, dim=1)[..., None].expand(-1, -1, N_KEYS)
        signs = 2 * counts.gather(1, after) - 1
        lengths = torch.tensor(self.lengths, device=frames.device)
        level = torch.bucketize(torch.stack(longest, dim=1), lengths, right=True)
        wanted = torch.arange(1, len(lengths) + 1, device=frames.device)
        planes = signs[..., None] * (level[..., None, None] == wanted)
        return planes, RecallState(frames, runs[:, 1:])


class RecallStep:
    """`PitchRecall` step by step, in numpy. Its cost a step grows slowly with what was heard.

    Args:
        lengths: as there.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self._lengths = list(lengths)
        self._keys: list[NDArray[np.intp]] = []
        # Like frames have like numbers; compared are the numbers.
        self._numbers: dict[bytes, int] = {}
        self._heard = np.zeros(1024, dtype=np.int64)
        # One more than frames: number i + 1 is the run up to frame i. Where no run ends there is 0.
        self._runs = np.zeros(1025, dtype=np.int64)
        self._ends = np.zeros(0, dtype=np.intp)

    def take(self, keys: NDArray[np.intp]) -> tuple[int, NDArray[np.intp]] | None:
        """Takes the keys of one more frame; returns the number of the plane and what followed.

        That is the keys of a frame. None if no run is long enough.
        """
        n = len(self._keys)
        if n == len(self._heard):
            self._heard = np.concatenate((self._heard, np.zeros_like(self._heard)))
            self._runs = np.concatenate((self._runs, np.zeros_like(self._heard)[:n]))
        number = self._numbers.setdefault(keys.tobytes(), len(self._numbers))
        ends = (self._heard[:n] == number).nonzero()[0]
        runs = self._runs[ends] + 1
        self._runs[self._ends + 1] = 0
        self._runs[ends + 1] = runs
        self._ends = ends
        self._heard[n] = number
        self._keys.append(keys)
        if not len(ends):
            return None
        # The latest of the longest.
        best = len(runs) - 1 - int(runs[::-1].argmax())
        level = bisect_right(self._lengths, int(runs[best]))
        return (level - 1, self._keys[ends[best] + 1]) if level else None
