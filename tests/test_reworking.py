"""Reworked pieces are takes, of music of any kind."""

from pathlib import Path

import pytest
from midi_builder import meta, midi, off, on

import pyzzicato
from pyzzicato.midi import read_midi
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.redo import redo_span as redo_notes
from pyzzicato.playing.voices import left_hand
from pyzzicato.reworking import named_part
from pyzzicato.sources import SeedPiece, read_source

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
    again = pyzzicato.redo_span(model, take, 4, 6, tries=1)
    assert again.notes == redo_notes(model, take.notes, 4, 6, None, None, 1).notes


def test_a_part_is_named_or_given(model: Model) -> None:
    notes = pyzzicato.load_seed(SEED).notes
    named = pyzzicato.keep_part(model, SEED, "left", end=4, tries=1)
    given = pyzzicato.keep_part(model, SEED, left_hand(notes), end=4, tries=1)
    assert named.new_notes == given.new_notes != ()
    with pytest.raises(ValueError, match="keep must be one of top, bottom, .* or track:NAME, got"):
        pyzzicato.keep_part(model, SEED, "tenor")


def two_tracks(*names: str) -> SeedPiece:
    """Returns what is read from a file with a track of each name, one pitch each, from 60 up."""
    tracks = [
        [
            meta(0, 3, name.encode()),
            *(e for _ in range(3) for e in (on(0, 60 + i), off(240, 60 + i))),
        ]
        for i, name in enumerate(names)
    ]
    return read_source(midi(*tracks))


def test_a_track_is_named_by_its_number_or_its_name() -> None:
    source = two_tracks("Left hand", " right ", "Left hand")
    for name, pitches in (
        ("track:1", {60}),
        ("track:3", {62}),
        ("track:Right", {61}),
        ("track: left hand", {60, 62}),
    ):
        kept = named_part(source, name)
        assert {n.pitch for n in kept} == pitches and len(kept) == 3 * len(pitches)
    assert named_part(source, "top")


@pytest.mark.parametrize("name", ["track:0", "track:4", "track:", "track:middle"])
def test_a_track_that_is_not_there_is_reported_with_those_that_are(name: str) -> None:
    with pytest.raises(ValueError, match=r"track must be one of 1 \(Left\), 2 \(Right\), 3, got"):
        named_part(two_tracks("Left", "Right", " "), name)


def test_notes_alone_have_no_tracks() -> None:
    with pytest.raises(ValueError, match="has no tracks; keep top, bottom"):
        named_part(read_source(pyzzicato.load_seed(SEED)), "track:1")


def test_the_odds_are_those_of_any_music(model: Model) -> None:
    seed = pyzzicato.load_seed(SEED)
    answer = pyzzicato.next_odds(model, SEED, 8.0)
    notes = pyzzicato.next_odds(model, list(seed.notes), 8.0, seed_composer="bach")
    assert answer.likeliest(88) == notes.likeliest(88)
    chances = [chance for _, chance in answer.likeliest(5)]
    assert len(chances) == 5 and chances == sorted(chances, reverse=True)
    assert (
        chances[0] == answer.keys.max()
        and answer.keys[answer.likeliest(1)[0][0] - 21] == chances[0]
    )


def test_a_file_is_carried_on_from_a_moment(model: Model, tmp_path: Path) -> None:
    first = pyzzicato.redo_span(model, SEED, 4, 6, tries=1).save(tmp_path / "first.mid")
    settings = pyzzicato.GenerationSettings(seconds=3)
    take = pyzzicato.continue_from(model, first, 5.0, settings)
    assert take.seed_seconds == 5.0 and take.source.title == "first"
    assert all(n.start < 5 for n in take.seed_notes)
    assert all(n.start >= 5 for n in take.new_notes)
