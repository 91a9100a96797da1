"""Graphs written by hand: the least that a graph of a roll, or of note events, has to be.

What they play does not depend on what was played, but for `stay` on a roll: log-odds that a key
which sounds has on top. As text, so that a test can spoil one in a line.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnx.parser

from pyzzicato.models.architecture import Architecture
from pyzzicato.playing.decoding.values import DecodingValues
from pyzzicato.playing.loaded_model import Model
from pyzzicato.representations.event_bins import SIZES

# As they are in a graph; the parser takes no dots.
_NAMES = {
    "state_0": "state.0",
    "next_state_0": "next_state.0",
    "past_0": "past.0",
    "kept_0": "row.0",
    "ending_0": "condition.ending",
}
_HEAD = '<ir_version: 9, opset_import: ["" : 20]>\n'

ROLL = (
    _HEAD
    + """made (int64[88] step, float[88] uniform, float[1] temperature, float[1] top_a,
      float[88] bias, float[views] view_weights, float[views, 1] state_0)
  => (int64[88] next_step, float[views, 88] logits, float[views, 1] next_state_0)
<float[88] row = {ROW}, float[1] stay = {STAY}, float[1] one = {1.0}, float[1] none = {0.0},
 int64[1] first = {1}>
{
    present = Cast <to = 1> (step)
    staying = Mul (present, stay)
    log_odds = Add (row, staying)
    others = Sub (one, uniform)
    log_a = Log (uniform)
    log_b = Log (others)
    noise = Sub (log_a, log_b)
    warm = Mul (noise, temperature)
    cuts = Sub (warm, bias)
    sounds = Greater (log_odds, cuts)
    next_step = Cast <to = 7> (sounds)
    column = Unsqueeze (view_weights, first)
    nothing = Mul (column, none)
    logits = Add (nothing, log_odds)
    next_state_0 = Add (state_0, one)
}
"""
)

_NUMBER = """
    biased_N = Add (row_N, bias_N)
    warm_N = Div (biased_N, heat_N)
    chances_N = Softmax (warm_N)
    reached_N = CumSum (chances_N, zero)
    passed_N = LessOrEqual (reached_N, uniform_N)
    counted_N = Cast <to = 7> (passed_N)
    drawn_N = ReduceSum <keepdims = 1> (counted_N)
    most_N = Constant <value_ints = [MOST]> ()
    number_N = Min (drawn_N, most_N)
"""
EVENTS = (
    _HEAD
    + """made (int64[4] step, float[4] uniform, float[4] temperature, float[4] top_a,
      float[209] bias, float[views] view_weights)
  => (int64[4] next_step, float[views, 209] logits)
<float[209] row = {ROW}, float[1] none = {0.0}, int64[1] first = {1}, int64 zero = {0},
 int64[4] sizes = {57, 88, 48, 16}, int64[4] ones = {1, 1, 1, 1}>
{
    row_0, row_1, row_2, row_3 = Split <axis = 0> (row, sizes)
    bias_0, bias_1, bias_2, bias_3 = Split <axis = 0> (bias, sizes)
    heat_0, heat_1, heat_2, heat_3 = Split <axis = 0> (temperature, ones)
    uniform_0, uniform_1, uniform_2, uniform_3 = Split <axis = 0> (uniform, ones)
"""
    + "".join(
        _NUMBER.replace("_N", f"_{i}").replace("MOST", str(size - 1))
        for i, size in enumerate(SIZES)
    )
    + """
    next_step = Concat <axis = 0> (number_0, number_1, number_2, number_3)
    column = Unsqueeze (view_weights, first)
    nothing = Mul (column, none)
    logits = Add (nothing, row)
}
"""
)


def roll_text(log_odds: float | Sequence[float] = 0.0, stay: float = 0.0) -> str:
    """Returns the text of a graph of a roll.

    Args:
        log_odds: of all keys, or `(88,)` of each.
        stay: what a key that sounds has on top.
    """
    return _filled(ROLL, np.broadcast_to(log_odds, 88)).replace("STAY", repr(float(stay)))


def events_text(**logits: Sequence[float]) -> str:
    """Returns the text of a graph of note events.

    Args:
        logits: of the numbers, by name: onset `(57,)`, pitch `(88,)`, duration `(48,)` and velocity
            `(16,)`; those that are not given are drawn evenly.
    """
    names = ("onset", "pitch", "duration", "velocity")
    rows = [np.asarray(logits.get(n, [0.0] * size)) for n, size in zip(names, SIZES, strict=True)]
    return _filled(EVENTS, np.concatenate(rows))


def write_made(text: str, path: Path) -> Path:
    """Writes the graph of a text; returns the path."""
    graph = onnx.parser.parse_model(text)
    for value in (*graph.graph.input, *graph.graph.output):
        value.name = _NAMES.get(value.name, value.name)
    for node in graph.graph.node:
        for names in (node.input, node.output):
            named = [_NAMES.get(name, name) for name in names]
            del names[:]
            names.extend(named)
    onnx.save(graph, path)
    return path


def made_roll(folder: Path, log_odds: float | Sequence[float], stay: float = 0.0) -> Model:
    """Returns a model of a roll that plays by these log-odds, see `roll_text`."""
    path = write_made(roll_text(log_odds, stay), folder / "roll.onnx")
    return Model(architecture(), path, DecodingValues(), "made")


def made_events(folder: Path, **logits: Sequence[float]) -> Model:
    """Returns a model of note events that plays by these logits, see `events_text`."""
    path = write_made(events_text(**logits), folder / "events.onnx")
    return Model(architecture(representation="events", head="notes"), path, name="made")


def architecture(**choices: object) -> Architecture:
    """Returns an architecture, checked."""
    made = Architecture(**choices)  # type: ignore[arg-type]
    made.check()
    return made


def only(index: int, size: int) -> list[float]:
    """Returns logits `(size,)` of which one is drawn for sure."""
    return [50.0 if i == index else 0.0 for i in range(size)]


def _filled(text: str, row: np.ndarray) -> str:
    return text.replace("ROW", ", ".join(repr(float(value)) for value in row))
