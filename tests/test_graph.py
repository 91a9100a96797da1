"""A graph is played step by step: what a run remembers, and what it keeps to itself."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest
from made_graphs import made_events, made_roll, only, roll_text, write_made

from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.playing.graph import GraphRun, StepGraph
from pyzzicato.playing.loaded_model import Model

# As `roll_text`, but what it remembers is a row of each step: its logits are the mean of all frames
# so far, and of this one.
ROWS = (
    roll_text()
    .replace("float[views, 1] state_0", "float[1, steps, 88] past_0")
    .replace("float[views, 1] next_state_0", "float[1, one_step, 88] kept_0")
    .replace("next_state_0 = Add (state_0, one)", "kept_0 = Unsqueeze (present, both)")
    .replace("int64[1] first = {1}", "int64[1] first = {1}, int64[2] both = {0, 1}")
    .replace(
        "log_odds = Add (row, staying)",
        "shaped = Unsqueeze (present, both) all = Concat <axis = 1> (past_0, shaped) "
        "log_odds = ReduceMean <keepdims = 0> (all, both)",
    )
)

# Goes round and round, a step for ever.
ENDLESS = roll_text().replace(
    "    present = Cast <to = 1> (step)",
    """    most = Constant <value_int = 9000000000000000000> ()
    yes = Cast <to = 9> (one)
    go = Squeeze (yes)
    turned = Loop <body = turn (int64 i, bool again, float[88] x) => (bool more, float[88] y) {
        more = Identity (again)
        y = Cos (x)
    }> (most, go, uniform)
    whole = Cast <to = 1> (step)
    idle = Mul (turned, none)
    present = Add (whole, idle)""",
)


def neutral(graph: StepGraph) -> Draw:
    """Returns what draws from a network as it is."""
    return Draw.neutral(*(graph.size(name) for name in ("uniform", "temperature", "bias")))


def frames(n: int, seed: int = 0) -> np.ndarray:
    """Returns `(n, 88)` random frames."""
    return (np.random.default_rng(seed).random((n, 88)) < 0.3).astype(np.uint8)


def test_the_sizes_are_those_of_the_graph(tmp_path: Path) -> None:
    on_roll, on_events = made_roll(tmp_path, 0.0).graph, made_events(tmp_path).graph
    assert [on_roll.size(n) for n in ("uniform", "temperature", "bias")] == [88, 1, 88]
    assert [on_events.size(n) for n in ("uniform", "temperature", "bias")] == [4, 4, 209]
    assert on_roll.condition_names == []
    state = on_roll.zeros("state.0", n_views=3)
    assert state.shape == (3, 1) and state.dtype == np.float32 and not state.any()


def test_what_cannot_be_opened_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no graph")
    for path in (tmp_path / "model.onnx", tmp_path / "absent.onnx"):
        with pytest.raises(ValueError, match=rf"{path.name} cannot be opened: "):
            StepGraph(path)


def test_a_piece_begins_with_a_step_that_is_given(tmp_path: Path) -> None:
    model = made_roll(tmp_path, 0.0)
    with pytest.raises(AssertionError, match="begins with a step that is given"):
        model.start({}).draw(neutral(model.graph))


def test_the_step_that_was_drawn_is_the_latest(tmp_path: Path) -> None:
    # A key that sounds goes on, and no other begins.
    model = made_roll(tmp_path, -9.0, stay=18.0)
    run = model.start({})
    run.feed(frames(3))
    last = frames(3)[-1]
    draw = neutral(model.graph)
    assert run.draw(draw)[0].tolist() == last.tolist()
    draw.bias[40] = 99.0 if not last[40] else -99.0
    changed = run.draw(draw)[0]
    assert changed[40] != last[40]
    assert run.draw(neutral(model.graph))[0].tolist() == changed.tolist()


def test_rows_are_kept_of_every_step_beyond_the_room_there_is_at_first(tmp_path: Path) -> None:
    graph = StepGraph(write_made(ROWS, tmp_path / "rows.onnx"))
    steps = frames(700)
    for n in (1, 2, 256, 257, 258, 513, 700):
        run = GraphRun(graph, {})
        run.feed(steps[:n])
        _, logits = run.draw(neutral(graph))
        assert logits[0] == pytest.approx(steps[:n].mean(axis=0), abs=1e-5)


def test_two_pieces_of_one_graph_do_not_mix(tmp_path: Path) -> None:
    graph = StepGraph(write_made(ROWS, tmp_path / "rows.onnx"))
    one, other = GraphRun(graph, {}), GraphRun(graph, {})
    for a, b in zip(frames(30), frames(30, seed=1), strict=True):
        one.feed(a[None])
        other.feed(b[None])
        other.draw(neutral(graph))
    assert one.draw(neutral(graph))[1][0] == pytest.approx(frames(30).mean(axis=0), abs=1e-5)


def test_streams_in_several_threads_play_what_each_plays_alone(tmp_path: Path) -> None:
    graph = StepGraph(write_made(ROWS, tmp_path / "rows.onnx"))

    def play(seed: int) -> list[list[int]]:
        run, rng, draw = GraphRun(graph, {}), np.random.default_rng(seed), neutral(graph)
        run.feed(frames(5, seed))
        played = []
        for _ in range(200):
            draw.uniform = rng.random(88).astype(np.float32)
            played.append(run.draw(draw)[0].tolist())
        return played

    alone = [play(seed) for seed in range(3)]
    together: dict[int, list[list[int]]] = {}
    threads = [
        threading.Thread(target=lambda seed=seed: together.update({seed: play(seed)}))
        for seed in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert [together[seed] for seed in range(3)] == alone
    assert alone[0] != alone[1]


def test_a_note_is_drawn_from_what_is_likely(tmp_path: Path) -> None:
    model: Model = made_events(
        tmp_path, onset=only(3, 57), pitch=only(40, 88), duration=only(20, 48), velocity=only(9, 16)
    )
    run = model.start({})
    run.feed(np.zeros((1, 4), dtype=np.uint8))
    step, logits = run.draw(neutral(model.graph))
    assert step.tolist() == [3, 40, 20, 9] and step.dtype == np.uint8
    assert logits.shape == (1, 209)


def test_a_step_that_does_not_end_can_be_stopped(tmp_path: Path) -> None:
    graph = StepGraph(write_made(ENDLESS, tmp_path / "endless.onnx"))
    run = GraphRun(graph, {})
    run.feed(np.zeros((1, 88), dtype=np.uint8))
    timer = threading.Timer(0.5, run.stop)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Exception, match=r"(?i)terminat"):
        run.draw(neutral(graph))
    assert 0.4 < time.monotonic() - began < 10


def test_a_piece_goes_back_to_a_mark_and_forks_go_their_own_ways(tmp_path: Path) -> None:
    graph = StepGraph(write_made(ROWS, tmp_path / "rows.onnx"))
    run = GraphRun(graph, {})
    first, second = np.zeros((2, 88), dtype=np.uint8)
    second[7] = 1
    run.feed(np.stack([first] * 5))
    mark = run.mark()
    run.feed(np.stack([second] * 300))
    far = run.draw(neutral(graph))[1]
    run.return_to(mark)
    again = run.fork()
    assert far[0, 7] > 0.9
    np.testing.assert_array_equal(run.draw(neutral(graph))[1], np.zeros((1, 88)))
    run.feed(np.stack([second] * 300))
    np.testing.assert_array_equal(again.draw(neutral(graph))[1], np.zeros((1, 88)))
