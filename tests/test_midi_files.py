"""MIDI files as excerpts: finding, reading, cutting."""

from pathlib import Path

import pytest
from conftest import tune

from pyzzicato.evaluation.midi_files import (
    cut_files,
    cut_reference,
    find_midi,
    middle_length,
    read_files,
)
from pyzzicato.midi import write_midi
from pyzzicato.notes import Note, end_of, shift_notes


def put(folder: Path, *names: str) -> list[Path]:
    """Writes a tune of two seconds under each name."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
    return [write_midi(tune(2), folder / name) for name in names]


def read(paths: list[Path]) -> tuple[dict[str, list[Note]], dict[str, str | None]]:
    """Returns the pieces, and what was said of each file."""
    said: dict[str, str | None] = {}
    return read_files(paths, said.__setitem__), said


def test_folders_are_searched_and_files_taken_as_they_are(tmp_path):
    put(tmp_path, "set/b.mid", "set/deep/er/a.MIDI", "set/c, d/e|f.mid")
    (tmp_path / "set" / "notes.txt").write_text("no music")
    odd = put(tmp_path, "odd.name")[0]
    found = find_midi([tmp_path / "set", odd])
    assert [path.name for path in found] == ["b.mid", "e|f.mid", "a.MIDI", "odd.name"]


def test_a_file_named_twice_is_found_once(tmp_path):
    paths = put(tmp_path, "a.mid", "b.mid")
    assert find_midi([paths[1], tmp_path, tmp_path / "." / "a.mid"]) == [paths[1], paths[0]]


def test_nothing_to_find_is_said(tmp_path):
    with pytest.raises(ValueError, match="absent does not exist"):
        find_midi([tmp_path / "absent"])
    with pytest.raises(ValueError, match="no MIDI file in"):
        find_midi([tmp_path])


def test_names_are_paths_within_the_folder_of_all(tmp_path):
    paths = put(tmp_path, "one/a.mid", "two/a.mid", "two/b c.mid")
    assert list(read(paths)[0]) == ["one/a.mid", "two/a.mid", "two/b c.mid"]
    assert list(read(paths[1:])[0]) == ["a.mid", "b c.mid"]
    assert list(read(paths[:1])[0]) == ["a.mid"]
    assert read([]) == ({}, {})


def test_unreadable_files_are_left_out_with_a_reason(tmp_path):
    paths = put(tmp_path, "a.mid", "it's.mid", "c.mid")
    paths[1].write_bytes(b"no music")
    write_midi([], paths[2])
    pieces, said = read(paths)
    assert list(pieces) == ["a.mid"]
    assert said["a.mid"] is None
    assert "it's.mid" in said["it's.mid"]
    assert "at least one note" in said["c.mid"]
    # A report is for others: it tells nothing of the folders above.
    assert not any(str(tmp_path) in reason for reason in said.values() if reason)


def test_files_are_measured_after_their_seed_for_as_long_as_they_sound():
    pieces = {"long": tune(9), "short": tune(6)}
    left_out: list[str] = []
    excerpts = cut_files(pieces, 4.0, None, left_out.append)
    assert [e.name for e in excerpts] == ["long", "short"]
    assert [e.seconds for e in excerpts] == [end_of(tune(9)) - 4.0, end_of(tune(6)) - 4.0]
    assert all(e.seed_seconds == 4.0 and e.seed for e in excerpts)
    assert left_out == []
    assert middle_length(excerpts) == excerpts[0].seconds
    whole = cut_files(pieces, 0.0, None, left_out.append)[1]
    assert (whole.seed, list(whole.notes)) == ((), tune(6))


@pytest.mark.parametrize("length", [2.0, 4.0, 4.5])
def test_a_file_that_ends_within_its_seed_is_left_out_and_said(length):
    left_out: list[str] = []
    pieces = {"long": tune(9), "seed.mid": [Note(60, 0.0, length, 64)]}
    assert [e.name for e in cut_files(pieces, 4.0, None, left_out.append)] == ["long"]
    assert len(left_out) == 1
    assert left_out[0].startswith(f"seed.mid: it ends at {length:.1f} s")


def test_with_a_length_given_a_file_that_ends_early_is_silent_for_the_rest():
    left_out: list[str] = []
    pieces = {"nothing": tune(4), "little": tune(6), "much": tune(30)}
    excerpts = cut_files(pieces, 4.0, 12.0, left_out.append)
    assert [e.seconds for e in excerpts] == [12.0, 12.0, 12.0]
    assert [len(e.notes) for e in excerpts] == [0, 10, 60]
    assert left_out == []


@pytest.mark.parametrize(
    ("skip", "seconds", "said"),
    [
        (-1.0, None, "skip must be 0 or above, got -1"),
        (float("nan"), None, "skip must be 0 or above, got nan"),
        (0.0, 0.5, "seconds must be 1 or above, got 0.5"),
        (0.0, float("inf"), "seconds must be 1 or above, got inf"),
    ],
)
def test_options_out_of_range_are_refused(skip, seconds, said):
    with pytest.raises(ValueError, match=said):
        cut_files({"tune": tune(5)}, skip, seconds, print)


def test_the_reference_is_cut_from_the_middle_to_the_same_lengths():
    pieces = {"long": tune(30), "just": tune(9), "short": tune(5)}
    needed = end_of(tune(9))
    excerpts = cut_reference(pieces, 2.0, needed - 2.0)
    assert [e.name for e in excerpts] == ["long", "just"]
    assert all((e.seed_seconds, e.seconds) == (2.0, needed - 2.0) for e in excerpts)
    middle = (end_of(tune(30)) - needed) / 2
    first = next(n for n in tune(30) if n.start >= middle)
    assert excerpts[0].seed[0].start == pytest.approx(first.start - middle, abs=1e-4)
    assert sum(len(e.seed) + len(e.notes) for e in excerpts[1:]) == len(tune(9))


def test_a_reference_silent_in_its_middle_is_left_out():
    pieces = {"pause": [*tune(2), *shift_notes(tune(2), 60.0)]}
    assert cut_reference(pieces, 0.0, 10.0) == []


def test_there_is_no_middle_of_nothing():
    assert middle_length([]) == 0.0
