"""Sound: notes -> stereo samples and WAV files.

Whichever engine plays (`pyzzicato.engines`), a `Sound` has one form: stereo float32 at 44.1 kHz,
an even loudness, no silent tail, and a note struck at 3.2 s is heard at 3.2 s. It says which engine
and soundfont played, so that a poor piano is not taken for the network's fault. Nothing here
returns or writes silence: FluidSynth answers a damaged soundfont with a silent file and a return
code of 0, so inputs are checked before it plays and the sound is checked after.
"""

import math
import wave
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile  # type: ignore[import-untyped]

from .engines import (
    ENGINES,
    Samples,
    choose_engine,
    play,
)
from .midi import midi_bytes
from .notes import Note, end_of

__all__ = ["ENGINES", "Sound", "render", "write_mp3", "write_wav"]

SAMPLE_RATE = 44_100
"""Samples a second of every `Sound`, per channel."""
TARGET_LUFS = -18.0
"""Loudness of every `Sound`, where its peaks and the largest gain allow."""
PEAK_DBFS = -1.0
"""No sample is louder than this: players and codecs overshoot a little."""
SILENCE = 1e-4
"""A peak at or below this (of full scale 1.0) is silence."""

# A soft piece is raised by this much and no more: a single pianissimo note stays soft.
_MAX_GAIN_DB = 36.0
# The tail is cut where it has fallen this far below the loudest sample, and faded out from there.
_TAIL_DB = -60.0
_FADE_S = 0.4
_LARGEST_16_BIT = 32767
# A codec is given a few seconds at a time: minutes in one call have crashed it.
_CODEC_BLOCK = 16_384
# Long music is gone through in parts of this length: ten minutes at once would take a gigabyte.
_PART_S = 10
# Of BS.1770: loudness is that of blocks of 0.4 s, one beginning each 0.1 s; blocks below -70 LUFS
# and those 10 below the mean of the rest do not count.
_HOP_S = 0.1
_HOPS_A_BLOCK = 4
_OFFSET_LUFS = -0.691
_SILENT_LUFS = -70.0
_SOFT_LU = 10.0

_ENGINE_TITLES = {"fluidsynth": "FluidSynth", "midirenderer": "midirenderer"}


@dataclass(frozen=True, eq=False)
class Sound:
    """Music as samples, and who played it.

    Attributes:
        samples: float32 of shape (N, 2), left and right, within -1 to 1; sample 0 is time 0 of the
            notes.
        sample_rate: samples a second.
        engine: one of `ENGINES`.
        soundfont: file name of the soundfont.
    """

    samples: Samples
    sample_rate: int
    engine: str
    soundfont: str

    @property
    def seconds(self) -> float:
        """Returns the length in seconds."""
        return len(self.samples) / self.sample_rate

    @property
    def peak(self) -> float:
        """Returns the loudest sample of either channel, 0 to 1; 0.0 for no samples."""
        return _peak(self.samples)

    @property
    def credit(self) -> str:
        """Returns a line for people: which engine and soundfont played."""
        return f"Played by {_ENGINE_TITLES[self.engine]} with {self.soundfont}"


def render(
    notes: Iterable[Note],
    engine: str = "auto",
    soundfont: str | Path | None = None,
    check: Callable[[], None] | None = None,
) -> Sound:
    """Returns the sound of the notes, played on a piano.

    The same notes, engine and soundfont give the same samples. The softest notes may be lost: the
    MuseScore soundfont is silent below a velocity of 3, midirenderer below about 10.

    Args:
        notes: what to play, lengthened by the sustain pedal where there was one (see
            `Performance.sounding`); in any order.
        engine: one of `ENGINES`, or "auto" for the first one that can play here.
        soundfont: a soundfont file; None searches as `soundfonts.find_soundfont` does.
        check: called now and then while the engine plays; what it raises ends the rendering.

    Raises:
        ValueError: if there are no notes, the engine is unknown or cannot play here, or the
            soundfont is missing or damaged, or what it plays is silence.
        RuntimeError: if the engine breaks down.
    """
    played = list(notes)
    if not played:
        raise ValueError("notes must hold at least one note, got none; there is nothing to play")
    engine, font = choose_engine(engine, soundfont)
    samples = play(engine, font, midi_bytes(played), end_of(played), SAMPLE_RATE, check)
    samples = _without_tail(samples)
    samples *= even_gain(samples)
    if _peak(samples) <= SILENCE:
        softest, loudest = min(n.velocity for n in played), max(n.velocity for n in played)
        raise ValueError(
            f"notes and soundfont must sound, got silence from {font.name} at velocities "
            f"{softest} to {loudest}; choose a soundfont with a piano (bank 0, preset 0), or "
            "strike the keys harder"
        )
    return Sound(samples, SAMPLE_RATE, engine, font.name)


