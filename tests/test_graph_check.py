"""A graph from a stranger is refused in words, before it plays, whatever is wrong with it."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from made_graphs import architecture, events_text, roll_text, write_made
from onnx import TensorProto, helper, numpy_helper
from test_graph import ENDLESS, ROWS

from pyzzicato.playing import graph_check
from pyzzicato.playing.graph_check import check_graph

ON_ROLL = architecture()
ON_EVENTS = architecture(representation="events", head="notes")
SOUND = roll_text(-3.0, 5.0)


def test_graphs_as_they_should_be_are_taken(tmp_path: Path) -> None:
    for text, kind in ((SOUND, ON_ROLL), (ROWS, ON_ROLL), (events_text(), ON_EVENTS)):
        graph = check_graph(write_made(text, tmp_path / "model.onnx"), kind)
        assert "next_step" in graph.outputs


def looping(inside: str) -> str:
    """Returns the text of a graph with a loop of one turn."""
    return ENDLESS.replace("9000000000000000000", "1").replace("y = Cos (x)", inside)


# What is wrong -> the text of a graph with just that, and what is said of it.
TEXTS = {
    "another's operator": (
        SOUND.replace('"" : 20', '"" : 20, "com.spy" : 1').replace(
            "noise = Sub (log_a, log_b)", "noise = com.spy.Look (log_a, log_b)"
        ),
        "standard operators only, got some of 'com.spy'",
    ),
    "another's operator in a loop": (
        looping("y = com.spy.Look (x)").replace('"" : 20', '"" : 20, "com.spy" : 1'),
        "standard operators only, got some of 'com.spy'",
    ),
    "onnxruntime's own operators": (
        SOUND.replace('"" : 20', '"" : 20, "com.microsoft" : 1').replace(
            "noise = Sub (log_a, log_b)",
            "other = Sub (log_a, log_b) noise = com.microsoft.Gelu (other)",
        ),
        "standard operators only, got some of 'com.microsoft'",
    ),
    "bias too short": (
        SOUND.replace("float[88] bias", "float[87] bias").replace(
            "cuts = Sub (warm, bias)",
            "some = ReduceSum <keepdims = 0> (bias) cuts = Sub (warm, some)",
        ),
        r"must take bias of shape \[88\], got \[87\]",
    ),
    "an input is missing": (
        SOUND.replace("float[1] top_a,\n", ""),
        r"must take top_a of shape \[1\], got none",
    ),
    "an input that nobody gives": (
        SOUND.replace("float[1] top_a,", "float[1] top_a, float[1] password,"),
        "takes 'password', which nobody gives",
    ),
    "an output is missing": (
        SOUND.replace(", float[views, 1] next_state_0)", ")"),
        "must give logits, next_state.0, next_step",
    ),
    "an output too many": (
        SOUND.replace("logits, float", "logits, float[88] cuts, float"),
        "must give logits, next_state.0, next_step",
    ),
    "a state of unknown size": (
        SOUND.replace("[views, 1] state_0", "[views, much] state_0"),
        "must say the shape of 'state.0', got 'much'",
    ),
    "a state too large": (
        SOUND.replace("[views, 1] state_0", "[views, 26000000] state_0").replace(
            "Add (state_0, one)", "Identity (state_0)"
        ),
        "must remember at most 25000000 numbers, got 26000000",
    ),
    "a state of another type": (
        SOUND.replace("float[views, 1] state_0", "int32[views, 1] state_0").replace(
            "Add (state_0, one)", "Cast <to = 1> (state_0)"
        ),
        "must remember plain numbers",
    ),
    "steps beyond the representation": (
        SOUND.replace("Cast <to = 7> (sounds)", "Add (twos, step)").replace(
            "int64[1] first = {1}", "int64[1] first = {1}, int64[1] twos = {2}"
        ),
        "must give a step of its representation",
    ),
    "a step too long": (
        SOUND.replace("int64[88] next_step", "int64[n] next_step").replace(
            "next_step = Cast <to = 7> (sounds)",
            "frame = Cast <to = 7> (sounds) next_step = Concat <axis = 0> (frame, frame)",
        ),
        r"must give a step of its representation, got \(176,\)",
    ),
    "logits that are no numbers": (
        SOUND.replace("Add (nothing, log_odds)", "Div (nothing, none)"),
        "must give 88 finite logits",
    ),
    "logits too few": (
        SOUND.replace("float[views, 88] logits", "float[views, few] logits").replace(
            "Add (nothing, log_odds)", "Add (nothing, one)"
        ),
        r"must give 88 finite logits, got \(1, 1\)",
    ),
    "it fails when it plays": (
        SOUND.replace("log_odds = Add (row, staying)", "log_odds = Add (row, odd)").replace(
            "present = Cast <to = 1> (step)",
            "present = Cast <to = 1> (step) staying_no = Identity (present) "
            "some = NonZero (present) wide = Cast <to = 1> (some) odd = Squeeze (wide)",
        ),
        "fails when it plays",
    ),
    "note events": (events_text(), r"must take step of shape \[88\], got \[4\]"),
}


@pytest.mark.parametrize(("text", "said"), TEXTS.values(), ids=TEXTS.keys())
def test_what_is_wrong_is_said(text: str, said: str, tmp_path: Path) -> None:
    assert text != SOUND
    path = write_made(text, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match=said):
        check_graph(path, ON_ROLL)


def test_a_roll_is_no_graph_of_note_events(tmp_path: Path) -> None:
    path = write_made(SOUND, tmp_path / "model.onnx")
    with pytest.raises(ValueError, match=r"must take step of shape \[4\], got \[88\]"):
        check_graph(path, ON_EVENTS)


def put_outside(graph: onnx.ModelProto) -> None:
    """Says that a weight lies in another file."""
    weight = graph.graph.initializer[0]
    weight.ClearField("float_data")
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="/etc/passwd")


def put_outside_sparsely(graph: onnx.ModelProto) -> None:
    """Does the same with a weight that is mostly zeros."""
    sparse = graph.graph.sparse_initializer.add()
    sparse.dims.append(88)
    sparse.values.CopyFrom(numpy_helper.from_array(np.ones(1, np.float32), "sparse"))
    sparse.indices.CopyFrom(numpy_helper.from_array(np.ones(1, np.int64), "places"))
    sparse.values.data_location = TensorProto.EXTERNAL
    sparse.values.external_data.add(key="location", value="/etc/passwd")


def put_nan(graph: onnx.ModelProto) -> None:
    """Makes a weight no number."""
    values = numpy_helper.to_array(graph.graph.initializer[0]).copy()
    values[3] = np.nan
    graph.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, "row"))


def put_infinity_into_a_constant(graph: onnx.ModelProto) -> None:
    """Does so in a node."""
    values = numpy_helper.from_array(np.array([1.0, np.inf], np.float32))
    graph.graph.node.append(helper.make_node("Constant", [], ["odd"], value=values))


def put_function(graph: onnx.ModelProto) -> None:
    """Brings a function along."""
    node = helper.make_node("Identity", ["x"], ["y"])
    graph.functions.append(
        helper.make_function("", "Mine", ["x"], ["y"], [node], list(graph.opset_import))
    )


def put_nonsense(graph: onnx.ModelProto) -> None:
    """Has a weight that says it is larger than it is."""
    graph.graph.initializer[0].dims[0] = 10**12


SPOILT: dict[str, tuple[Callable[[onnx.ModelProto], None], str]] = {
    "data outside": (put_outside, "must hold all its data, got some in another file"),
    "sparse data outside": (put_outside_sparsely, "must hold all its data, got some in another"),
    "NaN": (put_nan, "must hold finite weights, got NaN or infinity in 'row'"),
    "infinity": (put_infinity_into_a_constant, "must hold finite weights"),
    "a function": (put_function, "nodes and no functions"),
    "sizes that are not true": (put_nonsense, "must hold finite weights"),
}


@pytest.mark.parametrize(("spoil", "said"), SPOILT.values(), ids=SPOILT.keys())
def test_weights_and_nodes_are_looked_at(
    spoil: Callable[[onnx.ModelProto], None], said: str, tmp_path: Path
) -> None:
    path = write_made(SOUND, tmp_path / "model.onnx")
    graph = onnx.load(path)
    spoil(graph)
    path.write_bytes(graph.SerializeToString())
    with pytest.raises(ValueError, match=said):
        check_graph(path, ON_ROLL)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"\x80\x04no graph at all",
        lambda data: data[: len(data) // 2],
        lambda data: data[:-20],
        lambda data: b"\xff" * len(data),
    ],
)
def test_a_damaged_file_is_refused(damage: Callable[[bytes], bytes], tmp_path: Path) -> None:
    path = write_made(SOUND, tmp_path / "model.onnx")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"model\.onnx"):
        check_graph(path, ON_ROLL)


def test_sizes_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_made(SOUND, tmp_path / "model.onnx")
    monkeypatch.setattr(graph_check, "MAX_NODES", 5)
    with pytest.raises(ValueError, match="must have 1 to 5 nodes and no functions, got 15"):
        check_graph(path, ON_ROLL)
    monkeypatch.setattr(graph_check, "MAX_GRAPH_BYTES", 100)
    with pytest.raises(ValueError, match=r"must be at most 100 bytes long, got \d+"):
        check_graph(path, ON_ROLL)


def test_a_step_that_does_not_end_is_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(graph_check, "_TRIAL_S", 1.0)
    path = write_made(ENDLESS, tmp_path / "model.onnx")
    began = time.monotonic()
    with pytest.raises(ValueError, match=r"fails when it plays: .*(?i:terminat)"):
        check_graph(path, ON_ROLL)
    assert time.monotonic() - began < 10
