"""What followed the last time: the slow obvious way, in one pass, in parts and step by step.

That graphs of networks which recall play as they should is held for all models in
`test_models.py`.
"""

from collections.abc import Sequence

import numpy as np
import pytest
import torch
from conftest import tiny_config
from model_cases import livened
from numpy.typing import NDArray

from pyzzicato.models.config import PyzzicatoConfig
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.models.recall import PitchRecall
from pyzzicato.representations.event_bins import SIZES

LENGTHS = [1, 2, 4]
CPU = torch.device("cpu")


def repetitive(n: int, seed: int, n_frames: int = 3) -> NDArray[np.uint8]:
    """Returns `(n, 88)`, one of so many frames at a time, so that runs come back."""
    rng = np.random.default_rng(seed)
    frames = (rng.random((n_frames, 88)) < 0.05).astype(np.uint8)
    frames[0] = 0
    chosen: NDArray[np.uint8] = frames[rng.integers(n_frames, size=n)]
    return chosen


def slow_planes(frames: NDArray[np.uint8], lengths: Sequence[int]) -> NDArray[np.float32]:
    """Returns `(T, 88, F)`, by comparing run with run."""
    planes = np.zeros((len(frames), 88, len(lengths)), dtype=np.float32)
    for t in range(len(frames)):
        longest, follows = 0, 0
        for s in range(t):
            n = 0
            while n <= s and (frames[s - n] == frames[t - n]).all():
                n += 1
            if n and n >= longest:
                longest, follows = n, s + 1
        level = sum(longest >= length for length in lengths)
        if level:
            planes[t, :, level - 1] = 2.0 * frames[follows] - 1
    return planes


@pytest.mark.parametrize("seed", range(3))
def test_planes_are_those_of_the_slow_obvious_way(seed: int) -> None:
    frames = np.stack([repetitive(60, 2 * seed), repetitive(60, 2 * seed + 1, 8)])
    recall = PitchRecall(LENGTHS)
    planes, _ = recall(torch.from_numpy(frames), recall.start(2, CPU))
    expected = np.stack([slow_planes(piece, LENGTHS) for piece in frames])
    assert planes.numpy().tolist() == expected.tolist()
    # All lengths are met, and music that has not come before.
    assert (np.abs(expected).sum((0, 1, 2)) > 0).all() and (np.abs(expected).sum((2, 3)) == 0).any()


def test_what_followed_is_found_by_hand() -> None:
    keys = [40, 50, 60, 40, 50]
    frames = np.zeros((5, 88), dtype=np.uint8)
    frames[range(5), keys] = 1
    recall = PitchRecall([1, 2])
    planes, _ = recall(torch.from_numpy(frames)[None], recall.start(1, CPU))
    assert not planes[0, :3].any()
    # A run of one, then a run of two: first 50, then 60 is what followed it.
    assert planes[0, 3].argmax(0).tolist() == [50, 0] and planes[0, 3, :, 0].sum() == 1 - 87
    assert planes[0, 4].argmax(0).tolist() == [0, 60] and not planes[0, 4, :, 0].any()


@pytest.mark.parametrize("cuts", [(1, 59), (20, 40), (30, 31)])
def test_parts_have_the_planes_of_the_whole(cuts: tuple[int, int]) -> None:
    frames = torch.from_numpy(repetitive(60, 5))[None]
    recall = PitchRecall(LENGTHS)
    whole, _ = recall(frames, recall.start(1, CPU))
    state, parts = recall.start(1, CPU), []
    for part in frames.tensor_split(cuts, dim=1):
        planes, state = recall(part, state)
        parts.append(planes)
    assert torch.equal(torch.cat(parts, dim=1), whole)


def test_step_by_step_recalls_the_same() -> None:
    frames = torch.from_numpy(repetitive(200, 6, 9))[None]
    frames[:, 120:] = frames[:, :80]
    recall = PitchRecall(LENGTHS)
    whole, _ = recall(frames, recall.start(1, CPU))
    state = recall.start(1, CPU)
    for t in range(200):
        planes, state = recall(frames[:, t : t + 1], state)
        assert torch.equal(planes[0, 0], whole[0, t])


def test_notes_are_recalled_by_their_pitches() -> None:
    model = livened(
        PyzzicatoModel(tiny_config(representation="events", head="notes", recalls=[1, 3])).eval()
    )
    rng = np.random.default_rng(8)
    notes = np.stack([rng.integers(size, size=40) for size in SIZES], axis=1).astype(np.uint8)
    notes[:, 1] = rng.choice([40, 44, 47], size=40)
    with torch.no_grad():
        seen, _ = model.hidden(torch.from_numpy(notes)[None], model.start(1))
    planes = seen[0, :, model.head.in_size :].view(40, 88, -1).numpy()
    recalled = slow_planes(np.eye(88, dtype=np.uint8)[notes[:, 1]], [1, 3])
    first = model.config.n_recent
    assert planes[..., first : first + 2].tolist() == recalled.tolist()


def test_recalls_need_memories_and_rising_whole_numbers() -> None:
    with pytest.raises(ValueError, match="recalls must be empty without memories"):
        PyzzicatoConfig(recalls=[2])
    for wrong, words in (
        ([4, 2], "rise, got"),
        ([0], "a list of at most 16 whole numbers, got"),
        ([2.5], "a whole number from 1 to 1000, got 2.5"),
        (3, "a list of at most 16 whole numbers, got 3"),
        ([10**400], r"a list of at most 16 whole numbers, got \[a larger number\]"),
    ):
        with pytest.raises(ValueError, match=f"recalls must be {words}|recalls must {words}"):
            PyzzicatoConfig(spans=[4.0], recalls=wrong)
