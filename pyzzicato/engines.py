"""The synthesisers that turn MIDI into samples with a soundfont's piano.

- `fluidsynth`: the FluidSynth program, run through midi2audio. The better sound; a system package.
- `midirenderer`: comes with pip on every platform; reads plain `.sf2` soundfonts only.

`audio.render` is the way in. This module picks an engine, runs it in a process of its own and
checks whether it failed: midi2audio alone would not report that.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]
from midi2audio import FluidSynth  # type: ignore[import-untyped]

from .checks import show_value
from .soundfonts import find_soundfont

Samples = npt.NDArray[np.float32]

ENGINES = ("fluidsynth", "midirenderer")
"""The engines, best first."""

# Engines are many times faster than the music; this much is for a machine with a lot else to do.
_TIMEOUT_S = 300.0
# How often is looked whether the sound is still wanted.
_LOOK_S = 0.2
# How long the strings may ring on after the last offset; FluidSynth adds about as much by itself.
_RING_S = 3.0
# What FluidSynth and midirenderer print of a soundfont that they cannot load.
_SOUNDFONT_COMPLAINTS = ("Failed to load SoundFont", "SoundFont error")
_MAX_OUTPUT = 100_000
_NICE = 10
# pyzzicato.midi writes one tick a millisecond.
_TICKS_A_SECOND = 1000
# In a process of its own, as midirenderer holds Python's lock while it plays.
_MIDIRENDERER_SCRIPT = """
import sys
from pathlib import Path
from midirenderer import render_wave_from
soundfont, midi, wave = map(Path, sys.argv[1:])
wave.write_bytes(render_wave_from(soundfont.read_bytes(), midi.read_bytes()))
"""


def choose_engine(engine: str, soundfont: str | Path | None) -> tuple[str, Path]:
    """Returns the engine that is to play, and its soundfont.

    Args:
        engine: one of `ENGINES`, or "auto" for the first one that can play here.
        soundfont: a soundfont file; None searches as `soundfonts.find_soundfont` does.

    Raises:
        ValueError: if `engine` is unknown or cannot play here; for "auto", if none can.
    """
    if engine in ENGINES:
        return engine, engine_soundfont(engine, soundfont)
    if engine != "auto":
        names = ", ".join(repr(name) for name in ("auto", *ENGINES))
        raise ValueError(f"engine must be one of {names}, got {show_value(engine)}")
    reasons = []
    for name in ENGINES:
        try:
            return name, engine_soundfont(name, soundfont)
        except ValueError as error:
            reasons.append(f"{name}: {error}")
    raise ValueError("no engine can play here. " + ". ".join(reasons))


def engine_soundfont(engine: str, soundfont: str | Path | None = None) -> Path:
    """Returns the soundfont that `engine` would play.

    Raises:
        ValueError: if the engine is not installed, or the soundfont is missing or unfit.
    """
    if engine == "fluidsynth" and shutil.which("fluidsynth") is None:
        raise ValueError(
            "engine must be installed, and the program fluidsynth was not found; install it with "
            "the system's package manager (Debian: fluidsynth), or use engine 'midirenderer'"
        )
    if engine == "midirenderer" and find_spec("midirenderer") is None:
        raise ValueError(
            "engine must be installed, and the Python package midirenderer was not found; "
            "install it with pip"
        )
    return find_soundfont(soundfont, compressed=engine == "fluidsynth")


def play(
    engine: str,
    soundfont: Path,
    midi: bytes,
    seconds: float,
    sample_rate: int,
    check: Callable[[], None] | None = None,
) -> Samples:
    """Returns a MIDI file played by one engine, as loud as the engine makes it.

    Args:
        engine: one of `ENGINES`.
        soundfont: a file that `engine_soundfont` has passed.
        midi: a file by `midi.midi_bytes`: format 1, one tick a millisecond.
        seconds: time of the last offset; the sound goes on for at least 3 s more.
        sample_rate: samples a second.
        check: called now and then while the engine plays; what it raises ends the playing.

    Returns:
        float32 of shape (N, 2), left and right.

    Raises:
        ValueError: if the soundfont turns out to be damaged.
        RuntimeError: if the engine breaks down.
    """
    timeout_s = _TIMEOUT_S + seconds
    with tempfile.TemporaryDirectory(prefix="pyzzicato-") as folder:
        notes, wave = Path(folder, "notes.mid"), Path(folder, "sound.wav")
        notes.write_bytes(_with_ring(midi, seconds))
        if engine == "fluidsynth":
            synth = _CarefulFluidSynth(str(soundfont), sample_rate, timeout_s, check)
            synth.midi_to_audio(str(notes), str(wave))
        else:
            script = [sys.executable, "-c", _MIDIRENDERER_SCRIPT]
            _run(engine, [*script, str(soundfont), str(notes), str(wave)], timeout_s, check)
        return _read(engine, wave, sample_rate)


class _CarefulFluidSynth(FluidSynth):  # type: ignore[misc]  # midi2audio has no types
    """midi2audio's FluidSynth, which reports failures and opens large soundfonts quickly.

    midi2audio ignores what the program answers and has no place for options, hence this override of
    its one command. Samples are loaded as they are needed (the MuseScore font takes up to 10 s
    otherwise) and written as floats, so that raising the soft sound later adds no noise.
    """

    def __init__(
        self,
        sound_font: str,
        sample_rate: int,
        timeout_s: float,
        check: Callable[[], None] | None,
    ) -> None:
        super().__init__(sound_font, sample_rate)
        self.timeout_s, self.check = timeout_s, check

    def midi_to_audio(self, midi_file: str, audio_file: str) -> None:
        """Plays `midi_file` into the WAV file `audio_file`.

        Raises:
            ValueError: if FluidSynth cannot use the soundfont.
            RuntimeError: if the program fails or takes too long.
        """
        options = ["-q", "-n", "-i", "-o", "synth.dynamic-sample-loading=1"]
        # No other soundfont in place of one that cannot be loaded.
        options += ["-o", "synth.default-soundfont="]
        output = ["-F", audio_file, "-T", "wav", "-O", "float", "-r", str(self.sample_rate)]
        command = ["fluidsynth", *options, *output, self.sound_font, midi_file]
        _run("fluidsynth", command, self.timeout_s, self.check)


def _run(
    engine: str, command: list[str], timeout_s: float, check: Callable[[], None] | None = None
) -> None:
    """Runs an engine's command to its end.

    Raises:
        ValueError: if the engine cannot use the soundfont.
        RuntimeError: if it fails otherwise or takes too long.
    """
    with tempfile.TemporaryFile() as log:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
        ) as done:
            _give_way(done)
            try:
                _wait(done, engine, timeout_s, check)
            finally:
                done.kill()  # Nothing happens to one that has ended.
        log.seek(0)
        output = log.read(_MAX_OUTPUT).decode(errors="replace").strip()
    last = output.splitlines()[-1] if output else "it log nothing"
    # FluidSynth returns 0 even where it could not load the soundfont.
    if any(complaint in output for complaint in _SOUNDFONT_COMPLAINTS):
        raise ValueError(
            f"soundfont must be one that {engine} can read, got a damaged one ({last}); fetch it "
            "again"
        )
    if done.returncode != 0:
        raise RuntimeError(f"{engine} failed with code {done.returncode}: {last}")


def _give_way(process: subprocess.Popen[bytes]) -> None:
    """Has an engine come after what plays and answers: a sound may wait, a listener does not."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICE)


