"""Plays a graph, `model.onnx`, one step at a time with onnxruntime.

What goes in and comes out is written down where graphs are made (`pyzzicato/models/export.py`). A
graph needs no other file: what it remembers begins as zeros of the shapes that it names itself.
"""

import copy
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..representations import Steps
from .decoding.draw import Draw

# Otherwise onnxruntime reports to its makers, from when it is imported; nobody asked for that.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort  # noqa: E402

Tensors = dict[str, NDArray[np.generic]]

_DTYPES: dict[str, type[np.generic]] = {
    "tensor(int64)": np.int64,
    "tensor(float)": np.float32,
    "tensor(uint8)": np.uint8,
}
_VIEWS, _STEPS = "views", "steps"
_FIRST_ROWS = 256


class StepGraph:
    """The step of a network, ready to be played by any number of pieces at once.

    Args:
        path: of a graph that is trusted: made here, bundled, or checked (`graph_check.py`).

    Raises:
        ValueError: if onnxruntime cannot open it.
    """

    def __init__(self, path: Path) -> None:
        options = ort.SessionOptions()
        # Two threads gain little on so small a step, and spin against any other load.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self.session = ort.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # onnxruntime has an exception of its own for each fault.
            raise ValueError(f"{path.name} cannot be opened: {str(error)[:300]}") from error
        self.inputs = {node.name: node for node in self.session.get_inputs()}
        self.outputs = [node.name for node in self.session.get_outputs()]
        # Looked up once: onnxruntime makes a new list of each shape it is asked for.
        self._shapes = {name: list(node.shape) for name, node in self.inputs.items()}

    @property
    def condition_names(self) -> list[str]:
        """Returns the names of the network's conditions."""
        return [n.removeprefix("condition.") for n in self.inputs if n.startswith("condition.")]

    def size(self, name: str) -> int:
        """Returns the length of an input with one axis, such as "uniform" or "bias"."""
        return int(self._shapes[name][0])

    def zeros(self, name: str, n_views: int) -> NDArray[np.generic]:
        """Returns an input before the first step: zeros, without any row where rows are kept."""
        node = self.inputs[name]
        sizes = {_VIEWS: n_views, _STEPS: 0}
        shape = [sizes[axis] if isinstance(axis, str) else axis for axis in node.shape]
        return np.zeros(shape, dtype=_DTYPES[node.type])


@dataclass(frozen=True)
class Mark:
    """A place in a piece that `GraphRun.return_to` goes back to."""

    latest: Steps | None
    states: Mapping[str, NDArray[np.generic]]
    n_rows: Mapping[str, int]


