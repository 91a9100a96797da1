"""The per-key Markov model: hand-computed chances and losses, drawing, saving."""

from math import log
from pathlib import Path

import numpy as np
import pytest

from pyzzicato.evaluation.markov import MarkovModel, count_markov, frame_nats
from pyzzicato.training.baselines import count_baselines


def roll(*frames: tuple[int, ...]) -> np.ndarray:
    """Returns frames in which the given columns sound, at velocity 70."""
    made = np.zeros((len(frames), 88), dtype=np.uint8)
    for row, keys in zip(made, frames, strict=True):
        row[list(keys)] = 70
    return made


def flat_model(stay: float, start: float) -> MarkovModel:
    """Returns a model with the same two chances for each key."""
    return MarkovModel(np.full(88, stay), np.full(88, start))


def test_chances_are_counts_plus_one() -> None:
    # Key 40: on, on, off, on. Of 2 frames where it sounds, 1 stays; of 1 silent, 1 starts.
    model = count_markov([roll((40,), (40,), (), (40,))])
    assert model.stay_chances[40] == pytest.approx((1 + 1) / (2 + 2))
    assert model.start_chances[40] == pytest.approx((1 + 1) / (1 + 2))
    # A key that never sounds: 3 silent frames without a start, no sounding frame.
    assert model.start_chances[7] == pytest.approx(1 / 5)
    assert model.stay_chances[7] == pytest.approx(1 / 2)


def test_pieces_are_not_joined() -> None:
    apart = count_markov([roll((40,), (40,)), roll((), ())])
    assert apart.stay_chances[40] == pytest.approx((1 + 1) / (1 + 2))
    assert apart.start_chances[40] == pytest.approx(1 / (1 + 2))


def test_nll_by_hand() -> None:
    model = flat_model(stay=0.75, start=0.01)
    # Frame 2: one key stays, another starts, 86 stay silent. Frame 3: both stop.
    nats = model.nll(roll((40,), (40, 50), ()))
    assert nats == pytest.approx(
        [-log(0.75) - log(0.01) - 86 * log(0.99), -2 * log(0.25) - 86 * log(0.99)]
    )


def test_nll_of_what_it_was_counted_on_beats_the_copy_baseline() -> None:
    rng = np.random.default_rng(0)
    busy, lazy = rng.random((200, 44)) < 0.5, rng.random((200, 44)) < 0.02
    piece = np.concatenate((busy, lazy), axis=1).astype(np.uint8)
    assert count_markov([piece]).nll(piece).mean() < count_baselines([piece]).copy_nll([piece])


@pytest.mark.parametrize("n_frames", [0, 1])
def test_a_piece_without_a_second_frame_costs_nothing(n_frames: int) -> None:
    assert flat_model(0.9, 0.1).nll(np.zeros((n_frames, 88), dtype=np.uint8)).shape == (0,)


def test_frame_nats_of_silence() -> None:
    assert frame_nats(roll(()), np.full(88, 0.5)) == pytest.approx([88 * log(2)])


def test_continuation_follows_the_chances() -> None:
    model = flat_model(stay=0.8, start=0.05)
    made = model.continue_roll(roll((40,))[0], 4000, np.random.default_rng(1)) > 0
    before, after = made[:-1], made[1:]
    assert after[before].mean() == pytest.approx(0.8, abs=0.01)
    assert after[~before].mean() == pytest.approx(0.05, abs=0.005)
    # In the long run start / (start + 1 - stay) of all keys sound.
    assert made.mean() == pytest.approx(0.05 / 0.25, abs=0.01)


def test_continuation_begins_at_the_last_frame() -> None:
    nearly_frozen = flat_model(stay=1 - 1e-9, start=1e-9)
    made = nearly_frozen.continue_roll(roll((3, 87))[0], 5, np.random.default_rng(0))
    assert made.dtype == np.uint8
    assert np.array_equal(made, (roll(*[(3, 87)] * 5) > 0).astype(np.uint8))


def test_the_same_rng_draws_the_same() -> None:
    model, last = flat_model(0.8, 0.1), roll((40,))[0]
    first, again, other = (
        model.continue_roll(last, 50, np.random.default_rng(n)) for n in (5, 5, 6)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_frames_asked_for() -> None:
    made = flat_model(0.8, 0.1).continue_roll(roll(())[0], 0, np.random.default_rng(0))
    assert made.shape == (0, 88)


def test_saved_and_loaded(tmp_path: Path) -> None:
    model = count_markov([roll((40,), (40, 41), (41,))])
    loaded = MarkovModel.load(model.save(tmp_path / "markov.npz"))
    assert np.array_equal(loaded.stay_chances, model.stay_chances)
    assert np.array_equal(loaded.start_chances, model.start_chances)
    assert (tmp_path / "markov.npz").stat().st_size < 4000


def test_bad_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no numbers")
    np.savez(tmp_path / "other.npz", stay_chances=np.full(88, 0.5))
    np.savez(tmp_path / "sure.npz", stay_chances=np.ones(88), start_chances=np.full(88, 0.5))
    for name in ("text.npz", "other.npz", "sure.npz", "absent.npz"):
        with pytest.raises(ValueError, match=f"{name} holds no Markov model"):
            MarkovModel.load(tmp_path / name)


def test_bad_input_is_refused() -> None:
    model = flat_model(0.5, 0.5)
    with pytest.raises(ValueError, match="at least two frames"):
        count_markov([roll((40,))])
    with pytest.raises(ValueError, match=r"roll must be \(T, 88\)"):
        model.nll(np.zeros((4, 87), dtype=np.uint8))
    with pytest.raises(ValueError, match="last_frame"):
        model.continue_roll(np.zeros((1, 88), dtype=np.uint8), 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="n_frames must be 0 or more"):
        model.continue_roll(np.zeros(88, dtype=np.uint8), -1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="stay_chances"):
        MarkovModel(np.full(87, 0.5), np.full(88, 0.5))
