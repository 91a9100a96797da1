"""What a Python user gets: takes to save, to convert and to show."""

import base64
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import tune
from midi_builder import midi, off, on, seconds, tempo

import pyzzicato
from pyzzicato.hub import load_model
from pyzzicato.midi import read_midi
from pyzzicato.notes import Note
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.takes import Take, continue_seed, stream_continuation

SEED = "chopin-mazurka-a-minor"
SHORT = GenerationSettings(seconds=3, rng=5)


@pytest.fixture(scope="module")
def take() -> Take:
    return continue_seed(load_model(), SEED, SHORT)


@pytest.fixture(scope="module")
def free() -> Take:
    return continue_seed(load_model(), tune(), SHORT)


def test_the_front_door_is_this_one(take: Take) -> None:
    assert pyzzicato.continue_seed is continue_seed
    assert pyzzicato.stream_continuation is stream_continuation
    assert isinstance(take, pyzzicato.Take) and isinstance(take, pyzzicato.Continuation)


def test_the_repr_is_one_short_line(take: Take, free: Take) -> None:
    n = len(take.new_notes)
    assert repr(take) == (
        f"<{n} notes in 3 s after Frédéric Chopin: {take.source.title.partition(': ')[2]}, rng 5>"
    )
    assert repr(free).endswith("after Notes, rng 5>")
    assert len(repr(take)) < 120


def test_take_k_is_what_its_own_number_makes(take: Take) -> None:
    first, second = continue_seed(load_model(), SEED, SHORT, n=2).takes
    assert (first.settings.rng, second.settings.rng) == (5, 6)
    assert first.new_notes == take.new_notes
    alone = continue_seed(load_model(), SEED, replace(SHORT, rng=6))
    assert alone.new_notes == second.new_notes != first.new_notes
    assert first.takes == second.takes == (first, second)
    assert repr(second).startswith("<take 2 of 2, ") and alone.takes == (alone,)
    with pytest.raises(ValueError, match="n must be a whole number from 1 to 64, got 0"):
        continue_seed(load_model(), SEED, n=0)


def test_progress_goes_on_over_all_takes() -> None:
    reached: list[float] = []
    continue_seed(load_model(), tune(), SHORT, on_progress=reached.append, n=2)
    assert reached == sorted(reached) and reached[-1] == 6.0


def test_the_last_chunk_holds_the_take(take: Take) -> None:
    *_, last = stream_continuation(load_model(), SEED, SHORT)
    assert isinstance(last.piece, Take)
    assert last.piece.new_notes == take.new_notes and last.piece.source.name == SEED


def test_a_preset_plays_as_its_composer_and_keeps_its_bars(take: Take, tmp_path: Path) -> None:
    assert take.composer == "chopin"
    found = read_midi(take.save(tmp_path / "a.mid"))
    assert found.timing.metres[0][1:3] == (3, 4)
    assert len(found.notes) == len(take.notes)
    data = (tmp_path / "a.mid").read_bytes()
    assert read_midi(take.to_pretty_midi()).seconds == pytest.approx(found.seconds, abs=0.01)
    assert take.save(tmp_path / "b.MIDI").read_bytes() == data


