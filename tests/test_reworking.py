"""Reworked pieces are takes, of music of any kind."""

from pathlib import Path

import pytest

import pyzzicato
from pyzzicato.midi import read_midi
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.redo import redo_span as redo_notes
from pyzzicato.playing.voices import left_hand

SEED = "bach-prelude-c-major"


@pytest.fixture(scope="module")
def model() -> Model:
    """Returns the default model."""
    return pyzzicato.load_model()


def test_a_span_of_a_preset_is_a_take_to_save(model: Model, tmp_path: Path) -> None:
    take = pyzzicato.redo_span(model, SEED, 4, 6, tries=1)
    assert isinstance(take, pyzzicato.Take) and "Prelude" in take.source.title
    seed = pyzzicato.load_seed(SEED)
    composer = seed.performance.composer
    assert take.notes == redo_notes(model, seed.notes, 4, 6, None, composer, 1).notes
    saved = read_midi(take.save(tmp_path / "redone.mid")).notes
    assert [n.pitch for n in saved] == [n.pitch for n in take.notes]
    assert take.save(tmp_path / "redone.png").exists()


def test_a_part_is_named_or_given(model: Model) -> None:
    notes = pyzzicato.load_seed(SEED).notes
    named = pyzzicato.keep_part(model, SEED, "left", end=4, tries=1)
    given = pyzzicato.keep_part(model, SEED, left_hand(notes), end=4, tries=1)
    assert named.new_notes == given.new_notes != ()
    with pytest.raises(ValueError, match="kept must be notes or one of top, bottom"):
        pyzzicato.keep_part(model, SEED, "tenor")


def test_a_file_is_carried_on_from_a_moment(model: Model, tmp_path: Path) -> None:
    first = pyzzicato.redo_span(model, SEED, 4, 6, tries=1).save(tmp_path / "first.mid")
    settings = pyzzicato.GenerationSettings(seconds=3)
    take = pyzzicato.continue_from(model, first, 5.0, settings)
    assert take.seed_seconds == 5.0 and take.source.title == "first"
    assert all(n.start < 5 for n in take.seed_notes)
    assert all(n.start >= 5 for n in take.new_notes)
