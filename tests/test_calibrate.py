"""How a model is drawn from to be like real music, and how that takes effect."""

import json
import math
from dataclasses import astuple, replace
from functools import partial
from pathlib import Path

import calibrate
import numpy as np
import pytest
from conftest import tiny_config, tune
from graph_store import save_playable
from made_graphs import made_events, made_roll

from pyzzicato.hub import load_model
from pyzzicato.models.architecture import Architecture
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.values import DecodingValues
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations import representation_of


def config_for(checkpoint: Path, maestro: Path, **choices: object) -> calibrate.CalibrateConfig:
    """Returns a calibration of seconds; the tiny MAESTRO has pieces of ten."""
    told = {"seeds": 4, "seconds": 2.0, "seed_seconds": 3.0, "looks": 8, "rng": 0}
    told["processes"] = 1
    return calibrate.CalibrateConfig(checkpoint, maestro, **{**told, **choices})


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """Returns the folder of an untrained model on rolls."""
    save_playable(PyzzicatoModel(tiny_config(fs=20)), tmp_path / "model")
    calibrate.loaded.cache_clear()
    return tmp_path / "model"


def test_notes_are_counted_against_the_composers(checkpoint: Path, maestro: Path) -> None:
    excerpts = calibrate.draw_excerpts(config_for(checkpoint, maestro))
    assert [len(excerpt.notes) for excerpt in excerpts] == [10, 10, 10]  # one file is broken
    cold, hot = (
        calibrate.measure((3, excerpts[0]), checkpoint, calibrate.Manner(tempering))
        for tempering in (0.5, 2.0)
    )
    n_real = len(excerpts[0].notes)
    # An untrained model copies the present frame: drawn coldly it strikes hardly a note.
    assert cold.notes == pytest.approx(math.log(1 / (n_real + 1)), abs=1.5)
    assert hot.notes > math.log(2)


def test_variety_is_that_of_the_pitches(checkpoint: Path, maestro: Path) -> None:
    excerpt = calibrate.draw_excerpts(config_for(checkpoint, maestro))[0]
    # Three notes are too few to tell.
    few = replace(excerpt, notes=excerpt.notes[:3])
    assert calibrate.measure((3, few), checkpoint, calibrate.Manner(2.0)).variety is None
    more = replace(excerpt, notes=tuple(Note(60, 0.1 * i, 0.1 * i + 0.1, 64) for i in range(19)))
    # One pitch has no variety; the model's many keys have nearly all there can be.
    wild = calibrate.measure((3, more), checkpoint, calibrate.Manner(2.0)).variety
    assert wild is not None and 3.0 < wild < math.log2(12)


def test_length_is_that_of_the_notes_up_to_the_end(checkpoint: Path, maestro: Path) -> None:
    excerpt = calibrate.draw_excerpts(config_for(checkpoint, maestro))[0]
    notes = (Note(60, 0.0, 1.0, 64), Note(64, 1.5, 9.0, 64))
    job = 3, replace(excerpt, notes=notes)
    excess = calibrate.measure(job, checkpoint, calibrate.Manner())
    settings = GenerationSettings(seconds=2.0, seed_seconds=3.0, rng=3)
    model = calibrate.loaded(checkpoint)
    made = continue_seed(model, job[1].joined, settings).continuation_only
    mean = sum(note.end - note.start for note in made) / len(made)
    # The second note sounds for half a second before the two seconds are over.
    assert excess.length == pytest.approx(math.log(mean / 0.75))
    assert calibrate.measure((3, replace(excerpt, notes=())), checkpoint, calibrate.Manner()) == (
        calibrate.Excess(math.log(len(made) + 1), None, None)
    )


def test_medians_are_over_what_is_known() -> None:
    told = [calibrate.Excess(x, x, None) for x in (0.1, 0.2, 0.9)]
    # A little more variety than the composer's is near enough.
    expected = pytest.approx([0.25, 0.2, -0.03])
    assert calibrate.medians([*told, calibrate.Excess(0.3, None, None)]).tolist() == expected


HIDDEN = {
    # Much like other models, and not at all.
    "events": (
        calibrate.Manner(0.88, 0.1, 0.4),
        [(0.7, -0.2, 1.5), (-0.4, -0.1, 0.0), (-0.3, 1.6, 0.1)],
    ),
    "roll": (
        calibrate.Manner(0.94, -0.5, -0.2),
        [(8.0, -3.0, 4.0), (-5.0, 0.3, -1.0), (-0.2, 2.0, 0.3)],
    ),
}
"""By representation: the manner of no excess, and how excesses answer around it."""


