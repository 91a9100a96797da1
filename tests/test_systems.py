"""Everyone who carries a seed on: what they hear, what they may not hear, and their names."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import tiny_config
from excerpt_builder import SECONDS, SEED_SECONDS, playing
from graph_store import save_playable

from pyzzicato.evaluation.excerpts import Excerpt
from pyzzicato.evaluation.markov import MarkovModel
from pyzzicato.evaluation.systems import (
    file_stem,
    load_systems,
    looped_seed,
    markov_player,
    name_models,
    real_music,
)
from pyzzicato.hub import load_model
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note, end_of, shift_notes
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings


@pytest.fixture
def folder(tmp_path, model):
    """Returns a folder with a debug model."""
    save_playable(model, tmp_path / "debug")
    return str(tmp_path / "debug")


@pytest.fixture
def everyone(folder):
    """Returns all kinds of systems by name; no key of the debug model passes the threshold."""
    markov = MarkovModel(np.full(88, 0.8), np.full(88, 0.01))
    models, _ = load_systems([folder], temperature=1.0, threshold=0.9)
    systems = [real_music(), *models, markov_player(markov, 7), looped_seed()]
    return {system.name: system for system in systems}


def test_there_is_a_model_twice_and_each_baseline(everyone):
    assert list(everyone) == ["real", "debug", "debug, threshold", "markov", "seed looped"]
    assert [s.name for s in everyone.values() if s.is_drawn] == ["debug"]
    assert "temperature 1" in everyone["debug"].about
    assert "0.9" in everyone["debug, threshold"].about
    assert "7 training pieces" in everyone["markov"].about


def test_all_play_within_the_time_and_the_same_again(everyone):
    for name, system in everyone.items():
        played = system.carry_on(playing(), 3)
        notes = played.notes
        assert all(0 <= n.start < SECONDS and n.end <= SECONDS for n in notes), name
        assert played == system.carry_on(playing(), 3), name
        assert bool(notes) == (name != "debug, threshold"), name
    for name in ("debug", "markov"):
        assert everyone[name].carry_on(playing(), 3) != everyone[name].carry_on(playing(), 4)


def test_none_but_the_composer_hears_what_follows_the_seed(everyone):
    excerpt = playing()
    other = replace(excerpt, notes=tuple(shift_notes(playing(9).notes, 0.1)[:-1]))
    for name, system in everyone.items():
        heard = system.carry_on(excerpt, 0).notes != system.carry_on(other, 0).notes
        assert heard == (name == "real"), name
    assert everyone["real"].carry_on(excerpt, 0) == excerpt


def test_a_model_plays_as_it_does_for_a_user(everyone, folder):
    excerpt = playing()
    settings = GenerationSettings(seconds=SECONDS, seed_seconds=SEED_SECONDS, rng=5)
    theirs = continue_seed(load_model(folder), list(excerpt.joined), settings)
    played = everyone["debug"].carry_on(excerpt, 5)
    assert played.notes == tuple(theirs.continuation_only)
    assert played.rescues == len(theirs.rescues)


def test_only_models_that_draw_are_watched_over(everyone):
    watched = [n for n, s in everyone.items() if s.carry_on(playing(), 0).rescues is not None]
    assert watched == ["debug"]


def test_a_seed_that_ends_in_silence_keeps_its_length(folder):
    short = Excerpt("hush", (Note(60, 0.0, 1.0, 64),), 5.0, (Note(62, 0.0, 1.0, 64),), 5.0)
    alone = replace(short, seed_seconds=1.0)
    system = load_systems([folder], temperature=1.0, threshold=0.9)[0][0]
    assert system.carry_on(short, 0).notes != system.carry_on(alone, 0).notes


def test_the_loop_is_the_seed_again_and_again():
    seed = (Note(60, 0.0, 1.0, 64), Note(62, 3.0, 4.0, 64))
    looped = looped_seed().carry_on(Excerpt("loop", seed, 4.0, (), 10.5), 0)
    assert [(n.pitch, n.start) for n in looped.notes] == [
        (60, 0.0),
        (62, 3.0),
        (60, 4.0),
        (62, 7.0),
        (60, 8.0),
    ]
    held = looped_seed().carry_on(Excerpt("loop", seed, 4.0, (), 7.5), 0)
    assert end_of(held.notes) == 7.5


def test_a_certain_markov_model_holds_its_key():
    start = np.full(88, 1e-9)
    start[60 - 21] = 1 - 1e-9
    markov = MarkovModel(np.full(88, 1 - 1e-9), start)
    excerpt = Excerpt("one key", (Note(40, 0.0, 4.0, 90),), 4.0, (), 6.3)
    (note,) = markov_player(markov, 1).carry_on(excerpt, 0).notes
    assert (note.pitch, note.start, note.end, note.velocity) == (60, 0.0, 6.3, 90)


def test_checkpoints_are_called_after_their_folders(tmp_path, model):
    for name in ("lstm/best", "wave net/best", "real", "markov", "copy"):
        model.save_pretrained(tmp_path / name)

    def named(*names):
        return list(name_models([str(tmp_path / name) for name in names]))

    assert named("lstm/best") == ["best"]
    assert named("lstm/best", "wave net/best") == ["lstm-best", "wave-net-best"]
    # "real" alone would be taken for the composer.
    assert named("real") == [f"{tmp_path.name}-real"]
    assert named("copy") == [f"{tmp_path.name}-copy"]
    assert named("markov", "lstm/best") == [f"{tmp_path.name}-markov", "lstm-best"]
    with pytest.raises(ValueError, match="each checkpoint once"):
        named("lstm/best", "lstm/../lstm/best")
    with pytest.raises(ValueError, match="model must be one of"):
        named("absent")


def test_file_names_hold_nothing_that_a_path_or_a_link_could_stumble_over():
    assert file_stem("lstm, threshold") == "lstm-threshold"
    assert file_stem("a/b c|d(e)[f]%20") == "a-b-c-d-e-f-20"


@pytest.mark.parametrize("choice", [{"fs": 10}, {"sustain": "ignore"}])
def test_a_model_that_hears_otherwise_is_refused(tmp_path, choice):
    PyzzicatoModel(tiny_config(**choice)).save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="model must take 20 frames a second and the pedal"):
        load_systems([str(tmp_path)], temperature=1.0, threshold=0.3)
