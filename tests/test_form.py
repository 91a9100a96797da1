"""Form: what returns is found in notes, told to a network in training and drawn in playing."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from conftest import tiny_config, tiny_settings
from model_cases import livened, random_events

from pyzzicato.hub import load_model
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.playing.decoding.form import STAGES, Form, check_form, count_form, stage_of
from pyzzicato.playing.decoding.parts import Played
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations.event_bins import onset_bins
from pyzzicato.representations.figures import BLOCK_NOTES, coming_shares, returning_notes
from pyzzicato.training.calibration import write_limits
from pyzzicato.training.finishing import finish_run
from pyzzicato.training.loop import train
from pyzzicato.training.store import NoteStore

LEVELS = [0.25, 0.5, 1.0]


def melody(pitches: list[int]) -> np.ndarray:
    """Returns note events of a melody, a note every fifth of a second."""
    steps = np.zeros((len(pitches), 4), dtype=np.uint8)
    steps[:, 0] = onset_bins(np.full(len(pitches), 20))
    steps[:, 1] = pitches
    return steps


def test_notes_return_where_their_figure_stood_before() -> None:
    theme = [40, 44, 47, 45, 52, 41, 43]
    moved = [pitch + 5 for pitch in theme]
    returns = returning_notes(melody([*theme, *moved]))
    # A figure of four ends at the fourth note of the theme moved, and at each after it.
    assert np.flatnonzero(returns).tolist() == [10, 11, 12, 13]


def test_a_chord_is_read_from_low_to_high_however_it_is_struck() -> None:
    steps = melody([40, 44, 47, 52, 40, 44, 47, 52])
    rolled = steps.copy()
    rolled[1:4, 0], rolled[5:, 0] = onset_bins(np.array([1, 1, 1])), 0
    rolled[4:, 1] = [52, 47, 44, 40]
    assert returning_notes(rolled).sum() == 1


@pytest.mark.parametrize("n", [0, 1, 3, 4])
def test_few_notes_return_nothing(n: int) -> None:
    assert not returning_notes(melody([40] * n)).any()
    assert np.isnan(coming_shares(melody([40] * n))).all()


def test_what_comes_is_the_share_of_notes_from_the_block_on() -> None:
    rng = np.random.default_rng(0)
    steps = melody(rng.integers(30, 50, 100).tolist())
    returns, shares = returning_notes(steps), coming_shares(steps)
    for t in (6, 7, 40):
        first = (t + 1) // BLOCK_NOTES * BLOCK_NOTES
        assert shares[t] == returns[first : first + 32].mean()
    assert np.isnan(shares[-1])


def test_numbers_of_shares() -> None:
    config = tiny_config(representation="events", head="notes", returns=LEVELS)
    shares = np.array([0.0, 0.25, 0.3, 1.0, np.nan])
    assert config.return_numbers(shares).tolist() == [1, 1, 2, 3, 0]


@pytest.mark.parametrize("bad", [[0.5, 0.2], [0.5, 1.5], [0.0], "much"])
def test_bad_returns_are_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="returns"):
        tiny_config(representation="events", head="notes", returns=bad)
    with pytest.raises(ValueError, match="returns"):
        tiny_config(representation="roll", head="joint", returns=[0.5])


@torch.no_grad()
def test_a_network_hears_what_it_is_told_and_nothing_where_it_is_not() -> None:
    config = tiny_config(representation="events", head="notes", returns=LEVELS)
    model = livened(PyzzicatoModel(config)).eval()
    steps = random_events(1, 6)
    plain, _ = model.hidden(steps, model.start(1))
    late = {"return": torch.tensor([[0, 0, 0, 2, 2, 2]])}
    told, _ = model.hidden(steps, model.start(1), late)
    assert torch.equal(plain[:, :3], told[:, :3])
    assert not torch.allclose(plain[:, 3], told[:, 3])


def test_a_chain_is_counted_and_drawn_as_music_has_it() -> None:
    rng = np.random.default_rng(0)
    # Levels that mostly stay, and more is said again later on.
    pieces = []
    for _ in range(200):
        blocks = [1]
        for i in range(80):
            stays = rng.random() < 0.8
            blocks.append(blocks[-1] if stays else int(rng.integers(1, 3 if i < 20 else 4)))
        pieces.append(np.repeat(blocks, BLOCK_NOTES)[1:])
    table = count_form(pieces, len(LEVELS))
    early, late = np.array(table[1]), np.array(table[-1])
    assert early[0, 0] > 0.8 and early[:2, 2].max() < 0.02 and late[0, 2] > 0.04

    config = tiny_config(representation="events", head="notes", returns=LEVELS)
    drawn = []
    for number in range(300):
        form = Form(config, table, melody([40] * 40), np.random.default_rng(number))
        for i in range(600):
            draw = Draw.neutral(4, 4, 209)
            form.steer(draw, None)  # type: ignore[arg-type]
            form.listen(Played(i / 5, [40], 1))
        drawn.append(draw.conditions["return"])
    shares = np.bincount(drawn, minlength=4)[1:] / len(drawn)
    real = np.bincount([piece[-1] for piece in pieces], minlength=4)[1:] / len(pieces)
    assert np.abs(shares - real).max() < 0.12


def test_stages_rise_with_the_notes_that_have_passed() -> None:
    assert [stage_of(n) for n in (0, 63, 64, 600)] == [0, 0, 1, len(STAGES)]


@pytest.mark.parametrize(
    "bad", ["much", [[1.0]], [[[1.0, 0.5]] * 2] * 5, [[[2.0, -1.0]] * 2] * 5, [[[0.5]]] * 5]
)
def test_a_bad_table_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="form"):
        check_form(bad)


def test_a_table_of_another_models_levels_is_refused() -> None:
    config = tiny_config(representation="events", head="notes", returns=LEVELS)
    with pytest.raises(ValueError, match="count it anew"):
        Form(config, check_form([[[1.0]]] * 5), melody([40]), np.random.default_rng(0))


def test_a_model_that_learns_what_returns_is_told_it_in_playing(
    store: NoteStore, new_accelerator: Callable[..., Accelerator], tmp_path: Path
) -> None:
    told = {
        "representation": "events",
        "head": "notes",
        "hidden_size": 8,
        "dense_size": 8,
        "embedding_size": 8,
        "head_size": 2,
        "returns": LEVELS,
    }
    settings, accelerator = tiny_settings(model=told), new_accelerator()
    progress = train(store, settings, tmp_path, accelerator)
    finish_run(store, settings, progress, tmp_path / "best", accelerator, "train")
    model = load_model(str(tmp_path / "best"))
    assert np.allclose(np.array(model.decoding.form).sum(-1), 1, atol=1e-3)

    seed = store.notes(store.pieces[0])
    piece = continue_seed(model, seed, GenerationSettings(seconds=5, seed_seconds=5))
    assert piece.acted["form"] == piece.n_steps > 0
    silent = continue_seed(
        model, seed, GenerationSettings(seconds=5, seed_seconds=5, without=("form",))
    )
    assert "form" not in silent.acted

    write_limits(tmp_path / "best", {"pitch": 0.01})
    kept = load_model(str(tmp_path / "best")).decoding
    assert kept.form == model.decoding.form and kept.min_p == {"pitch": 0.01}
