"""Sound: real renders by every engine, their form, loudness, time and pitch; WAV files; errors."""

import resource
import shutil
import time
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyloudnorm
import pytest
import soundfile

from pyzzicato.audio import (
    ENGINES,
    PEAK_DBFS,
    SAMPLE_RATE,
    TARGET_LUFS,
    Sound,
    integrated_loudness,
    render,
    write_wav,
)
from pyzzicato.notes import Note
from pyzzicato.soundfonts import SOUNDFONT_VARIABLE, find_soundfont

# A4 alone after a second of silence, a pause, then a loud chord that is held.
A4 = Note(69, 1.0, 1.6, 80)
CHORD = [Note(pitch, 3.0, 4.5, 100) for pitch in (48, 55, 64, 72)]
PIECE = [A4, *CHORD]
CEILING = 10 ** (PEAK_DBFS / 20)


@pytest.fixture(scope="module", params=ENGINES)
def sound(request: pytest.FixtureRequest) -> Sound:
    """Returns `PIECE` by each engine with the soundfont it takes by itself.

    Where FluidSynth is not installed, the message is held, and what plays in its place is returned.
    """
    if request.param == "fluidsynth" and shutil.which("fluidsynth") is None:
        with pytest.raises(ValueError, match="the program fluidsynth was not found"):
            render(PIECE, "fluidsynth")
        return render(PIECE)
    return render(PIECE, request.param)


def small(notes: list[Note]) -> Sound:
    """Returns notes by the engine and soundfont that are always there."""
    return render(notes, "midirenderer", find_soundfont(compressed=False))


def level(sound: Sound, start_s: float, end_s: float) -> float:
    """Returns the peak between two times."""
    return float(
        np.abs(sound.samples[round(start_s * SAMPLE_RATE) : round(end_s * SAMPLE_RATE)]).max()
    )


def loudness(samples: npt.NDArray[np.float32]) -> float:
    return float(pyloudnorm.Meter(SAMPLE_RATE).integrated_loudness(samples))


def test_form(sound: Sound) -> None:
    assert sound.samples.dtype == np.float32
    assert sound.samples.shape == (len(sound.samples), 2)
    assert sound.sample_rate == SAMPLE_RATE == 44_100
    assert sound.seconds == len(sound.samples) / 44_100
    assert sound.peak == np.abs(sound.samples).max()


def test_it_says_who_played(sound: Sound) -> None:
    assert sound.engine in ENGINES
    assert sound.soundfont.endswith((".sf2", ".sf3"))
    assert sound.credit.lower() == f"played by {sound.engine} with {sound.soundfont.lower()}"


def test_loudness_and_peak(sound: Sound) -> None:
    assert loudness(sound.samples) == pytest.approx(TARGET_LUFS, abs=0.3)
    assert 0.05 < sound.peak <= CEILING


def test_sound_time_is_note_time(sound: Sound) -> None:
    assert level(sound, 0, 0.999) < 1e-3
    assert level(sound, 1.0, 1.05) > 0.02
    assert level(sound, 2.9, 2.999) < 0.1 * level(sound, 3.0, 3.05)


