"""Crops: drawn by seed, step and process alone, and true to the pieces."""

import numpy as np
import pytest
import torch
from conftest import tune

from pyzzicato.notes import transpose_notes
from pyzzicato.pianoroll import notes_to_roll
from pyzzicato.training.batches import CropSampler, middle_crops, transpose_frames
from pyzzicato.training.store import RollStore


def sampler_of(store: RollStore, **choices: int) -> CropSampler:
    """Returns a sampler of the training pieces, by default without transposition."""
    how = {"batch_size": 4, "n_frames": 32, **choices}
    return CropSampler(store, store.of_split("train"), **how)


def is_part_of(crop: np.ndarray, whole: np.ndarray) -> bool:
    """Returns whether the frames of `crop` stand one after the other in `whole`."""
    n = len(crop)
    return any(np.array_equal(crop, whole[i : i + n]) for i in range(len(whole) - n + 1))


def test_targets_are_the_frames_after(store: RollStore) -> None:
    steps, targets = sampler_of(store).batch(0)
    assert steps.shape == targets.shape == (4, 32, 88)
    assert steps.dtype == targets.dtype == torch.uint8
    assert torch.equal(steps[:, 1:], targets[:, :-1])
    assert not torch.equal(steps, targets)


def test_a_crop_depends_on_seed_step_and_process_alone(store: RollStore) -> None:
    def batch(step: int, process: int, seed: int = 0) -> torch.Tensor:
        frames: torch.Tensor = sampler_of(store, seed=seed, transpose=5).batch(step, process)[0]
        return frames

    sampler = sampler_of(store, transpose=5)
    sampler.batch(1)
    assert torch.equal(sampler.batch(7, 0)[0], batch(7, 0))
    assert not torch.equal(batch(7, 0), batch(8, 0))
    assert not torch.equal(batch(7, 0), batch(7, 1))
    assert not torch.equal(batch(7, 0), batch(7, 0, seed=1))
    # Nor is one process's next step the other's present one.
    assert not torch.equal(batch(7, 1), batch(8, 0))


def test_crops_are_unbroken_parts_of_pieces(store: RollStore) -> None:
    pieces = [store.frames(piece) for piece in store.of_split("train")]
    sampler = sampler_of(store)
    for step in range(10):
        steps, targets = sampler.batch(step)
        crops = torch.cat((steps, targets[:, -1:]), dim=1).numpy()
        for crop in crops:
            # The last piece is shorter than a crop: silence follows it.
            n = len(pieces[3])
            short = np.array_equal(crop[:n], pieces[3]) and not crop[n:].any()
            assert short or any(is_part_of(crop, piece) for piece in pieces)


def test_crops_reach_both_ends_of_a_piece(store: RollStore) -> None:
    piece = store.of_split("train")[2]
    whole = store.frames(piece)
    sampler = CropSampler(store, [piece], batch_size=64, n_frames=len(whole) - 4)
    steps, _ = sampler.batch(0)
    starts = {
        next(i for i in range(4) if np.array_equal(crop, whole[i : i + len(crop)]))
        for crop in steps.numpy()
    }
    assert starts == {0, 1, 2, 3}


def test_pieces_are_drawn_by_their_share_of_frames(store: RollStore) -> None:
    pieces = store.of_split("train")[:3:2]
    sampler = CropSampler(store, pieces, batch_size=1000, n_frames=8)
    steps, _ = sampler.batch(0)
    first = store.frames(pieces[0])
    # The tunes lie two semitones apart: a crop that holds a bass of 36 or 37 is the first's.
    bass = [36 - 21, 37 - 21]
    share = np.mean([crop[:, bass].any() for crop in steps.numpy() if crop[:, 14:19].any()])
    lengths = [len(first), pieces[1].length]
    assert share == pytest.approx(lengths[0] / sum(lengths), abs=0.06)


def test_transposition_stays_within_its_limit(store: RollStore) -> None:
    piece = store.of_split("train")[0]
    whole = store.frames(piece)
    sampler = CropSampler(
        store, [piece], batch_size=200, n_frames=len(whole) - 1, transpose=2, seed=3
    )
    steps, _ = sampler.batch(0)
    seen = set()
    for crop in steps.numpy():
        (moved,) = [
            semitones
            for semitones in range(-11, 12)
            if np.array_equal(crop, transpose_frames(whole[:-1], semitones))
        ]
        seen.add(moved)
    assert seen == {-2, -1, 0, 1, 2}


def test_no_piece_is_refused(store: RollStore) -> None:
    with pytest.raises(ValueError, match="no piece to train on; check the composers and splits"):
        CropSampler(store, [], batch_size=1, n_frames=8)


@pytest.mark.parametrize("semitones", [-11, -1, 0, 1, 11])
def test_transposed_frames_are_those_of_transposed_notes(semitones: int) -> None:
    roll = notes_to_roll(tune(3))
    moved = notes_to_roll(transpose_notes(tune(3), semitones))
    assert np.array_equal(transpose_frames(roll, semitones), moved)


def test_keys_that_leave_the_keyboard_fall_silent() -> None:
    frames = np.zeros((1, 88), np.uint8)
    frames[0, [0, 87]] = 1
    assert np.flatnonzero(transpose_frames(frames, 3)).tolist() == [3]
    assert np.flatnonzero(transpose_frames(frames, -3)).tolist() == [84]


def test_middle_crops_are_the_middle_or_the_whole(store: RollStore) -> None:
    pieces = store.of_split("validation")
    whole = [store.frames(piece) for piece in pieces]
    crops = middle_crops(store, pieces, 40)
    first = (len(whole[0]) - 40) // 2
    assert first > 0
    assert np.array_equal(crops[0], whole[0][first : first + 40])
    assert len(whole[1]) < 40
    assert np.array_equal(crops[1], whole[1])
