"""One suite for all models: a new backbone, head or representation joins by a row.

A row of `CASES` names the choices and what the backbone is documented to see; `PATTERNS` says what
a model of a representation can learn by heart.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from graph_store import playable
from model_cases import (
    CASES,
    STEPS,
    Case,
    halved,
    livened,
    logits_given,
    seen_by_head,
    sure,
)
from onnx import TensorProto
from slow_draws import slow_step
from torch import Tensor

from pyzzicato.models.architecture import BACKBONES, HEADS, REPRESENTATIONS
from pyzzicato.models.config import PyzzicatoConfig
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.decoding.draw import Draw
from pyzzicato.playing.graph import GraphRun, StepGraph
from pyzzicato.playing.graph_check import check_graph
from pyzzicato.playing.loaded_model import Model
from pyzzicato.representations.event_bins import SIZES
from pyzzicato.training.baselines import count_baselines, count_event_baselines


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    """Returns each row in turn."""
    chosen: Case = request.param
    return chosen


def repeating(case: Case, n: int) -> Tensor:
    """Returns `(1, n, A)` steps whose second half is the first one's, so that it is recalled."""
    half = STEPS[case.representation](1, (n + 1) // 2)
    return torch.cat((half, half), dim=1)[:, :n]


def nll_of(model: PyzzicatoModel, steps: Tensor) -> Tensor:
    """Returns `(B, T - 1)` nats of each step after the first, from one whole-sequence pass."""
    hidden, _ = model.hidden(steps[:, :-1], model.start(len(steps)))
    nll: Tensor = model.head.nll(hidden, steps[:, 1:])
    return nll


def test_every_choice_has_a_row() -> None:
    rows = CASES.values()
    assert {case.backbone for case in rows} == set(BACKBONES)
    choices = {(name, head) for name in REPRESENTATIONS for head in HEADS[name]}
    assert {(case.representation, case.head) for case in rows} == choices
    assert set(STEPS) == set(REPRESENTATIONS)


def test_builds_from_names_alone(case: Case) -> None:
    config = PyzzicatoConfig(
        backbone=case.backbone, head=case.head, representation=case.representation
    )
    model = PyzzicatoModel(config)
    steps = STEPS[case.representation](2, 5)
    logits = model(steps).logits
    assert logits.shape == (2, 5, {"roll": 88, "events": SIZES[0]}[case.representation])
    assert torch.isfinite(logits).all()
    loss = model(steps[:, :-1], steps[:, 1:]).loss
    assert loss.ndim == 0
    assert 0 < loss < 100


def test_loss_is_the_mean_over_all_targets(case: Case) -> None:
    model = case.build()
    steps = STEPS[case.representation](3, 12)
    with torch.no_grad():
        output = model(steps[:, :-1], steps[:, 1:])
        assert torch.isclose(output.loss, nll_of(model, steps).mean())
        # What is not asked for is not computed.
        assert output.logits is None
        assert model(steps).loss is None


def input_gradient(case: Case, n: int, at: int) -> Tensor:
    """Returns `(n,)`: how much hidden step `at` depends on each step of the backbone's input."""
    seen = torch.zeros(n)
    for _ in range(4):
        # Several draws: in one, a ReLU may hide a dependence.
        model = livened(case.build())
        taken: list[Any] = []
        hook = model.backbone.register_forward_pre_hook(lambda _, args, to=taken: to.extend(args))
        model.hidden(STEPS[case.representation](4, n), model.start(4))
        hook.remove()
        x, state = taken
        x = (x.detach() + 0.1 * torch.randn_like(x)).requires_grad_()
        hidden, _ = model.backbone(x, state)
        (gradient,) = torch.autograd.grad(hidden[:, at].abs().sum(), x)
        seen += gradient.abs().sum(dim=(0, 2))
    return seen


def test_no_gradient_flows_from_the_future(case: Case) -> None:
    gradient = input_gradient(case, n=40, at=25)
    assert gradient[26:].max() == 0
    assert gradient[25] > 0


def test_sees_as_far_back_as_documented(case: Case) -> None:
    gradient = input_gradient(case, n=40, at=39)
    if case.sees is None:
        assert (gradient > 0).all()
    else:
        assert gradient.nonzero().flatten().tolist() == list(range(40 - case.sees, 40))


def test_what_comes_later_changes_no_earlier_loss(case: Case) -> None:
    model = case.build()
    steps = STEPS[case.representation](2, 30)
    other = torch.cat((steps[:, :20], STEPS[case.representation](2, 10)), dim=1)
    with torch.no_grad():
        before, after = nll_of(model, steps), nll_of(model, other)
    # The loss at index t is that of step t + 1.
    assert torch.equal(before[:, :19], after[:, :19])
    assert not torch.allclose(before[:, 19:], after[:, 19:])


def test_step_by_step_equals_the_whole_sequence(case: Case) -> None:
    """Some networks have other sums for one step alone: those that a graph has."""
    model = livened(case.build())
    steps = repeating(case, 50)
    whole = seen_by_head(model, steps, composer=1, density=1)
    state = model.start(1, torch.tensor([1]), torch.tensor([1]))
    with torch.no_grad():
        for t in range(50):
            seen, state = model.hidden(steps[:, t : t + 1], state)
            assert torch.allclose(seen[0, 0], whole[t], atol=case.rounding, rtol=0), t


@pytest.mark.parametrize("lengths", [(1, 49), (20, 1, 29), (30, 20)])
def test_carried_state_joins_split_sequences(case: Case, lengths: tuple[int, ...]) -> None:
    model = case.build()
    steps = STEPS[case.representation](2, 50)
    with torch.no_grad():
        whole = model(steps).logits, model.hidden(steps, model.start(2))[0]
        state, parts = model.start(2), []
        for part in steps.split(lengths, dim=1):
            seen, _ = model.hidden(part, state)
            output = model(part, state=state)
            state = output.state
            parts.append((output.logits, seen))
    for joined, expected in zip(zip(*parts, strict=True), whole, strict=True):
        assert torch.allclose(torch.cat(joined, dim=1), expected, atol=1e-5, rtol=0)


def test_rows_of_a_batch_do_not_touch_each_other(case: Case) -> None:
    model = case.build()
    steps = STEPS[case.representation](3, 20)
    with torch.no_grad():
        together = nll_of(model, steps)
        for row in range(3):
            alone = nll_of(model, steps[row : row + 1])
            assert torch.allclose(together[row], alone[0], atol=1e-4, rtol=0)


def test_every_weight_learns(case: Case) -> None:
    # Fresh densities say nothing, so that nothing would be learnt of how they are heard.
    model = livened(case.build()).train()
    steps = STEPS[case.representation](4, 30)
    composers = torch.arange(4) % 3 if case.config.get("composers") else None
    endings = torch.ones(4, 29, dtype=torch.long) if case.config.get("endings") else None
    model(steps[:, :-1], steps[:, 1:], composers, endings=endings).loss.backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().max() > 0, name


def test_saved_and_loaded_gives_the_same_bits(case: Case, tmp_path: Path) -> None:
    model = case.build(fs=25, sustain="ignore")
    model.save_pretrained(tmp_path)
    # A random number in between: nothing may be drawn anew while loading.
    torch.rand(1)
    loaded = PyzzicatoModel.from_pretrained(tmp_path)
    assert not loaded.training
    assert (loaded.config.fs, loaded.config.sustain) == (25, "ignore")
    for name in ("representation", "backbone", "head", "spans", "recent", "composers", "densities"):
        assert getattr(loaded.config, name) == getattr(model.config, name)
    kept, saved = loaded.state_dict(), model.state_dict()
    assert kept.keys() == saved.keys()
    for name, weight in saved.items():
        assert torch.equal(kept[name], weight), name
    steps = STEPS[case.representation](2, 30)
    with torch.no_grad():
        assert torch.equal(nll_of(loaded, steps), nll_of(model, steps))


_OF_THEIR_OWN = (
    "embedding.soft_recall",
    "head.recalled",
    "head.net.soft",
    "head.net.held",
    "head.onset_ends",
    "head.duration_ends",
    "backbone.blocks",
)


def test_fresh_weights_are_each_modules_own(case: Case) -> None:
    """Left to itself, transformers draws each matrix from N(0, 0.02) and sets each bias to 0."""
    model = case.build(hidden_size=64, dense_size=64, head_size=64)
    for name, module in model.named_modules():
        # A recall begins as a match model and blocks of attention say nothing at first, see
        # `test_soft_recall.py` and `test_attention.py`.
        if name.startswith(_OF_THEIR_OWN):
            continue
        if isinstance(module, torch.nn.Linear):
            # torch draws from U(-b, b), b = 1 / sqrt(inputs).
            bound = 1 / math.sqrt(module.in_features)
            assert 0.9 * bound < float(module.weight.detach().abs().max()) <= bound, name
        if isinstance(module, torch.nn.Embedding):
            furthest = float(module.weight.detach().abs().max())
            assert furthest == 0 if name in ("densities", "endings") else furthest > 0.25, name
    biases = [
        w
        for n, w in model.backbone.named_parameters()
        if "dense" in n and "bias" in n and not n.startswith("blocks")
    ]
    assert all(bias.abs().max() > 0 for bias in biases)


def periodic_roll(n: int) -> Tensor:
    """Returns `(1, n, 88)`: four chords of three keys and two frames each, over and over."""
    roll = torch.zeros(1, n, 88, dtype=torch.uint8)
    for t in range(n):
        chord = t // 2 % 4
        roll[0, t, [20 + chord, 40 + 3 * chord, 60 - 2 * chord]] = 1
    return roll


def periodic_events(n: int) -> Tensor:
    """Returns `(1, n, 4)`: four notes over and over, each with numbers of its own."""
    figure = [(3, 20, 5, 3), (7, 40, 15, 9), (0, 44, 25, 5), (12, 47, 35, 12)]
    return torch.tensor([[figure[t % 4] for t in range(n)]], dtype=torch.uint8)


def copy_loss(roll: Tensor) -> float:
    """Returns nats a frame of copying the last frame of a `(1, T, 88)` roll."""
    frames = [roll[0].numpy()]
    return count_baselines(frames).copy_nll(frames)


def share_loss(events: Tensor) -> float:
    """Returns nats a note of the shares of all values in `(1, T, 4)` notes."""
    notes = [events[0].numpy()]
    return count_event_baselines(notes).frequency_nll(notes)


PATTERNS: dict[str, tuple[Callable[[int], Tensor], Callable[[Tensor], float]]] = {
    "roll": (periodic_roll, copy_loss),
    "events": (periodic_events, share_loss),
}

# A model that sees one step cannot tell the first frame of a chord from the second.
# One that recalls begins with its mind made up; a few updates do not change that.
LEARNERS = [name for name, c in CASES.items() if c.sees != 1 and not c.config.get("recall_heads")]


@pytest.mark.parametrize("name", LEARNERS)
def test_learns_a_pattern_by_heart(name: str) -> None:
    model = CASES[name].build(
        hidden_size=32, dense_size=32, head_size=8, embedding_size=32, dropout=0.0
    )
    make, simple_loss = PATTERNS[CASES[name].representation]
    pattern = make(32)
    optimizer = torch.optim.Adam(model.parameters(), lr=8e-3)
    model.train()
    for _ in range(80):
        loss = model(pattern[:, :-1], pattern[:, 1:]).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.3 * simple_loss(pattern)

    # What the head is given after step t speaks of step t + 1: the pattern goes on.
    model.eval()
    going_on = pattern[0, 12:]
    logits = logits_given(model.head, seen_by_head(model, pattern)[11:-1], going_on)
    if CASES[name].representation == "roll":
        assert torch.equal(logits > 0, going_on > 0)
    else:
        numbers = [part.argmax(-1) for part in logits.split(list(SIZES), dim=-1)]
        assert torch.equal(torch.stack(numbers, dim=-1), going_on.long())


# ---- The graph ----------------------------------------------------------------------------------


@pytest.fixture(
    params=[case for case in CASES.values() if case.is_exported],
    ids=[name for name, case in CASES.items() if case.is_exported],
)
def played(request: pytest.FixtureRequest) -> tuple[Case, PyzzicatoModel, Model]:
    """Returns each row whose graph is tested, its lively network, and the same ready to play."""
    torch.manual_seed(3)
    network = halved(livened(request.param.build()))
    return request.param, network, playable(network)


def random_draw(graph: StepGraph, rng: np.random.Generator) -> Draw:
    """Returns what draws from a network as it is."""
    draw = Draw.neutral(*(graph.size(name) for name in ("uniform", "temperature", "bias")))
    draw.uniform = rng.random(len(draw.uniform)).astype(np.float32)
    return draw


# The composer and the weight of each view of a piece; nobody's number is 0.
VIEWS = {"one view": [(2, 1.0)], "two views": [(1, 2.5), (0, -1.5)]}


def begin(model: Model, views: list[tuple[int, float]]) -> GraphRun:
    """Returns a piece before its first step."""
    composers, weights = zip(*views, strict=True)
    return model.start({"composer": composers, "density": [1] * len(views)}, weights)


@pytest.mark.parametrize("views", VIEWS.values(), ids=VIEWS.keys())
def test_the_graph_equals_the_network_on_whole_sequences(
    played: tuple[Case, PyzzicatoModel, Model], views: list[tuple[int, float]]
) -> None:
    case, network, model = played
    steps = repeating(case, 60)
    given = steps[0, 1:]
    expected = [
        logits_given(network.head, seen_by_head(network, steps, composer, 1)[:-1], given).numpy()
        for composer, _ in views
    ]
    run = begin(model, views)
    run.feed(steps[0, :1].numpy())
    for t, bias in enumerate(sure(given)):
        draw = random_draw(model.graph, np.random.default_rng(t))
        draw.bias = bias
        step, logits = run.draw(draw)
        assert step.dtype == np.uint8 and step.tolist() == given[t].tolist()
        for view, whole in zip(logits, expected, strict=True):
            assert view == pytest.approx(whole[t], abs=1e-4, rel=1e-4)


@pytest.mark.parametrize("views", VIEWS.values(), ids=VIEWS.keys())
def test_the_graph_draws_as_the_slow_obvious_way_does(
    played: tuple[Case, PyzzicatoModel, Model], views: list[tuple[int, float]]
) -> None:
    case, network, model = played
    rng = np.random.default_rng(5)
    steps = repeating(case, 9)[0].numpy()
    run = begin(model, views)
    run.feed(steps)
    for n in range(3):
        draw = random_draw(model.graph, rng)
        draw.temperature = rng.uniform(0.6, 2.0, len(draw.temperature)).astype(np.float32)
        draw.top_a = rng.uniform(0.0, 0.2, len(draw.top_a)).astype(np.float32) * (n > 0)
        draw.bias = rng.normal(0, 1, len(draw.bias)).astype(np.float32)
        drawn, _ = run.draw(draw)
        assert drawn.tolist() == slow_step(network, steps, views, 1, draw)
        steps = np.concatenate((steps, drawn[None]))


def test_a_long_piece_is_played_without_drift(
    played: tuple[Case, PyzzicatoModel, Model],
) -> None:
    case, network, model = played
    steps = STEPS[case.representation](1, 700)
    whole = logits_given(network.head, seen_by_head(network, steps)[:-1], steps[0, 1:]).numpy()
    run = model.start({})
    run.feed(steps[0, :-1].numpy())
    draw = random_draw(model.graph, np.random.default_rng(0))
    draw.bias = sure(steps[0, -1:])[0]
    assert run.draw(draw)[1][0] == pytest.approx(whole[-1], abs=max(1e-4, case.rounding), rel=1e-4)


def test_the_graph_is_what_a_stranger_may_rely_on(
    played: tuple[Case, PyzzicatoModel, Model],
) -> None:
    _, network, model = played
    check_graph(model.graph_path, network.config)
    graph = onnx.load(model.graph_path, load_external_data=False)
    assert {entry.domain for entry in graph.opset_import} == {""}
    weights = {w.name: w for w in graph.graph.initializer}
    assert not any(weight.external_data for weight in weights.values())
    # Nor does it tell where it was made: paths differ from machine to machine.
    assert b".py" not in model.graph_path.read_bytes()
    large = [w for w in weights.values() if math.prod(w.dims) >= 64]
    assert {TensorProto.FLOAT16} == {
        w.data_type for w in large if w.data_type in (TensorProto.FLOAT, TensorProto.FLOAT16)
    }
    found = {f"condition.{name}" for name in network.condition_names}
    kept = {name for name in model.graph.inputs if name.partition(".")[0] in ("state", "past")}
    controls = {"step", "uniform", "temperature", "top_a", "bias", "view_weights"}
    assert set(model.graph.inputs) == controls | found | kept
    assert len(model.graph.outputs) == 2 + len(kept)


def test_what_the_graph_draws_can_be_fed_back(
    played: tuple[Case, PyzzicatoModel, Model],
) -> None:
    case, _, model = played
    drawn = []
    for number in (3, 3, 4):
        run, rng = model.start({}), np.random.default_rng(number)
        run.feed(STEPS[case.representation](1, 1)[0].numpy() * 0)
        steps = [run.draw(random_draw(model.graph, rng)) for _ in range(50)]
        drawn.append([step.tolist() for step, _ in steps])
        highest = [1] * 88 if case.representation == "roll" else [n - 1 for n in SIZES]
        assert (np.array(drawn[-1]) <= highest).all()
        assert all(np.isfinite(logits).all() for _, logits in steps)
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_network_of_half_precision_is_exported_in_float32() -> None:
    network = CASES["conv1d, notes"].build().to(torch.bfloat16)
    steps = STEPS["events"](1, 6)
    model = playable(network)
    # The same numbers, which were rounded once: bfloat16's are float16's, but for the smallest.
    whole = network.float().head.logits(seen_by_head(network, steps))
    run = model.start({})
    run.feed(steps[0].numpy())
    _, logits = run.draw(random_draw(model.graph, np.random.default_rng(0)))
    assert logits[0, : SIZES[0]] == pytest.approx(whole[-1].detach().numpy(), abs=1e-4)