def test_tail_is_a_short_fade(sound: Sound) -> None:
    assert 4.5 < sound.seconds < 6.5
    assert level(sound, sound.seconds - 0.6, sound.seconds) > sound.peak * 10 ** (-60 / 20)
    assert np.abs(sound.samples[-1]).max() < 1e-6
    steps = np.abs(np.diff(sound.samples[-SAMPLE_RATE // 10 :], axis=0))
    assert steps.max() < 1e-3


def test_a4_is_440_hz(sound: Sound) -> None:
    mono = sound.samples[round(1.05 * SAMPLE_RATE) : round(1.55 * SAMPLE_RATE)].mean(axis=1)
    spectrum = np.abs(np.fft.rfft(mono * np.hanning(len(mono)), n=SAMPLE_RATE))
    # One bin a hertz. The fundamental is the strongest partial up to the second.
    assert 437 <= int(np.argmax(spectrum[:660])) <= 443


def test_two_channels_sound_and_differ(sound: Sound) -> None:
    left, right = np.abs(sound.samples).max(axis=0)
    assert 0.2 < left / right < 5
    assert not np.array_equal(sound.samples[:, 0], sound.samples[:, 1])


def test_rendering_is_deterministic() -> None:
    assert np.array_equal(small(PIECE).samples, small(PIECE[::-1]).samples)


def test_harder_is_louder_within_a_piece() -> None:
    sound = small([Note(60, 0.0, 0.5, 40), Note(60, 2.0, 2.5, 110)])
    assert level(sound, 2.0, 2.5) > 3 * level(sound, 0.0, 0.5)


def test_a_peaky_piece_is_held_at_the_ceiling() -> None:
    sound = small([Note(108, 0.0, 0.05, 127)])
    assert sound.peak == pytest.approx(CEILING, rel=1e-4)
    assert sound.peak <= CEILING
    assert loudness(sound.samples) < TARGET_LUFS


def test_a_lone_soft_note_stays_soft() -> None:
    sound = small([Note(60, 0.5, 2.0, 14)])
    assert loudness(sound.samples) < TARGET_LUFS - 6
    assert level(sound, 0.5, 1.0) > 1e-3


def test_no_notes() -> None:
    with pytest.raises(ValueError, match="notes must hold at least one note"):
        render([])


def test_silence_is_an_error() -> None:
    with pytest.raises(ValueError, match="got silence from .* at velocities 1 to 2"):
        small([Note(60, 0.0, 1.0, 1), Note(62, 0.0, 1.0, 2)])


def test_bad_engine_and_bad_soundfont(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="engine must be one of"):
        render(PIECE, "organ")
    bad = tmp_path / "bad.sf2"
    bad.write_bytes(b"RIFF")
    with pytest.raises(ValueError, match=r"soundfont must be .* got bad\.sf2"):
        render(PIECE, soundfont=bad)
    monkeypatch.setenv(SOUNDFONT_VARIABLE, str(bad))
    with pytest.raises(ValueError, match=f"{SOUNDFONT_VARIABLE} must be"):
        render(PIECE)


def tone(seconds: float = 0.5, amplitude: float = 0.5) -> Sound:
    """Returns a plain tone, for what does not need a piano."""
    time = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    wave = (amplitude * np.sin(2 * np.pi * 440 * time)).astype(np.float32)
    return Sound(np.stack([wave, wave / 2], axis=1), SAMPLE_RATE, "midirenderer", "none.sf2")


def test_wav_file(tmp_path: Path) -> None:
    sound = tone()
    path = write_wav(sound, tmp_path / "tone.wav")
    assert path == tmp_path / "tone.wav"
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.subtype) == (44_100, 2, "PCM_16")
    samples, _ = soundfile.read(path)
    assert np.abs(samples - sound.samples).max() < 2 / 32768


def test_wav_of_a_render_keeps_the_peak(sound: Sound, tmp_path: Path) -> None:
    samples, _ = soundfile.read(write_wav(sound, str(tmp_path / "piece.wav")))
    assert len(samples) == len(sound.samples)
    assert 0.05 < np.abs(samples).max() <= CEILING


@pytest.mark.parametrize("amplitude", [0.0, 5e-5])
def test_silence_is_not_written(tmp_path: Path, amplitude: float) -> None:
    with pytest.raises(ValueError, match="sound must be audible, got a peak of"):
        write_wav(tone(amplitude=amplitude), tmp_path / "silent.wav")
    with pytest.raises(ValueError, match="sound must be audible, got a peak of 0 of 1"):
        write_wav(tone(seconds=0.0), tmp_path / "silent.wav")
    assert not list(tmp_path.iterdir())


def test_unwritable_places(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here already")
    for place in (tmp_path / "absent" / "a.wav", tmp_path / "file" / "a.wav", tmp_path):
        with pytest.raises(ValueError, match="path must be a file in an existing folder"):
            write_wav(tone(), place)
    assert (tmp_path / "file").read_text() == "here already"


def test_an_incomplete_file_does_not_stay(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        with pytest.raises(ValueError, match="path must be a file"):
            write_wav(tone(), tmp_path / "big.wav")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("n", [100, 17_640, 20_000, 22_100, 22_000, 44_100 * 25 + 123])
def test_loudness_in_parts_is_the_loudness_of_the_whole(n: int) -> None:
    dice = np.random.default_rng(0)
    swell = np.linspace(0.001, 0.3, n, dtype=np.float32)[:, None]
    samples = (dice.normal(size=(n, 2)).astype(np.float32) * swell).clip(-1, 1)
    whole = np.pad(samples, ((0, max(0, 17_640 - n)), (0, 0))).astype(np.float64)
    expected = pyloudnorm.Meter(44_100).integrated_loudness(whole)
    assert integrated_loudness(samples) == pytest.approx(expected, abs=1e-6)
    assert integrated_loudness(np.zeros((n, 2), np.float32)) == -np.inf


def test_a_rendering_ends_when_it_is_not_wanted() -> None:
    class UnwantedError(Exception):
        """Nobody waits."""

    def check() -> None:
        raise UnwantedError

    notes = [Note(60, i * 0.1, i * 0.1 + 0.05, 64) for i in range(6000)]
    began = time.monotonic()
    with pytest.raises(UnwantedError):
        render(notes, check=check)
    assert time.monotonic() - began < 5