class GraphRun:
    """One piece as a network plays it: what it remembers, and its latest step.

    Args:
        graph: the network.
        conditions: numbers of the piece's conditions, one for each view of it, by name; those
            that it does not know are left out.
        view_weights: `(V,)`, with a sum of 1: how much each view counts.
        view: how many steps the network looks back on; older rows are not handed to it.
    """

    def __init__(
        self,
        graph: StepGraph,
        conditions: Mapping[str, Sequence[int]],
        view_weights: Sequence[float] = (1.0,),
        view: int = 1024,
    ) -> None:
        self._graph = graph
        n_views = len(view_weights)
        self._feeds: Tensors = {"view_weights": np.asarray(view_weights, dtype=np.float32)}
        for name in graph.condition_names:
            numbers = conditions.get(name, [0] * n_views)
            self._feeds[f"condition.{name}"] = np.asarray(numbers, dtype=np.int64)
        self._rows: dict[str, _Rows] = {}
        for name in graph.inputs:
            if name.startswith("past."):
                self._rows[name] = _Rows(graph.zeros(name, n_views), view - 1)
                self._feeds[name] = self._rows[name].so_far
            elif name.startswith("state."):
                self._feeds[name] = graph.zeros(name, n_views)
        self._idle = Draw.neutral(*(graph.size(n) for n in ("uniform", "temperature", "bias")))
        # Where in what the graph gives each input of its next step lies.
        places = {name: i for i, name in enumerate(graph.outputs)}
        self._step_place, self._logits_place = places["next_step"], places["logits"]
        self._states = [
            (i, name.removeprefix("next_"))
            for name, i in places.items()
            if name.startswith("next_state.")
        ]
        self._pasts = [(places[f"row.{n.removeprefix('past.')}"], n) for n in self._rows]
        self._latest: Steps | None = None
        self._options = ort.RunOptions()

    def stop(self) -> None:
        """Ends the step that is being played, with an error; may be called by another thread."""
        self._options.terminate = True

    def mark(self) -> Mark:
        """Returns the place that the piece has come to."""
        # What a graph gives is never written to: no state has to be copied.
        states = {name: self._feeds[name] for _, name in self._states}
        return Mark(self._latest, states, {past: rows.n for past, rows in self._rows.items()})

    def return_to(self, mark: Mark) -> None:
        """Forgets all steps since a mark of this piece, and marks made since."""
        self._latest = mark.latest
        self._feeds.update(mark.states)
        for past, n in mark.n_rows.items():
            self._feeds[past] = self._rows[past].cut(n)

    def fork(self) -> "GraphRun":
        """Returns the same piece again, to be carried on in another way."""
        other = copy.copy(self)
        other._feeds = dict(self._feeds)
        other._rows = {past: rows.copy() for past, rows in self._rows.items()}
        other._feeds.update({past: rows.so_far for past, rows in other._rows.items()})
        other._options = ort.RunOptions()
        return other

    def __deepcopy__(self, memo: object) -> "GraphRun":
        return self.fork()

    def condition(self, name: str, numbers: Sequence[int]) -> None:
        """Sets a condition from the next step on, a number for each view.

        Args:
            name: of the condition; one that the network does not know is left out.
            numbers: `(V,)`.
        """
        if f"condition.{name}" in self._feeds:
            self._feeds[f"condition.{name}"] = np.asarray(numbers, dtype=np.int64)

    def replace_latest(self, step: Steps) -> None:
        """Puts a given step `(A,)` in the place of the one that was drawn last."""
        assert self._latest is not None, "there must be a step to replace"
        self._latest = step

    def feed(self, steps: Steps) -> None:
        """Takes steps `(T, A)` that are given, one after the other."""
        for step in steps:
            if self._latest is not None:
                self._run(self._latest, self._idle)
            self._latest = step

    def draw(self, draw: Draw) -> tuple[Steps, NDArray[np.float32]]:
        """Returns the next step `(A,)`, drawn, and the logits `(V, L)` it was drawn from.

        The step is the piece's latest from now on.

        Args:
            draw: how to draw.
        """
        assert self._latest is not None, "a piece begins with a step that is given"
        self._latest, logits = self._run(self._latest, draw)
        return self._latest, logits

    def _run(self, step: Steps, draw: Draw) -> tuple[Steps, NDArray[np.float32]]:
        feeds = self._feeds
        feeds["step"] = step.astype(np.int64)
        feeds["uniform"], feeds["temperature"] = draw.uniform, draw.temperature
        feeds["top_a"], feeds["bias"] = draw.top_a, draw.bias
        given = self._graph.session.run(None, feeds, self._options)
        for place, state in self._states:
            feeds[state] = given[place]
        for place, past in self._pasts:
            feeds[past] = self._rows[past].add(given[place])
        return given[self._step_place].astype(np.uint8), given[self._logits_place]


class _Rows:
    """Rows of past steps, in an array with room for more: adding one copies that row alone.

    Args:
        none: no rows, `(B, 0, ...)`.
        most: how many are handed out, the last ones.
    """

    def __init__(self, none: NDArray[np.generic], most: int) -> None:
        # Axis 1 counts the steps.
        self._array = np.zeros((none.shape[0], _FIRST_ROWS, *none.shape[2:]), dtype=none.dtype)
        self.n = 0
        self._most = most

    @property
    def so_far(self) -> NDArray[np.generic]:
        """Returns the last rows, `(B, N, ...)`."""
        return self._array[:, max(0, self.n - self._most) : self.n]

    def cut(self, n: int) -> NDArray[np.generic]:
        """Keeps the first `n` rows; returns the last ones of them."""
        self.n = n
        return self.so_far

    def copy(self) -> "_Rows":
        """Returns the same rows in an array of their own."""
        other = copy.copy(self)
        other._array = np.concatenate((self.so_far, np.zeros_like(self._array[:, :_FIRST_ROWS])), 1)
        other.n = self.so_far.shape[1]
        return other

    def add(self, row: NDArray[np.generic]) -> NDArray[np.generic]:
        """Takes a row `(B, 1, ...)`; returns the last ones."""
        if self.n == self._array.shape[1]:
            self._array = np.concatenate((self._array, np.zeros_like(self._array)), axis=1)
        self._array[:, self.n] = row[:, 0]
        self.n += 1
        return self.so_far
