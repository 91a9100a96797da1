"""Plays a published model on Hugging Face's Inference Endpoints.

Lies in the model's repository, beside the package that plays it, where an endpoint finds it: it
makes one `EndpointHandler` for the repository's folder and calls it with the body of each request.

    {"inputs": "<a MIDI file, base64>", "parameters": {"seconds": 30, "composer": "chopin"}}
    {"inputs": [{"pitch": 60, "start": 0.0, "end": 0.5, "velocity": 64}, ...]}

The answer is JSON: `midi` (seed and continuation, base64), `notes` and `new_notes` (tables like
those above; times in seconds), `seed_seconds` (where the continuation begins) and `remarks`.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import pyzzicato


class EndpointHandler:
    """Carries on the piano music in each request.

    Args:
        path: the repository's folder.

    Raises:
        ValueError: if it holds no model that can be loaded.
    """

    def __init__(self, path: str = "") -> None:
        self.model = pyzzicato.load_model(path or ".")
        config = getattr(self.model, "config", None)
        self.sustain = getattr(config, "sustain", "extend")

    def __call__(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """Returns the continuation of a request, as values that JSON can hold.

        Args:
            data: `inputs`, a MIDI file (base64 or bytes) or a list of notes, and optionally
                `parameters`, the fields of `pyzzicato.GenerationSettings`.

        Raises:
            ValueError: if the music cannot be read or a parameter is unknown or out of its range.
        """
        if not isinstance(data, Mapping) or "inputs" not in data:
            raise ValueError(
                "a request must hold inputs: a MIDI file as base64, or a list of notes"
            )
        notes = read_notes(data["inputs"], self.sustain)
        piece = pyzzicato.continue_seed(self.model, notes, read_settings(data.get("parameters")))
        return {
            "midi": base64.b64encode(pyzzicato.midi_bytes(piece.notes)).decode("ascii"),
            "notes": [asdict(note) for note in piece.notes],
            "new_notes": [asdict(note) for note in piece.new_notes],
            "seed_seconds": piece.seed_seconds,
            "remarks": list(piece.remarks),
        }


def read_notes(inputs: Any, sustain: Any = "extend") -> list[pyzzicato.Note]:
    """Returns the notes of a request.

    Args:
        inputs: a MIDI file as base64 or as bytes, or a list of tables with pitch (MIDI number, 21
            to 108), start, end (seconds) and velocity (1 to 127).
        sustain: what the model wants of the sustain pedal, "extend" or "ignore".

    Raises:
        ValueError: if it is neither.
    """
    if isinstance(inputs, str):
        try:
            inputs = base64.b64decode(inputs, validate=True)
        except (binascii.Error, ValueError) as error:
            raise ValueError(f"inputs must be a MIDI file as base64: {error}") from error
    if isinstance(inputs, bytes):
        return pyzzicato.read_midi(inputs).sounding(sustain)
    if not isinstance(inputs, list):
        raise ValueError(
            f"inputs must be a MIDI file as base64 or a list of notes, got {type(inputs).__name__}"
        )
    try:
        notes = [pyzzicato.Note(**row) for row in inputs]
    except TypeError as error:
        raise ValueError("a note must have pitch, start, end and velocity, and no more") from error
    return sorted(notes, key=lambda note: (note.start, note.pitch))


def read_settings(parameters: Any) -> pyzzicato.GenerationSettings:
    """Returns the settings of a request; the defaults for what it does not name.

    Raises:
        ValueError: if a name is not one of the settings, or a value is out of its range.
    """
    if parameters is None:
        return pyzzicato.GenerationSettings()
    try:
        return pyzzicato.GenerationSettings(**parameters)
    except TypeError as error:
        raise ValueError(f"parameters must be settings of a continuation: {error}") from error
