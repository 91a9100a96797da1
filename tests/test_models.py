"""One suite for all models: a new backbone, head or representation joins by a row.

A row of `CASES` names the choices and what the backbone is documented to see; `PATTERNS` says what
a model of a representation can learn by heart.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from model_cases import CASES, STEPS, Case, backbone_vectors, livened
from slow_draws import slow_step
from torch import Tensor

from pyzzicato.models import SamplingRule, Stepper
from pyzzicato.models.architecture import BACKBONES, HEADS, REPRESENTATIONS
from pyzzicato.models.config import PyzzicatoConfig
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.representations.event_bins import SIZES
from pyzzicato.training.baselines import count_baselines, count_event_baselines


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    """Returns each row in turn."""
    chosen: Case = request.param
    return chosen


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
        model = case.build()
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


# A model that knows no composers or densities takes no notice of their numbers.
VIEWS = {"anybody": (0,), "a composer": (2,), "both": (2, 0)}


@pytest.mark.parametrize("composers", VIEWS.values(), ids=VIEWS.keys())
def test_step_by_step_equals_the_whole_sequence(case: Case, composers: tuple[int, ...]) -> None:
    model = livened(case.build())
    steps = STEPS[case.representation](1, 50)
    wholes = [backbone_vectors(model, steps, number, density=1) for number in composers]
    stepper = Stepper(model, composers, density=1)
    for t in range(50):
        stepper.take(steps[0, t].numpy())
        assert len(stepper.hidden) == len(composers)
        for hidden, whole in zip(stepper.hidden, wholes, strict=True):
            assert hidden.dtype == np.float32
            assert hidden == pytest.approx(whole[t].numpy(), abs=1e-5, rel=0)


def test_a_long_piece_is_heard_without_drift(case: Case) -> None:
    model = case.build()
    steps = STEPS[case.representation](1, 1500)
    whole = backbone_vectors(model, steps, 1)
    stepper = Stepper(model, [1])
    for t, step in enumerate(steps[0].numpy()):
        stepper.take(step)
        if t % 50 == 49:
            assert stepper.hidden[0] == pytest.approx(whole[t].numpy(), abs=1e-5, rel=0)


@pytest.mark.parametrize("guidance", [1.0, 2.0])
def test_steps_are_drawn_as_the_slow_obvious_way_draws_them(case: Case, guidance: float) -> None:
    model = livened(case.build())
    rule = SamplingRule(temperature=1.5, guidance=guidance)
    composers = (1, 0)[: rule.n_views]
    steps = STEPS[case.representation](1, 9)[0].numpy()
    stepper = Stepper(model, composers)
    stepper.hear(steps)
    fast, slow = np.random.default_rng(5), np.random.default_rng(5)
    for _ in range(3):
        drawn = stepper.draw(rule, fast)
        assert drawn.dtype == np.uint8
        assert drawn.tolist() == slow_step(model, steps, composers, rule, slow).tolist()
        stepper.take(drawn)
        steps = np.concatenate((steps, drawn[None]))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16], ids=str)
def test_a_model_of_half_precision_is_played_in_float32(case: Case, dtype: torch.dtype) -> None:
    model = case.build().to(dtype)
    steps = STEPS[case.representation](1, 20)
    stepper = Stepper(model, [1])
    stepper.hear(steps[0].numpy())
    drawn = stepper.draw(SamplingRule(), np.random.default_rng(0))
    # The same numbers, which were rounded once.
    model.float()
    whole = backbone_vectors(model, steps, 1)
    assert stepper.hidden[0] == pytest.approx(whole[-1].numpy(), abs=1e-5, rel=0)
    again = Stepper(model, [1])
    again.hear(steps[0].numpy())
    assert drawn.tolist() == again.draw(SamplingRule(), np.random.default_rng(0)).tolist()


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
    model(steps[:, :-1], steps[:, 1:], composers).loss.backward()
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


def test_fresh_weights_are_each_modules_own(case: Case) -> None:
    """Left to itself, transformers draws each matrix from N(0, 0.02) and sets each bias to 0."""
    model = case.build(hidden_size=64, dense_size=64, head_size=64)
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            # torch draws from U(-b, b), b = 1 / sqrt(inputs).
            bound = 1 / math.sqrt(module.in_features)
            assert 0.9 * bound < float(module.weight.detach().abs().max()) <= bound, name
        if isinstance(module, torch.nn.Embedding):
            furthest = float(module.weight.detach().abs().max())
            assert furthest == 0 if name == "densities" else furthest > 0.25, name
    biases = [w for n, w in model.backbone.named_parameters() if "dense" in n and "bias" in n]
    assert all(bias.abs().max() > 0 for bias in biases)


def test_same_draw_same_step_and_another_draw_another(case: Case) -> None:
    model = case.build()
    steps = STEPS[case.representation](1, 10)[0].numpy()
    drawn = []
    for number in (3, 3, 4):
        stepper, rng = Stepper(model), np.random.default_rng(number)
        stepper.hear(steps)
        drawn.append([stepper.draw(SamplingRule(), rng).tolist() for _ in range(5)])
    assert drawn[0] == drawn[1] != drawn[2]
    assert {len(step) for step in drawn[0]} == {model.embedding.n_attributes}


def test_what_is_drawn_can_be_fed_back(case: Case) -> None:
    stepper, rng = Stepper(case.build()), np.random.default_rng(0)
    stepper.hear(STEPS[case.representation](1, 1)[0].numpy())
    highest = {"roll": [1] * 88, "events": [size - 1 for size in SIZES]}[case.representation]
    for _ in range(100):
        step = stepper.draw(SamplingRule(temperature=3.0), rng)
        assert (step <= highest).all()
        stepper.take(step)
    assert np.isfinite(stepper.hidden[0]).all()


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


PATTERNS: dict[str, tuple[Callable[[int], Tensor], Callable[[Tensor], float], SamplingRule]] = {
    "roll": (periodic_roll, copy_loss, SamplingRule(threshold=0.5)),
    "events": (periodic_events, share_loss, SamplingRule(temperature=0.01)),
}

# A model that sees one step cannot tell the first frame of a chord from the second.
LEARNERS = [name for name, case in CASES.items() if case.sees != 1]


@pytest.mark.parametrize("name", LEARNERS)
def test_learns_a_pattern_by_heart_and_plays_it(name: str) -> None:
    model = CASES[name].build(
        hidden_size=32, dense_size=32, head_size=8, embedding_size=32, dropout=0.0
    )
    make, simple_loss, surest = PATTERNS[CASES[name].representation]
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
    stepper = Stepper(model)
    stepper.hear(pattern[0, :12].numpy())
    for t in range(12, 32):
        step = stepper.draw(surest, np.random.default_rng(0))
        assert step.tolist() == pattern[0, t].tolist(), t
        stepper.take(step)