def test_the_ending_says_what_is_written(take: Take, tmp_path: Path) -> None:
    assert take.save(tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    for name in ("a.wav", "a.mp3"):
        samples, rate = soundfile.read(take.save(str(tmp_path / name)))
        assert rate == 44_100 and len(samples) / rate > take.seed_seconds + 2.5
    assert "<score-partwise" in take.save(tmp_path / "a.musicxml").read_text(encoding="utf-8")
    with pytest.raises(ValueError, match="path must end in .mid, .midi, .mp3, .musicxml, .png"):
        take.save(tmp_path / "a.ogg")


def test_a_folder_that_is_not_there_is_named_before_anything_is_played(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for made in ("_save_midi", "_save_sound", "_save_picture", "_save_score"):
        monkeypatch.setattr(Take, made, lambda *_: pytest.fail("made in vain"))
    for name in ("a.mid", "a.wav", "a.mp3", "a.png", "a.musicxml"):
        with pytest.raises(ValueError, match="must be in an existing folder, got .*none"):
            take.save(tmp_path / "none" / name)


def test_a_free_performance_says_why_it_is_no_score(free: Take, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="a score needs notes on a grid, got notes without a te"):
        free.save(tmp_path / "a.musicxml")


def test_a_missing_extra_is_named(
    take: Take, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pyzzicato.audio", raising=False)
    monkeypatch.setitem(sys.modules, "pyloudnorm", None)
    with pytest.raises(ValueError, match=r"pyloudnorm is not installed; run pip .*\[audio\]"):
        take.save(tmp_path / "a.mp3")
    shown = take._repr_html_()
    assert "<img" in shown and "<audio" not in shown


def test_the_roll_holds_what_was_played(free: Take) -> None:
    roll = free.to_roll()
    assert roll.shape[1] == 88 and roll.dtype == np.uint8
    first = free.notes[0]
    assert roll[round(first.start * 20), first.pitch - 21] == first.velocity
    assert abs(len(free.to_roll(fs=40)) - 2 * len(roll)) <= 2
    with pytest.raises(ValueError, match="fs must be a whole number from 1"):
        free.to_roll(fs=0)


def test_a_notebook_shows_roll_and_sound(free: Take) -> None:
    shown = free._repr_html_()
    picture, sound = re.findall(r'src="data:(?:image/png|audio/mpeg);base64,([^"]+)"', shown)
    assert base64.b64decode(picture).startswith(b"\x89PNG")
    assert len(base64.b64decode(sound)) > 10_000
    hostile = replace(free, source=replace(free.source, title="<script>"))
    assert "<script>" not in hostile._repr_html_()


def test_a_take_can_be_a_seed_again(take: Take) -> None:
    longer = continue_seed(load_model(), take.notes, replace(SHORT, seed_seconds=13.0))
    assert seconds(longer.seed_notes)[:20] == seconds(take.notes)[:20]
    again = continue_seed(load_model(), take, replace(SHORT, seed_seconds=13.0))
    assert again.new_notes and again.seed_notes == longer.seed_notes
    assert again.source.title == take.source.title


def test_what_is_no_model_and_no_settings_is_refused_with_what_to_write() -> None:
    with pytest.raises(
        ValueError, match="model must be what load_model returns, got 'lstm'; write"
    ):
        continue_seed("lstm", SEED)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="settings must be GenerationSettings, got dict; write"):
        continue_seed(load_model(), SEED, {"seconds": 3})  # type: ignore[arg-type]


# ---- The grid -----------------------------------------------------------------------------------


def studio(n: int = 32, beat_us: int = 600_000) -> bytes:
    """Returns a file of eighth notes as a studio writes them."""
    notes = [one for i in range(n) for one in (on(0, 60 + i % 12), off(240, 60 + i % 12))]
    return midi([tempo(0, beat_us)], notes)


@pytest.mark.parametrize("name", ["lstm-events", "lstm"])
def test_a_seed_on_a_grid_is_carried_on_on_it(name: str) -> None:
    made = continue_seed(load_model(name), studio(), replace(SHORT, seconds=10))
    assert (made.quantise, made.division) == (1.0, 2)
    assert len(made.new_notes) > 5
    for note in made.new_notes:
        assert note.start / 0.3 == pytest.approx(round(note.start / 0.3), abs=1e-6)
    off_grid = continue_seed(load_model(name), studio(), replace(SHORT, quantise=0.0, seconds=10))
    assert off_grid.quantise == 0 and off_grid.division is None
    assert any(abs(n.start / 0.3 - round(n.start / 0.3)) > 0.05 for n in off_grid.new_notes)


@pytest.mark.parametrize("name", ["lstm-events", "lstm"])
def test_what_is_streamed_is_what_is_played(name: str) -> None:
    chunks = list(stream_continuation(load_model(name), studio(), replace(SHORT, seconds=12)))
    piece = chunks[-1].piece
    assert piece is not None and piece.quantise == 1
    streamed = sorted(
        (n.pitch, round(n.start + piece.seed_seconds, 6), round(n.end + piece.seed_seconds, 6))
        for chunk in chunks
        for n in chunk.notes
    )
    assert streamed == sorted(
        (n.pitch, round(n.start, 6), round(n.end, 6)) for n in piece.new_notes
    )
    ends: dict[int, float] = {}
    for note in piece.notes:
        assert note.start >= ends.get(note.pitch, 0) - 1e-9, note
        ends[note.pitch] = note.end


def test_a_part_of_the_way_lies_between(take: Take) -> None:
    def away(strength: float) -> float:
        made = continue_seed(load_model(), studio(), replace(SHORT, seconds=15, quantise=strength))
        return max(abs(n.start / 0.3 - round(n.start / 0.3)) for n in made.new_notes)

    assert away(0.0) > 0.4
    assert 0.1 < away(0.5) <= 0.25 + 0.04
    assert away(1.0) < 1e-6


def test_notes_without_a_tempo_can_be_quantised_by_one_that_is_found(tmp_path: Path) -> None:
    like = read_midi(studio(48))
    made = continue_seed(load_model(), list(like.music()), replace(SHORT, seconds=9, quantise=1.0))
    assert made.like is not None
    onsets = np.array([n.start / 0.15 for n in made.new_notes])
    assert np.abs(onsets - onsets.round()).max() < 0.02
    assert "<score-partwise" in made.save(tmp_path / "a.musicxml").read_text(encoding="utf-8")
    without = continue_seed(load_model(), list(like.music()), SHORT)
    assert without.quantise == 0 and without.like is None


def test_a_seed_too_short_to_show_a_grid_is_left_alone() -> None:
    assert continue_seed(load_model(), studio(6), SHORT).quantise == 0
    assert continue_seed(load_model(), studio(6), replace(SHORT, quantise=1.0)).quantise == 1
    assert continue_seed(load_model(), [], SHORT).quantise == 0
    with pytest.raises(ValueError, match="whose beat cannot be found"):
        continue_seed(load_model(), [Note(60, 0, 1, 64)], replace(SHORT, quantise=1.0))
