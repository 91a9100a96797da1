"""Pyzzicato carries on piano music with small neural networks.

    import pyzzicato

    model = pyzzicato.load_model("lstm")
    piece = pyzzicato.continue_seed(model, "bach-prelude-c-major")  # or "mine.mid", or notes
    piece.save("continuation.mid")
    piece.save("continuation.wav")

The names below are imported when first used, so that reading MIDI does not load the networks.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .audio import Sound, render, write_wav
    from .auto import PyzzicatoModel
    from .hub import ModelInfo, list_models, load_model
    from .midi import Performance, midi_bytes, read_midi, write_midi
    from .models.config import PyzzicatoConfig
    from .notes import Note
    from .playing.along import Companion
    from .playing.continuation import Continuation
    from .playing.loaded_model import Model
    from .playing.settings import GenerationSettings
    from .playing.several import continue_seeds
    from .plots import plot_pianoroll
    from .reworking import continue_from, keep_part, next_odds, redo_span
    from .seeds import Seed, list_seeds, load_seed
    from .takes import Take, continue_seed, stream_continuation

__version__ = "0.3.0"

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
    "PyzzicatoModel": "auto",
    "ModelInfo": "hub",
    "list_models": "hub",
    "load_model": "hub",
    "GenerationSettings": "playing.settings",
    "Continuation": "playing.continuation",
    "Take": "takes",
    "continue_seed": "takes",
    "stream_continuation": "takes",
    "continue_seeds": "playing.several",
    "continue_from": "reworking",
    "redo_span": "reworking",
    "keep_part": "reworking",
    "next_odds": "reworking",
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
    "Take",
    "__version__",
    "continue_from",
    "continue_seed",
    "continue_seeds",
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