def _wait(
    process: subprocess.Popen[bytes],
    engine: str,
    timeout_s: float,
    check: Callable[[], None] | None,
) -> None:
    """Waits for an engine; raises RuntimeError after `timeout_s`, and what `check` raises."""
    until = time.monotonic() + timeout_s
    while True:
        try:
            process.wait(_LOOK_S)
            return
        except subprocess.TimeoutExpired as error:
            if time.monotonic() > until:
                raise RuntimeError(
                    f"{engine} took more than {timeout_s:.0f} s and was stopped"
                ) from error
        if check is not None:
            check()


def _read(engine: str, wave: Path, sample_rate: int) -> Samples:
    """Returns the samples of the stereo file that an engine wrote, at `sample_rate`."""
    if not wave.is_file():
        raise RuntimeError(f"{engine} wrote no sound file and did not say why")
    samples, rate = soundfile.read(wave, dtype="float32", always_2d=True)
    if rate != sample_rate:
        from scipy.signal import resample_poly

        # midirenderer plays at 48 kHz whatever it is asked for.
        samples = resample_poly(samples, sample_rate, rate, axis=0)
    stereo: Samples = np.asarray(samples, dtype=np.float32)
    return stereo


def _with_ring(midi: bytes, seconds: float) -> bytes:
    """Returns the MIDI file with one more track, whose only event comes after the last offset.

    midirenderer stops at the last event and would cut the last chord short. The event is a sustain
    pedal let go, which changes nothing.

    Source: Standard MIDI Files 1.0: chunks, variable-length quantities, end of track.
    """
    ticks = round((seconds + _RING_S) * _TICKS_A_SECOND)
    delta = bytes([ticks & 0x7F])
    while ticks := ticks >> 7:
        delta = bytes([ticks & 0x7F | 0x80]) + delta
    events = delta + bytes([0xB0, 64, 0]) + bytes([0, 0xFF, 0x2F, 0])
    n_tracks = int.from_bytes(midi[10:12], "big") + 1
    track = b"MTrk" + len(events).to_bytes(4, "big") + events
    return midi[:10] + n_tracks.to_bytes(2, "big") + midi[12:] + track