def write_wav(sound: Sound, path: str | Path) -> Path:
    """Writes the sound as a 16-bit PCM WAV file and returns its path.

    The folder must exist. Neither a silent nor an incomplete file is left behind.

    Raises:
        ValueError: if the sound is silent, or the file cannot be written there.
    """
    target = Path(path)
    if sound.peak <= SILENCE:
        raise ValueError(
            f"sound must be audible, got a peak of {sound.peak:.2g} of 1; {target.name} was not "
            "written"
        )
    opened = False
    try:
        with target.open("wb") as file:
            opened = True
            with wave.open(file, "wb") as written:
                written.setnchannels(2)
                written.setsampwidth(2)
                written.setframerate(sound.sample_rate)
                for part in _parts(sound.samples):
                    whole = np.rint(part.clip(-1, 1) * _LARGEST_16_BIT)
                    written.writeframes(whole.astype("<i2").tobytes())
    except OSError as error:
        # Half a file goes; a file that could not be opened was somebody else's and stays.
        if opened and target.is_file():
            target.unlink()
        raise ValueError(
            f"path must be a file in an existing folder that can be written to, got {target}: "
            f"{error.strerror}"
        ) from error
    return target


def write_mp3(sound: Sound, path: str | Path, *, small: bool = False) -> Path:
    """Writes the sound as an MP3 file and returns its path.

    The folder must exist. No incomplete file is left behind.

    Args:
        sound: what to write.
        path: of the file.
        small: in one channel, some 35 kbit a second instead of 110.

    Raises:
        ValueError: if the file cannot be written there.
    """
    target = Path(path)
    channels = 1 if small else 2
    sparing = {"bitrate_mode": "VARIABLE", "compression_level": 0.8} if small else {}
    form = {"format": "MP3", "subtype": "MPEG_LAYER_III", **sparing}
    try:
        with soundfile.SoundFile(target, "w", sound.sample_rate, channels, **form) as file:
            for start in range(0, len(sound.samples), _CODEC_BLOCK):
                block = sound.samples[start : start + _CODEC_BLOCK]
                file.write(block.mean(1) if small else block)
    except (AssertionError, OSError, soundfile.LibsndfileError) as error:
        # The library does not say why a write fell short, in either way.
        if target.is_file():
            target.unlink()
        raise ValueError(
            f"path must be a file in an existing folder that can be written to, with room left, "
            f"got {target}"
        ) from error
    return target


def _peak(samples: Samples) -> float:
    """Returns the largest absolute sample; 0.0 for no samples."""
    return float(max(samples.max(), -samples.min())) if samples.size else 0.0


def even_gain(samples: Samples) -> np.float32:
    """Returns the factor that brings samples to `TARGET_LUFS`, within the peak and largest gain.

    Args:
        samples: `(N, 2)`, left and right.
    """
    peak = _peak(samples)
    if peak == 0.0:
        return np.float32(1.0)
    loudness = integrated_loudness(samples)
    # Music below the meter's gate of -70 LUFS measures as -inf: the largest gain is for it.
    wanted_db = min(TARGET_LUFS - loudness, _MAX_GAIN_DB)
    # A millionth is left, so that rounding to float32 does not lift the peak over the ceiling.
    ceiling = 10 ** (PEAK_DBFS / 20) - 1e-6
    return np.float32(min(10 ** (wanted_db / 20), ceiling / peak))


