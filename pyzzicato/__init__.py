"""Pyzzicato carries on piano music with small neural networks.

    import pyzzicato

    model = pyzzicato.load_model("lstm")
    seed = pyzzicato.load_seed("bach-prelude-c-major")
    piece = pyzzicato.continue_seed(model, seed.notes)
    pyzzicato.write_midi(piece.notes, "continuation.mid")
    pyzzicato.write_wav(pyzzicato.render(piece.notes), "continuation.wav")

The names below are imported when first used, so that reading MIDI does not load the networks.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audio import Sound, render, write_wav
    from .hub import ModelInfo, list_models, load_model
    from .midi import Performance, midi_bytes, read_midi, write_midi
    from .models.config import PyzzicatoConfig
    from .models.model import PyzzicatoModel
    from .notes import Note
    from .playing.along import Companion
    from .playing.continuation import Continuation, continue_seed, stream_continuation
    from .playing.keep import keep_part
    from .playing.loaded_model import Model
    from .playing.odds import next_odds
    from .playing.onwards import continue_from
    from .playing.redo import redo_span
    from .playing.settings import GenerationSettings
    from .plots import plot_pianoroll
    from .seeds import Seed, list_seeds, load_seed

__version__ = "0.2.0"

_HOME_OF = {
    "Note": "notes",
    "Performance": "midi",
    "read_midi": "midi",
    "midi_bytes": "midi",
    "write_midi": "midi",
    "Seed": "seeds",
    "list_seeds": "seeds",
    "load_seed": "seeds",
    "Model": "playing.loaded_model",
    "PyzzicatoConfig": "models.config",
    "PyzzicatoModel": "models.model",
    "ModelInfo": "hub",
    "list_models": "hub",
    "load_model": "hub",
    "GenerationSettings": "playing.settings",
    "Continuation": "playing.continuation",
    "continue_seed": "playing.continuation",
    "stream_continuation": "playing.continuation",
    "continue_from": "playing.onwards",
    "redo_span": "playing.redo",
    "keep_part": "playing.keep",
    "next_odds": "playing.odds",
    "Companion": "playing.along",
    "Sound": "audio",
    "render": "audio",
    "write_wav": "audio",
    "plot_pianoroll": "plots",
}

__all__ = [
    "Companion",
    "Continuation",
    "GenerationSettings",
    "Model",
    "ModelInfo",
    "Note",
    "Performance",
    "PyzzicatoConfig",
    "PyzzicatoModel",
    "Seed",
    "Sound",
    "__version__",
    "continue_from",
    "continue_seed",
    "keep_part",
    "list_models",
    "list_seeds",
    "load_model",
    "load_seed",
    "midi_bytes",
    "next_odds",
    "plot_pianoroll",
    "read_midi",
    "redo_span",
    "render",
    "stream_continuation",
    "write_midi",
    "write_wav",
]


def __getattr__(name: str) -> object:
    """Returns a public name from the module it lives in (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)


def __dir__() -> list[str]:
    """Returns the public names, whether they have been used or not."""
    return sorted(__all__)
