"""A model ready to play: its graph, its architecture and the values of decoding that suit it."""

import os
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

from ..models.architecture import Architecture
from ..representations import Representation, representation_of
from .decoding.values import DecodingValues
from .graph import GraphRun, StepGraph


@dataclass
class Model:
    """A model ready to play.

    Attributes:
        config: its architecture, and what it can be asked for.
        graph_path: its step, `model.onnx`; opened when it is first played.
        decoding: the values of decoding that suit it.
        name: what `load_model` was asked for.
    """

    config: Architecture
    graph_path: Path
    decoding: DecodingValues = field(default_factory=DecodingValues)
    name: str = ""

    @cached_property
    def representation(self) -> Representation:
        """Returns what its steps are."""
        return representation_of(self.config)

    @cached_property
    def graph(self) -> StepGraph:
        """Returns its step, opened.

        Raises:
            ValueError: if it cannot be opened.
        """
        return StepGraph(self.graph_path)

    @cached_property
    def fingerprint(self) -> int:
        """Returns a number that other models do not have: a checksum of the graph."""
        return zlib.crc32(self.graph_path.read_bytes())

    def save_pretrained(
        self, folder: str | os.PathLike[str], *, licence: str | None = None
    ) -> None:
        """Lays the model out in an empty folder as it would be published, with code and card.

        Args:
            folder: made if absent.
            licence: of the music it has learnt from, where its record does not say.

        Raises:
            ValueError: if the folder is not empty, or nobody says what the music may be used for.
        """
        _sharing().save_checkpoint(self.name, Path(folder), licence=licence)

    def push_to_hub(
        self,
        repo_id: str,
        *,
        commit_message: str = "",
        private: bool = False,
        licence: str | None = None,
    ) -> str:
        """Publishes the model whole and returns its address.

        Args:
            repo_id: NAMESPACE/NAME; an empty repository, or one that carries our tag.
            commit_message: of the commit.
            private: whether a new repository is private.
            licence: see `save_pretrained`.

        Raises:
            ValueError: if the token may not write there, the repository holds something else, or
                nobody says what the music may be used for.
        """
        sharing = _sharing()

        def lay_out(folder: Path) -> None:
            sharing.save_checkpoint(self.name, folder, licence=licence)

        published = sharing.push(lay_out, repo_id, message=commit_message, private=private)
        return str(published.url)

    def start(
        self, conditions: Mapping[str, Sequence[int]], view_weights: Sequence[float] = (1.0,)
    ) -> GraphRun:
        """Returns a piece before its first step, see `GraphRun`."""
        return GraphRun(self.graph, conditions, view_weights, self.config.view)


def _sharing() -> Any:
    """Returns what publishes models: by its name, since playing needs none of it.

    Raises:
        ValueError: if it is not installed.
    """
    try:
        return import_module("pyzzicato.publishing.sharing")
    except ModuleNotFoundError as error:
        raise ValueError(
            f"publishing needs {error.name}, which is not installed; run pip install "
            "'pyzzicato[publish]'"
        ) from error