def answer(
    representation: str, _: object, checkpoint: Path, manner: calibrate.Manner
) -> calibrate.Excess:
    """Stands for a model that answers so."""
    place, answers = HIDDEN[representation]
    away = np.subtract(astuple(manner), astuple(place))
    notes, length, variety = (away @ np.array(answers)).tolist()
    return calibrate.Excess(notes, length, variety + 0.03)


@pytest.mark.parametrize("representation", HIDDEN)
def test_all_three_numbers_are_found(
    representation: str, checkpoint: Path, maestro: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _ = HIDDEN[representation]
    # Forked processes answer as this one does.
    monkeypatch.setattr(calibrate, "measure", partial(answer, representation))
    config = config_for(checkpoint, maestro, looks=12)
    excerpts = calibrate.draw_excerpts(config)
    others = calibrate._ANSWERS[representation]
    found = calibrate.find_manner(config, excerpts, calibrate.Manner(), others)
    assert found.tempering == pytest.approx(place.tempering, abs=0.01)
    assert found.pacing == pytest.approx(place.pacing, abs=0.05)
    assert found.holding == pytest.approx(place.holding, abs=0.05)


def test_a_step_is_short_and_no_number_leaves_its_range() -> None:
    answers = np.eye(3)
    for begin, excess, expected in (
        # All of the way there; as far as the longest of its parts may go; to the end of a range.
        (calibrate.Manner(), (0.02, -0.1, 0.1), (0.98, 0.1, -0.1)),
        (calibrate.Manner(), (0.02, -0.4, 0.0), (0.99, 0.2, 0.0)),
        (calibrate.Manner(1.29, 1.4, -1.45), (-0.04, -0.2, 0.2), (1.3, 1.5, -1.5)),
    ):
        moved = calibrate.next_manner([(begin, np.array(excess))], answers)
        assert astuple(moved) == pytest.approx(expected)


def test_what_was_found_is_kept_and_all_else_stays(
    checkpoint: Path, maestro: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = (checkpoint / "config.json").read_bytes()
    file = checkpoint / "generation_config.json"
    file.write_text('{"transformers_version": "5", "min_p": {"keys": 0.001}}')
    calibrate.main(config_for(checkpoint, maestro, looks=3))
    assert (checkpoint / "config.json").read_bytes() == config
    table = json.loads(file.read_text())
    assert (table["transformers_version"], table["min_p"]) == ("5", {"keys": 0.001})
    found = {
        "tempering": table["temperatures"]["keys"],
        "pacing": table["pacing"],
        "holding": table["holding"],
    }
    told = ", ".join(f"{name} {value:g}" for name, value in found.items())
    assert f"{told}, written to" in capsys.readouterr().out
    model = load_model(str(checkpoint))
    assert calibrate.Manner.of(model.decoding, model.representation) == calibrate.Manner(**found)


def test_of_a_note_the_pitch_is_tempered() -> None:
    values = DecodingValues({"onset": 1.1, "pitch": 0.9}, {"pitch": 0.04}, 0.1, 0.2)
    events = representation_of(Architecture("events"))
    assert calibrate.Manner.of(values, events) == calibrate.Manner(0.9, 0.1, 0.2)
    moved = calibrate.Manner(0.8, 0.3, 0.4).put_into(values, events)
    assert moved == DecodingValues({"onset": 1.1, "pitch": 0.8}, {"pitch": 0.04}, 0.3, 0.4)
    roll = representation_of(Architecture())
    assert calibrate.Manner(1.2).put_into(DecodingValues(), roll).temperatures == {"keys": 1.2}


@pytest.mark.parametrize("kind", ["roll", "events"])
def test_holding_makes_notes_longer_and_a_pace_makes_them_fewer(kind: str, tmp_path: Path) -> None:
    model = made_roll(tmp_path, -5.0, 7.0) if kind == "roll" else made_events(tmp_path)

    def play(**tilt: float) -> tuple[float, int]:
        model.decoding = DecodingValues(**tilt)  # type: ignore[arg-type]
        new = continue_seed(model, tune(), GenerationSettings(seconds=60)).new_notes
        return sum(note.duration for note in new) / len(new), len(new)

    lengths = [play(holding=level)[0] for level in (-2.0, 0.0, 2.0)]
    assert lengths == sorted(lengths)
    assert lengths[2] > 1.1 * lengths[0]
    counts = [play(pacing=level)[1] for level in (-1.5, 0.0, 1.5)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 1.2 * counts[2]


def test_no_piece_long_enough_is_refused(checkpoint: Path, maestro: Path) -> None:
    with pytest.raises(ValueError, match="no training piece in .* lasts 63 s"):
        calibrate.draw_excerpts(config_for(checkpoint, maestro, seconds=60.0))


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
