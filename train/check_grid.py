"""How well continuations of scores keep to the grid and the pulse of their seeds.

    python train/check_grid.py FOLDER --pieces 5
    python train/check_grid.py FOLDER [FOLDER ...] --models lstm-events lstm --quantise 1 0.5 0

Folders hold scores as MIDI files, such as ASAP's, Mutopia's or those of the Chopin Institute. Of
each file whose first ten seconds lie on a grid the next seconds are played, and compared with the
score's own: the share of onsets within 10 ms of the grid, and the pulse, the autocorrelation of
onsets at one quarter note (1 where each beat is as the one before).
"""

import argparse
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

import numpy as np

from pyzzicato.grid import find_grid, share_on_grid
from pyzzicato.hub import load_model
from pyzzicato.midi import Performance, Timing, read_midi
from pyzzicato.notes import Note, shift_notes
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings

_PARTS = 24
"""Places of a quarter note that onsets are told apart by."""
_LEAST_ONSETS = 20


@dataclass(frozen=True)
class GridConfig:
    """What to measure.

    Attributes:
        folders: of scores as MIDI files.
        models: names of models.
        quantise: values of the setting.
        pieces: how many of each folder; drawn at random, always the same ones.
        seconds: how much is played after a seed of ten seconds.
    """

    folders: tuple[Path, ...]
    models: tuple[str, ...] = ("lstm-events", "lstm")
    quantise: tuple[float, ...] = (0.0, 1.0)
    pieces: int = 20
    seconds: float = 20.0


def pulse(notes: Sequence[Note], timing: Timing) -> float:
    """Returns the autocorrelation of onsets at one quarter note, -1 to 1; 0 for no onsets.

    Onsets are counted in 24 parts of a quarter note along the tempo map, each place once, and their
    mean is taken off.

    Args:
        notes: on the clock of `timing`.
        timing: the tempo map.
    """
    places = {round(timing.tick_at(n.start) * _PARTS / timing.resolution) for n in notes}
    if not places:
        return 0.0
    first, last = min(places), max(places)
    struck = np.zeros(last - first + 1)
    struck[np.array(sorted(places)) - first] = 1
    struck -= struck.mean()
    power = float(struck @ struck)
    if len(struck) <= _PARTS or power == 0:
        return 0.0
    return float(struck[_PARTS:] @ struck[:-_PARTS]) / power * len(struck) / (len(struck) - _PARTS)


def find_scores(config: GridConfig) -> Iterator[tuple[str, Performance]]:
    """Yields folder and music of files that go on long enough and begin on a grid."""
    for folder in config.folders:
        paths = sorted(p for p in folder.rglob("*") if p.suffix.lower() in (".mid", ".midi"))
        random.Random(0).shuffle(paths)
        n_found = 0
        for path in paths:
            if n_found == config.pieces:
                break
            try:
                score = read_midi(path)
            except ValueError:
                continue
            music = score.music()
            seed = [n for n in music if n.start < 10]
            after = [n for n in music if 10 <= n.start < 10 + config.seconds]
            if len(after) < _LEAST_ONSETS or find_grid(score, seed, 0, 10, None) is None:
                continue
            n_found += 1
            yield folder.name, score


def measure(config: GridConfig) -> list[str]:
    """Returns the lines of the table."""
    scores = list(find_scores(config))
    lines = [f"{len(scores)} scores of {', '.join(sorted({name for name, _ in scores}))}"]
    real = [_figures(s, [n for n in s.music() if 10 <= n.start < 10 + config.seconds])
            for _, s in scores]  # fmt: skip
    lines.append(_line("the scores", real, real))
    for name in config.models:
        model = load_model(name)
        for strength in config.quantise:
            settings = GenerationSettings(seconds=config.seconds, quantise=strength)
            made = []
            for _, score in scores:
                notes = score.music(model.config.sustain)
                piece = continue_seed(model, notes, settings, score.composer, like=score)
                made.append(_figures(score, piece.new_notes))
            lines.append(_line(f"{name}, quantise {strength:g}", made, real))
    return lines


def _figures(score: Performance, notes: Sequence[Note]) -> tuple[float, float, float]:
    """Returns share on the grid, pulse and number of onsets."""
    on_file = shift_notes(notes, score.start_s)
    division = max(score.grid() or 0, 2)
    return share_on_grid(on_file, score.timing, division), pulse(on_file, score.timing), len(notes)


def _line(name: str, made: Sequence[tuple[float, ...]], real: Sequence[tuple[float, ...]]) -> str:
    on_grid, beat, n = (mean(one) for one in zip(*made, strict=True))
    own = mean(one[1] for one in real)
    return f"{name:<28} on the grid {on_grid:.3f}, pulse {beat:.3f} ({beat / own:.2f} of the " \
        f"scores'), notes {n:.0f}"  # fmt: skip


def main(config: GridConfig) -> None:
    """Prints the table."""
    print("\n".join(measure(config)))


def parse() -> GridConfig:
    """Returns what the command line asks for."""
    default = GridConfig(())
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("folders", nargs="+", type=Path, help="folders of scores as MIDI files")
    add("--models", nargs="+", default=default.models)
    add("--quantise", nargs="+", type=float, default=default.quantise)
    add("--pieces", type=int, default=default.pieces, help="of each folder (%(default)s)")
    add("--seconds", type=float, default=default.seconds, help="to play (%(default)s)")
    options = vars(parser.parse_args())
    return GridConfig(**{n: tuple(v) if isinstance(v, list) else v for n, v in options.items()})


if __name__ == "__main__":
    main(parse())
