"""`transformers.pipeline("piano-continuation")`: a MIDI file or notes in, MIDI and notes out.

A published model brings this file along, so that it plays on machines without this package.
"""

from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast

from transformers import Pipeline

from .generation import GenerationSettings, continue_seed
from .midi import midi_bytes, read_midi
from .models import PyzzicatoModel
from .notes import Note, sort_notes

TASK = "piano-continuation"


class PianoContinuationPipeline(Pipeline):
    """Carries piano music on.

    Called with a MIDI file's path or bytes, or with notes: a list of `Note` or of tables with
    `pitch` (MIDI number, 21 to 108), `start`, `end` (seconds) and `velocity` (1 to 127). All
    settings of `GenerationSettings` are keyword arguments, here and in each call. The same settings
    give the same bytes as `continue_seed` and `midi_bytes`.
    """

    _load_tokenizer = False  # type: ignore[assignment]
    _load_processor = False  # type: ignore[assignment]
    _load_image_processor = False  # type: ignore[assignment]
    _load_feature_extractor = False  # type: ignore[assignment]

    def __call__(self, inputs: Any, *args: Any, **settings: Any) -> Any:
        """Returns a table for a piece, a list of them for a list of files.

        Args:
            inputs: path or bytes of a MIDI file, a list of notes, or a list of paths or bytes.
            args: taken and left out, as transformers does.
            settings: fields of `GenerationSettings`, seconds=30.0 and so on.

        Returns:
            `midi` (bytes of a MIDI file of seed and continuation), `notes` (of both, as tables),
            `new_notes` (of the continuation alone, on the same clock), `seed_seconds` (where it
            begins), `settings` and `remarks`.

        Raises:
            ValueError: if the input cannot be read or a setting is out of its range.
        """
        # transformers would take a list of notes for a list of pieces.
        if isinstance(inputs, list | tuple) and all(isinstance(n, Note | Mapping) for n in inputs):
            inputs = {"notes": list(inputs)}
        return super().__call__(inputs, *args, **settings)

    def _sanitize_parameters(
        self, **told: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        known = {field.name for field in fields(GenerationSettings)}
        unknown = sorted(told.keys() - known)
        if unknown:
            raise ValueError(f"settings must be of {', '.join(sorted(known))}, got {unknown[0]!r}")
        return {}, told, {}

    def preprocess(self, input_: Any, **_: Any) -> dict[str, Any]:
        """Returns the piece's notes, as this model's checkpoint wants them."""
        if isinstance(input_, Mapping):
            return {"notes": sort_notes(_note(told) for told in input_["notes"])}
        if isinstance(input_, str | Path | bytes):
            return {"notes": read_midi(input_).music(self.model.config.sustain)}
        raise ValueError(
            f"inputs must be a MIDI file (path or bytes) or a list of notes, got "
            f"{type(input_).__name__}"
        )

    def _forward(self, input_tensors: dict[str, Any], **told: Any) -> Any:
        settings = GenerationSettings(**told)
        return {
            "piece": continue_seed(
                cast(PyzzicatoModel, self.model), input_tensors["notes"], settings
            )
        }

    def postprocess(self, model_outputs: Any, **_: Any) -> dict[str, Any]:
        """Returns the piece as bytes and tables."""
        piece = model_outputs["piece"]
        return {
            "midi": midi_bytes(piece.notes),
            "notes": [asdict(note) for note in piece.notes],
            "new_notes": [asdict(note) for note in piece.new_notes],
            "seed_seconds": piece.seed_seconds,
            "settings": asdict(piece.settings),
            "remarks": list(piece.remarks),
        }


def _note(told: Note | Mapping[str, Any]) -> Note:
    if isinstance(told, Note):
        return told
    try:
        return Note(**told)
    except TypeError as error:
        raise ValueError(
            f"a note must have pitch, start, end and velocity, got {dict(told)!r}"
        ) from error
