"""Engines: which one plays, what bad soundfonts do to each, and the ring after the last note."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from pyzzicato.engines import (
    ENGINES,
    Samples,
    choose_engine,
    engine_soundfont,
    play,
)
from pyzzicato.midi import midi_bytes
from pyzzicato.notes import Note
from pyzzicato.soundfonts import SOUNDFONT_VARIABLE, find_soundfont

# FluidSynth is a system package: where it is missing these tests hold the messages instead.
INSTALLED = tuple(n for n in ENGINES if n != "fluidsynth" or shutil.which("fluidsynth"))
RATE = 44_100


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(SOUNDFONT_VARIABLE, raising=False)


@pytest.fixture
def without_fluidsynth(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leaves no program to be found, as on a machine without FluidSynth."""
    monkeypatch.setenv("PATH", str(tmp_path))


def played(engine: str, notes: list[Note], seconds: float) -> Samples:
    """Returns notes played with the small soundfont that is always there."""
    return play(engine, find_soundfont(compressed=False), midi_bytes(notes), seconds, RATE)


@pytest.mark.parametrize("engine", INSTALLED)
def test_every_installed_engine_has_a_soundfont(engine: str) -> None:
    name, font = choose_engine(engine, None)
    assert name == engine
    assert font.suffix in (".sf2", ".sf3")


def test_auto_takes_the_best_installed_engine() -> None:
    engine, font = choose_engine("auto", None)
    assert engine == INSTALLED[0]
    assert font == engine_soundfont(engine)


def test_a_missing_program_is_reported_and_auto_does_without(without_fluidsynth: None) -> None:
    assert choose_engine("auto", None)[0] == "midirenderer"
    with pytest.raises(ValueError, match="the program fluidsynth was not found; install it"):
        choose_engine("fluidsynth", None)


def test_no_engine_at_all_gives_every_reason(
    without_fluidsynth: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "midirenderer", None)
    with pytest.raises(ValueError, match="no engine can play here") as caught:
        choose_engine("auto", None)
    assert "program fluidsynth" in str(caught.value)
    assert "package midirenderer" in str(caught.value)


def test_unknown_engine_lists_the_engines() -> None:
    with pytest.raises(ValueError, match="'auto', 'fluidsynth', 'midirenderer', got 'organ'"):
        choose_engine("organ", None)


def test_a_bad_soundfont_makes_no_engine_available(tmp_path: Path) -> None:
    bad = tmp_path / "bad.sf2"
    bad.write_bytes(b"not a soundfont")
    with pytest.raises(ValueError, match="must be a soundfont"):
        choose_engine("auto", bad)


@pytest.mark.parametrize("engine", INSTALLED)
def test_a_soundfont_damaged_inside_is_an_error_not_silence(engine: str, tmp_path: Path) -> None:
    font = bytearray(find_soundfont(compressed=False).read_bytes())
    # The beginning and the length are right, the instruments are not.
    font[200:] = bytes(len(font) - 200)
    damaged = tmp_path / "damaged.sf2"
    damaged.write_bytes(font)
    assert engine_soundfont(engine, damaged) == damaged
    with pytest.raises(ValueError, match=f"soundfont must be one that {engine} can read"):
        play(engine, damaged, midi_bytes([Note(60, 0, 1, 90)]), 1.0, RATE)


@pytest.mark.parametrize("engine", INSTALLED)
def test_bad_midi_is_a_breakdown_not_silence(engine: str) -> None:
    midi = midi_bytes([Note(60, 0, 1, 90)])
    with pytest.raises(RuntimeError, match=engine):
        play(engine, find_soundfont(compressed=False), b"XXXX" + midi[4:], 1.0, RATE)


@pytest.mark.parametrize("engine", INSTALLED)
def test_form_and_time(engine: str) -> None:
    samples = played(engine, [Note(69, 1.0, 1.5, 90)], 1.5)
    assert samples.dtype == np.float32
    assert samples.ndim == 2
    assert samples.shape[1] == 2
    level = np.abs(samples).max(axis=1)
    onset = int(np.argmax(level > 0.02 * level.max())) / RATE
    assert 1.0 <= onset < 1.02


@pytest.mark.parametrize("engine", INSTALLED)
@pytest.mark.parametrize("seconds", [0.1, 20.0])
def test_the_last_note_rings_on(engine: str, seconds: float) -> None:
    samples = played(engine, [Note(48, seconds - 0.05, seconds, 100)], seconds)
    assert len(samples) / RATE >= seconds + 2.5
    after = np.abs(samples[round(seconds * RATE) :])
    assert after[: RATE // 10].max() > 1e-3
    assert after[-RATE // 10 :].max() < 1e-4


@pytest.mark.parametrize("engine", INSTALLED)
def test_same_notes_same_samples(engine: str) -> None:
    notes = [Note(60, 0.0, 0.5, 80), Note(64, 0.2, 0.7, 60)]
    assert np.array_equal(played(engine, notes, 0.7), played(engine, notes, 0.7))
