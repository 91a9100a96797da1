"""MIDI files of any maker as excerpts, and reference music cut to their length."""

import pytest
from conftest import tune

from pyzzicato.evaluation.files import (
    cut_files,
    cut_reference,
    find_midi,
    middle_length,
    read_files,
)
from pyzzicato.midi import write_midi
from pyzzicato.notes import Note


def test_files_are_found_once_and_in_order(tmp_path):
    for name in ("b.mid", "a.MIDI", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "empty").mkdir()
    assert [p.name for p in find_midi([tmp_path, tmp_path / "b.mid"])] == ["a.MIDI", "b.mid"]
    with pytest.raises(ValueError, match="does not exist"):
        find_midi([tmp_path / "gone"])
    with pytest.raises(ValueError, match="no MIDI file"):
        find_midi([tmp_path / "empty"])


def test_a_broken_file_is_left_out_with_its_reason(tmp_path):
    write_midi(tune(5), tmp_path / "good.mid")
    (tmp_path / "bad.mid").write_bytes(b"MThd")
    told = {}
    pieces = read_files(find_midi([tmp_path]), told.__setitem__)
    assert list(pieces) == ["good.mid"]
    assert told["good.mid"] is None
    assert "bad.mid" in told["bad.mid"]


def test_the_seed_is_cut_off_and_short_pieces_are_left_out():
    left_out = []
    pieces = {"long": tune(20), "short": tune(5)}
    (excerpt,) = cut_files(pieces, 10, None, left_out.append)
    assert excerpt.name == "long"
    assert excerpt.seed_seconds == 10
    assert all(0 <= note.start < excerpt.seconds for note in excerpt.notes)
    assert len(excerpt.seed) + len(excerpt.notes) == len(tune(20))
    assert left_out[0].startswith("short")


def test_a_given_length_measures_silence_where_a_piece_dried_up():
    (excerpt,) = cut_files({"dry": [Note(60, 0.0, 1.0, 64)]}, 10, 30, lambda _: None)
    assert excerpt.notes == ()
    assert excerpt.seconds == 30


@pytest.mark.parametrize(("skip", "seconds"), [(-1, None), (0, 0.5), (float("nan"), None)])
def test_lengths_out_of_range_are_refused(skip, seconds):
    with pytest.raises(ValueError, match="must be"):
        cut_files({"a": tune(5)}, skip, seconds, lambda _: None)


def test_reference_is_as_long_as_what_is_judged():
    judged = cut_files({"a": tune(8), "b": tune(12)}, 2, None, lambda _: None)
    length = middle_length(judged)
    cut = cut_reference({"long": tune(40), "too short": tune(5)}, 2, length)
    assert [excerpt.name for excerpt in cut] == ["long"]
    assert cut[0].seconds == length
    assert cut[0].seed