def integrated_loudness(samples: Samples) -> float:
    """Returns the loudness of stereo samples in LUFS; -inf where all of them are below -70 LUFS.

    The memory it takes does not grow with the length.

    Args:
        samples: of shape (N, 2), `SAMPLE_RATE` a second. Fewer than a block of 0.4 s are filled up
            with silence.

    Source: ITU-R BS.1770-4, annex 1; the weighting filters are pyloudnorm's.
    """
    hop = round(_HOP_S * SAMPLE_RATE)
    missing = max(0, _HOPS_A_BLOCK * hop - len(samples))
    if missing:
        samples = np.pad(samples, ((0, missing), (0, 0)))
    # Half a hop at the end counts as one, as pyloudnorm has it; less does not.
    energies = _hop_energies(samples, hop)[: round(len(samples) / hop)]
    sums = np.concatenate([[0.0], energies.cumsum()])
    blocks = (sums[_HOPS_A_BLOCK:] - sums[:-_HOPS_A_BLOCK]) / _HOPS_A_BLOCK
    blocks = blocks[_lufs(blocks) >= _SILENT_LUFS]
    if len(blocks):
        blocks = blocks[_lufs(blocks) > _lufs(blocks.mean()) - _SOFT_LU]
    return float(_lufs(blocks.mean())) if len(blocks) else -math.inf


def _hop_energies(samples: Samples, hop: int) -> npt.NDArray[np.float64]:
    """Returns the mean square of each hop after weighting, both channels added, `(N / hop,)`."""
    # Here: they take long to import, and many who import this module render nothing.
    import pyloudnorm  # type: ignore[import-untyped]
    from scipy.signal import lfilter

    # pyloudnorm has no public way to its filters.
    stages = list(pyloudnorm.Meter(SAMPLE_RATE)._filters.values())
    states = [np.zeros((max(len(stage.a), len(stage.b)) - 1, 2)) for stage in stages]
    energies = []
    for part in _parts(samples):
        weighted = part.astype(np.float64)
        for i, stage in enumerate(stages):
            weighted, states[i] = lfilter(stage.b, stage.a, weighted, axis=0, zi=states[i])
            weighted *= stage.passband_gain
        missing = -len(weighted) % hop
        # What does not fill a hop counts as far as it goes, like silence after the end.
        weighted = np.pad(weighted, ((0, missing), (0, 0)))
        energies.append((weighted.reshape(-1, hop, 2) ** 2).mean(axis=1).sum(axis=1))
    return np.concatenate(energies)


def _lufs(energy: Any) -> Any:
    """Returns the loudness of mean squares; -inf for none."""
    with np.errstate(divide="ignore"):
        return _OFFSET_LUFS + 10 * np.log10(energy)


def _parts(samples: Samples) -> Iterator[Samples]:
    """Yields the samples in parts of some seconds."""
    n = _PART_S * SAMPLE_RATE
    return (samples[start : start + n] for start in range(0, len(samples), n))


def _without_tail(samples: Samples) -> Samples:
    """Returns the samples up to a short fade after the last audible one; fades in place."""
    n_fade = round(_FADE_S * SAMPLE_RATE)
    kept = samples[: _audible_length(samples) + n_fade]
    n_fade = min(n_fade, len(kept))
    fade = np.cos(np.linspace(0, np.pi / 2, n_fade, dtype=np.float32)) ** 2
    kept[len(kept) - n_fade :] *= fade[:, np.newaxis]
    return kept


def _audible_length(samples: Samples) -> int:
    """Returns the number of samples up to the last audible one; 0 for silence."""
    threshold = _peak(samples) * 10 ** (_TAIL_DB / 20)
    # From the end, second by second: ten minutes of stereo are 200 MB.
    for start in range(len(samples) // SAMPLE_RATE * SAMPLE_RATE, -1, -SAMPLE_RATE):
        audible = np.abs(samples[start : start + SAMPLE_RATE]).max(axis=1) > threshold
        if audible.any():
            return start + int(np.flatnonzero(audible)[-1]) + 1
    return 0
