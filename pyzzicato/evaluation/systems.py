"""Systems: everyone who carries a seed on in an evaluation, models and baselines alike.

All are handed the whole excerpt and cut the seed from it themselves, as a user's `continue` does: a
seed that ends in silence then keeps its length, and nobody but the composer is given what comes
after it.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from ..checks import show_value
from ..hub import ModelInfo, load_model, model_info
from ..hub.networks import open_network
from ..models.model import PyzzicatoModel
from ..notes import Note, cut_notes, shift_notes, sort_notes
from ..playing.continuation import continue_seed
from ..playing.loaded_model import Model
from ..playing.seed import cut_seed
from ..playing.settings import GenerationSettings, has_threshold
from ..representations.pianoroll import FS
from ..representations.roll import PianoRoll
from ..representations.touch import SeedTouch
from .excerpts import Excerpt
from .markov import MarkovModel
from .measures import REAL
from .round_trips import form_of

MARKOV = "markov"
LOOPED = "seed looped"
# "copy" and "frequency" are baselines of the likelihood.
_RESERVED = (REAL, MARKOV, LOOPED, "copy", "frequency")


class Played(NamedTuple):
    """What someone plays after a seed.

    Attributes:
        notes: from 0, where the seed ends.
        rescues: how often they were brought back to the seed; None where nobody watches over that.
        acted: share of the steps whose draw each part of decoding changed, by the part's name.
    """

    notes: Sequence[Note]
    rescues: int | None = None
    acted: Mapping[str, float] = {}


Play = Callable[[Excerpt, int], Played]
"""Takes an excerpt, of which it reads the seed alone, and the number of the random draw."""


@dataclass(frozen=True)
class System:
    """One column of a report.

    Attributes:
        name: unlike all others.
        about: what it does, in words.
        play: carries a seed on.
        is_drawn: whether rolls of its pieces belong into the report.
        form: the form it plays in, of `round_trips.FORMS`.
    """

    name: str
    about: str
    play: Play
    is_drawn: bool = False
    form: str = "none"

    def carry_on(self, excerpt: Excerpt, rng: int) -> Excerpt:
        """Returns the excerpt with what it plays after the seed, struck before its end."""
        played = self.play(excerpt, rng)
        notes = tuple(cut_notes(played.notes, 0, excerpt.seconds))
        return replace(excerpt, notes=notes, rescues=played.rescues, acted=played.acted)


def real_music() -> System:
    """Returns the composer."""
    return System(REAL, "the composer's own next notes", lambda excerpt, rng: Played(excerpt.notes))


def sampled(
    name: str, info: ModelInfo, model: Model, temperature: float, without: str | None = None
) -> System:
    """Returns a model that draws its notes.

    Args:
        name: of the model.
        info: which model it is.
        model: who plays.
        temperature: of drawing.
        without: name of a part of decoding that is switched off.
    """

    def play(excerpt: Excerpt, rng: int) -> Played:
        settings = replace(
            _settings(excerpt, rng, temperature=temperature),
            without=() if without is None else (without,),
        )
        piece = continue_seed(model, excerpt.joined, settings)
        shares = {part: n / max(1, piece.n_steps) for part, n in piece.acted.items()}
        return Played(piece.continuation_only, len(piece.rescues), shares)

    about = f"{info.backbone} (revision {info.revision}), sampled at temperature {temperature:g}"
    if without is not None:
        about += f", without {without}"
    return System(
        name if without is None else f"{name}, without {without}",
        about,
        play,
        is_drawn=without is None,
        form=form_of(model.config),
    )


def by_threshold(name: str, model: Model, threshold: float) -> System:
    """Returns a model that plays in the article's way."""

    def play(excerpt: Excerpt, rng: int) -> Played:
        settings = _settings(excerpt, rng, threshold=threshold)
        return Played(continue_seed(model, excerpt.joined, settings).continuation_only)

    about = f"the same in the article's way: keys with a probability above {threshold:g} sound"
    return System(threshold_name(name), about, play, form="roll")


