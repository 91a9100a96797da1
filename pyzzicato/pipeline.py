"""`transformers.pipeline("piano-continuation")`: a MIDI file or notes in, MIDI and notes out.

A published model brings this file along, so that it plays on machines without this package.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import cached_property
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import EntryNotFoundError
from transformers import Pipeline

from .checks import show_value
from .midi import midi_bytes, read_midi
from .models.architecture import Architecture
from .notes import Note, sort_notes
from .playing.continuation import continue_seed
from .playing.decoding.values import read_values
from .playing.loaded_model import Model
from .playing.settings import GenerationSettings

_GRAPH, _VALUES = "model.onnx", "generation_config.json"


class PianoContinuationPipeline(Pipeline):
    """Carries piano music on.

    Called with a MIDI file's path or bytes, or with notes: a list of `Note` or of tables with
    `pitch` (MIDI number, 21 to 108), `start`, `end` (seconds) and `velocity` (1 to 127). All
    settings of `GenerationSettings` are keyword arguments, here and in each call. The same settings
    give the same bytes as `pyzzicato.continue_seed` and its `save`.
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

    @cached_property
    def _ready(self) -> Model:
        """Returns the model as it plays: by its graph, which lies beside its weights.

        Raises:
            ValueError: if there is none.
        """
        config = self.model.config
        graph, values = (
            _file_beside(str(config.name_or_path), name, getattr(config, "_commit_hash", None))
            for name in (_GRAPH, _VALUES)
        )
        if graph is None:
            raise ValueError(f"{config.name_or_path} must hold {_GRAPH} to play, and does not")
        table = json.loads(values.read_text(encoding="utf-8")) if values else {}
        assert isinstance(config, Architecture)
        return Model(config, graph, read_values(table), str(config.name_or_path))

    def _sanitize_parameters(
        self, **settings: Any
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        known = {field.name for field in fields(GenerationSettings)}
        unknown = sorted(settings.keys() - known)
        if unknown:
            raise ValueError(
                f"settings must be of {', '.join(sorted(known))}, got {show_value(unknown[0])}"
            )
        return {}, settings, {}

    def preprocess(self, input_: Any, **_: Any) -> dict[str, Any]:
        """Returns the piece's notes, as this model's checkpoint wants them."""
        if isinstance(input_, Mapping):
            return {"notes": sort_notes(_note(note) for note in input_["notes"]), "like": None}
        if isinstance(input_, str | Path | bytes):
            performance = read_midi(input_)
            return {"notes": performance.music(self.model.config.sustain), "like": performance}
        raise ValueError(
            f"inputs must be a MIDI file (path or bytes) or a list of notes, got "
            f"{type(input_).__name__}"
        )

    def _forward(self, input_tensors: dict[str, Any], **options: Any) -> Any:
        settings = GenerationSettings(**options)
        notes, like = input_tensors["notes"], input_tensors["like"]
        composer = like.composer if like else None
        return {"piece": continue_seed(self._ready, notes, settings, composer, like=like)}

    def get_iterator(self, inputs: Any, num_workers: int, batch_size: int, *parameters: Any) -> Any:
        """Returns what plays several pieces: each by itself, however many are asked for at once.

        A graph plays one piece, and pieces are not equally long.
        """
        return super().get_iterator(inputs, num_workers, 1, *parameters)

    def postprocess(self, model_outputs: Any, **_: Any) -> dict[str, Any]:
        """Returns the piece as bytes and tables."""
        piece = model_outputs["piece"]
        return {
            "midi": midi_bytes(
                piece.notes,
                like=piece.like,
                like_start_s=piece.like_start_s,
                seed_seconds=piece.seed_seconds or None,
            ),
            "notes": [asdict(note) for note in piece.notes],
            "new_notes": [asdict(note) for note in piece.new_notes],
            "seed_seconds": piece.seed_seconds,
            "settings": asdict(piece.settings),
            "remarks": list(piece.remarks),
        }


def _file_beside(place: str, name: str, commit: str | None) -> Path | None:
    """Returns a file of the folder or repository that a model is from, None if it has none."""
    if Path(place).is_dir():
        return Path(place, name) if Path(place, name).is_file() else None
    try:
        return Path(hf_hub_download(place, name, revision=commit))
    except EntryNotFoundError:
        return None


def _note(value: Note | Mapping[str, Any]) -> Note:
    if isinstance(value, Note):
        return value
    try:
        return Note(**value)
    except TypeError as error:
        raise ValueError(
            f"a note must have pitch, start, end and velocity, got {dict(value)!r}"
        ) from error
