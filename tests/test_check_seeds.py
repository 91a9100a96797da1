"""The measure by which presets are compared with reference scores."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import mido
import pytest

from pyzzicato.seeds import list_seeds, load_seed


@pytest.fixture(scope="module")
def check() -> ModuleType:
    """Returns the script as a module."""
    path = Path(__file__).parents[1] / "train" / "check_seeds.py"
    spec = importlib.util.spec_from_file_location("check_seeds", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["check_seeds"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def write_scale(path: Path, pitches: list[int]) -> None:
    """Writes sixteenths one after another as a MIDI file."""
    track = mido.MidiTrack()
    for pitch in pitches:
        track.append(mido.Message("note_on", note=pitch, velocity=64, time=0))
        track.append(mido.Message("note_off", note=pitch, time=120))
    mido.MidiFile(ticks_per_beat=480, tracks=[track]).save(path)


def test_chords_are_ascending_and_struck_once(check: ModuleType) -> None:
    onsets = [(1.0, 60), (0.02, 72), (0.0, 76), (0.0, 48), (0.01, 48)]
    assert check.pitch_sequence(onsets, tolerance=0.06) == [48, 72, 76, 60]
    assert check.pitch_sequence(onsets, tolerance=0.0) == [48, 76, 48, 72, 60]


def test_common_subsequence(check: ModuleType) -> None:
    assert check.common_subsequence([1, 2, 3, 4], [1, 3, 5, 4]) == [(0, 0), (2, 1), (3, 3)]
    assert check.common_subsequence([], [1]) == []


def test_the_right_notes_agree_and_a_wrong_one_counts(check: ModuleType, tmp_path: Path) -> None:
    seed = load_seed("bach-prelude-c-major")
    pitches = [note.pitch for note in seed.notes]
    n, beats = len(pitches), len(pitches) / 4
    write_scale(tmp_path / "right.mid", [*pitches, 60, 60])
    write_scale(tmp_path / "wrong.mid", [*pitches[:10], 61, *pitches[11:]])
    right = check.compare(seed, check.Reference(seed.name, "right.mid", 0, beats), tmp_path)
    wrong = check.compare(seed, check.Reference(seed.name, "wrong.mid", 0, beats), tmp_path)
    assert (right.agreement, right.n_reference) == (1.0, n)
    assert wrong.agreement == (n - 1) / n
    assert (wrong.only_preset, wrong.only_reference) == (("G4",), ("C#4",))


def test_notes_missing_in_the_preset_count(check: ModuleType, tmp_path: Path) -> None:
    seed = load_seed("bach-prelude-c-major")
    pitches = [note.pitch for note in seed.notes]
    write_scale(tmp_path / "longer.mid", [*pitches, 60, 60, 60, 60])
    longer = check.compare(
        seed, check.Reference(seed.name, "longer.mid", 0, len(pitches) / 4 + 1), tmp_path
    )
    assert longer.agreement == len(pitches) / (len(pitches) + 4)


def test_a_table_shows_what_is_struck(check: ModuleType, tmp_path: Path) -> None:
    rows = ["quarterbeats\tmidi\ttied", "1/2\t65\t1", "3/2\t65\t-1", "2\t67\t", "3\t69\t0"]
    (tmp_path / "table.tsv").write_text("\n".join(rows), encoding="utf-8")
    assert check.table_onsets(tmp_path / "table.tsv") == [(0.5, 65), (2.0, 67)]


def test_every_preset_has_a_reference(check: ModuleType) -> None:
    assert {r.seed for r in check.REFERENCES} == {seed.name for seed in list_seeds()}