def markov_player(markov: MarkovModel, n_pieces: int) -> System:
    """Returns the Markov model; it plays with the seed's touch.

    Args:
        markov: counted on a roll of `FS` frames a second.
        n_pieces: how many training pieces it was counted on.
    """

    def play(excerpt: Excerpt, rng: int) -> Played:
        settings, roll_steps = _settings(excerpt, rng), PianoRoll(FS)
        seed, seed_seconds = cut_seed(excerpt.joined, settings, roll_steps)
        decoder = roll_steps.decoder(seed, seed_seconds, SeedTouch(seed, rng))
        n_frames = int(np.ceil(excerpt.seconds * FS))
        roll = markov.continue_roll(decoder.seed_steps[-1], n_frames, np.random.default_rng(rng))
        notes = [note for frame in roll for note in decoder.play(frame)]
        return Played(sort_notes([*notes, *decoder.let_go(excerpt.seconds)]))

    about = f"each key on its own, on or off by chance, as counted on {n_pieces} training pieces"
    return System(MARKOV, about, play, form="roll")


def looped_seed() -> System:
    """Returns the seed, again and again."""

    def play(excerpt: Excerpt, rng: int) -> Played:
        begins = np.arange(0, excerpt.seconds, excerpt.seed_seconds)
        notes = [note for begin in begins for note in shift_notes(excerpt.seed, float(begin))]
        return Played(notes)

    return System(LOOPED, "the seed, again and again", play)


def threshold_name(model: str) -> str:
    """Returns the name of a model that plays in the article's way."""
    return f"{model}, threshold"


def file_stem(name: str) -> str:
    """Returns a system's name as a file's: letters, digits, dots, underscores and hyphens."""
    return re.sub(r"[^\w.-]+", "-", name)


def name_models(models: Sequence[str]) -> dict[str, str]:
    """Returns a name for each model and what `load_model` takes for it.

    A bundled model keeps its name; a checkpoint is called after its folder, and after as many of
    the folders above as it takes to make all names differ, from the baselines' too.

    Args:
        models: names of bundled models or folders.

    Raises:
        ValueError: if a model is named twice, or there is no such model.
    """
    folders = [model_info(model).folder.resolve() for model in models]
    for depth in range(1, max((len(folder.parts) for folder in folders), default=0)):
        names = [file_stem("-".join(folder.parts[1:][-depth:])) for folder in folders]
        taken = [file_stem(n) for n in (*_RESERVED, *names, *map(threshold_name, names))]
        if len(set(taken)) == len(taken):
            return dict(zip(names, models, strict=True))
    raise ValueError(f"model must name each checkpoint once, got {', '.join(models)}")


def load_systems(
    models: Sequence[str], *, temperature: float, threshold: float, without: Sequence[str] = ()
) -> tuple[list[System], dict[str, PyzzicatoModel]]:
    """Returns each model as a system, on rolls as two, and the networks by their names.

    Args:
        models: names of bundled models or folders.
        temperature: of sampling.
        threshold: of the article's way.
        without: parts of decoding; with each of them off a model is one system more.

    Raises:
        ValueError: if a model cannot be loaded, or takes other music than the others here: with the
            pedal, at `FS` frames a second.
    """
    systems: list[System] = []
    networks: dict[str, PyzzicatoModel] = {}
    for name, source in name_models(models).items():
        model, info = load_model(source), model_info(source)
        if (model.config.fs, model.config.sustain) != (FS, "extend"):
            raise ValueError(
                f"model must take {FS} frames a second and the pedal (sustain 'extend'), got "
                f"{model.config.fs} and {show_value(model.config.sustain)} of {source}; its "
                "measures would not compare"
            )
        networks[name] = open_network(info.folder)
        for part in (None, *without):
            systems.append(sampled(name, info, model, temperature, part))
        if has_threshold(model.config):
            systems.append(by_threshold(name, model, threshold))
    return systems, networks


def _settings(
    excerpt: Excerpt, rng: int, temperature: float = 1.0, threshold: float | None = None
) -> GenerationSettings:
    return GenerationSettings(
        seconds=excerpt.seconds,
        seed_seconds=excerpt.seed_seconds,
        temperature=temperature,
        threshold=threshold,
        rng=rng,
    )
