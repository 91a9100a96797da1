"""How much of the tail is cut, so that a model's own notes surprise it as much as real ones do."""

import json
import math
from dataclasses import replace
from pathlib import Path

import calibrate
import numpy as np
import pytest
from conftest import tiny_config, tune
from graph_store import save_playable
from model_cases import livened

from pyzzicato.hub import load_model
from pyzzicato.hub.networks import open_network
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.scoring import decisive_bias, nats_by_number, step_nats
from pyzzicato.representations import representation_named
from pyzzicato.training import surprise, themes
from pyzzicato.training.calibration import write_values
from pyzzicato.training.themes import Themes


def config_for(checkpoint: Path, maestro: Path, **choices: object) -> calibrate.CalibrateConfig:
    """Returns a calibration of seconds; the tiny MAESTRO has pieces of ten."""
    options = {"seeds": 4, "seconds": 2.0, "seed_seconds": 3.0, "looks": 2, "rng": 0}
    options["processes"] = 1
    return calibrate.CalibrateConfig(checkpoint, maestro, **{**options, **choices})


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Returns the folder of an untrained model on note events."""
    choices = {"representation": "events", "head": "notes"}
    save_playable(PyzzicatoModel(tiny_config(**choices)), tmp_path / "model")
    surprise.loaded.cache_clear()
    return tmp_path / "model"


def test_what_notes_cost_by_the_graph_is_what_they_cost_the_network(checkpoint: Path) -> None:
    import torch

    model, network = surprise.loaded(checkpoint), open_network(checkpoint)
    steps = torch.from_numpy(model.representation.encode(tune()))[None]
    with torch.no_grad():
        seen, _ = network.hidden(steps[:, :-1], network.start(1))
        wanted = network.head.attribute_nll(seen, steps[:, 1:])[0].numpy()
    # The graph's weights are rounded to float16.
    assert np.allclose(nats_by_number(model, tune()), wanted, atol=0.02)


def test_a_decided_step_is_drawn_and_costs_its_logits() -> None:
    roll, events = representation_named("roll"), representation_named("events")
    note = np.array([3, 40, 7, 9], dtype=np.uint8)
    bias = decisive_bias(note, events)
    assert [int(i) for i in np.flatnonzero(bias > 0)] == [3, 57 + 40, 57 + 88 + 7, 57 + 88 + 48 + 9]
    even = step_nats(np.zeros(57 + 88 + 48 + 16), note, events)
    assert np.allclose(even, np.log([57, 88, 48, 16]))
    frame = (np.arange(88) == 5).astype(np.uint8)
    assert (decisive_bias(frame, roll) > 0).tolist() == (frame > 0).tolist()
    assert step_nats(np.zeros(88), frame, roll) == pytest.approx(88 * math.log(2))


def test_real_and_own_surprise_are_of_what_follows_the_seed(
    checkpoint: Path, maestro: Path
) -> None:
    excerpt = calibrate.draw_excerpts(config_for(checkpoint, maestro))[0]
    real = surprise.real_surprise(excerpt, checkpoint)
    assert real.n_steps == len(excerpt.notes)
    whole = nats_by_number(surprise.loaded(checkpoint), excerpt.joined)
    assert np.allclose(real.nats, whole[-real.n_steps :].sum(0))
    longer = replace(excerpt, seconds=20.0)  # In so long a time something is struck.
    own = surprise.own_surprise((3, longer), checkpoint, {"pitch": 0.01})
    assert own.n_steps > 0 and (own.nats > 0).all()


def test_cutting_the_tail_makes_what_is_drawn_less_surprising(
    tmp_path: Path, maestro: Path
) -> None:
    network = livened(PyzzicatoModel(tiny_config(representation="events", head="notes")))
    save_playable(network, tmp_path / "lively")
    surprise.loaded.cache_clear()
    excerpt = calibrate.draw_excerpts(config_for(tmp_path / "lively", maestro))[0]
    excerpt = replace(excerpt, seconds=20.0)
    free, cut = (
        surprise.mean_nats([surprise.own_surprise((3, excerpt), tmp_path / "lively", limits)])
        for limits in ({}, {"pitch": 1.0})
    )
    # The pitch is the second number.
    assert cut[1] < free[1]


def test_a_limit_rises_where_own_notes_surprise_more_and_keeps_its_range() -> None:
    assert surprise.next_limit(0.01, 2.2, 2.0) > 0.01 > surprise.next_limit(0.01, 1.8, 2.0)
    assert surprise.next_limit(0.01, 2.0, 2.0) == pytest.approx(0.01)
    assert surprise.next_limit(1.0, 9.0, 2.0) == 1.0
    assert surprise.next_limit(1e-5, 0.1, 2.0) == 1e-5
    assert surprise.next_limit(0.01, 99.0, 2.0) == pytest.approx(0.01 * math.exp(1.5))


def test_what_was_found_is_kept_for_playing(
    checkpoint: Path, maestro: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (checkpoint / "config.json").read_bytes()
    calibrate.main(config_for(checkpoint, maestro))
    table = json.loads((checkpoint / "generation_config.json").read_text())
    assert table["do_sample"] is True
    assert list(table["top_a"]) == ["pitch", "duration", "velocity"]
    assert all(1e-5 <= value <= 1 for value in table["top_a"].values())
    assert (checkpoint / "config.json").read_bytes() == before
    printed = capsys.readouterr().out
    assert "real music: onset" in printed and "look 2 of 2" in printed


def test_themes_alone_begin_with_the_values_that_there_are(
    checkpoint: Path, maestro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(checkpoint, maestro, themes_only=True)
    with pytest.raises(ValueError, match=r"has no values yet \(top_a in generation_config.json\)"):
        calibrate.main(config)
    known = {"pitch": 0.2, "duration": 0.04, "velocity": 0.03}
    write_values(checkpoint, known)
    real = Themes(0.9, 1.0)
    looks = iter([real, Themes(0.1, 3.0), Themes(0.9, 3.0)])
    monkeypatch.setattr(themes, "sum_up", lambda passages: next(looks))
    calibrate.main(config)
    found = load_model(str(checkpoint)).decoding.top_a
    # The second look's limit, half as high again, is where figures come back as often.
    assert found == pytest.approx({**known, "pitch": 0.3})


def test_no_piece_long_enough_is_refused(checkpoint: Path, maestro: Path) -> None:
    with pytest.raises(ValueError, match=r"no training piece .* lasts 70 s"):
        calibrate.draw_excerpts(config_for(checkpoint, maestro, seconds=60.0, seed_seconds=10.0))


def test_seeds_may_be_of_another_collection(
    checkpoint: Path, collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_for(checkpoint, collection, sources=("rolls",), seconds=2.0)
    with pytest.raises(ValueError, match="no training piece in .* lasts 5 s"):
        calibrate.draw_excerpts(config)
    # Its pieces last five seconds.
    monkeypatch.setattr(calibrate, "_SPARE_S", 0.0)
    assert from_files(config) == {"rolls/a.mid"}
    both = replace(config, sources=("rolls", "scores"))
    assert from_files(both) == {"rolls/a.mid", "scores/c.mid"}


def from_files(config: calibrate.CalibrateConfig) -> set[str]:
    """Returns the files that the seeds of a calibration are from."""
    return {excerpt.name.split(",")[0] for excerpt in calibrate.draw_excerpts(config)}
