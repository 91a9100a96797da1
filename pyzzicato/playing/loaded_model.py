"""A model ready to play: its graph, its architecture and the values of decoding that suit it."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

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

    def start(
        self, conditions: Mapping[str, Sequence[int]], view_weights: Sequence[float] = (1.0,)
    ) -> GraphRun:
        """Returns a piece before its first step, see `GraphRun`."""
        return GraphRun(self.graph, conditions, view_weights, self.config.view)
