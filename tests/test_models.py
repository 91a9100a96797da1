"""One suite for all models: a new backbone, head or representation joins by a row.

A row of `CASES` names the choices and what the backbone is documented to see; `STEPS` says how to
draw steps of a representation.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import tiny_config
from torch import Tensor

from pyzzicato.models import PyzzicatoConfig, PyzzicatoModel, SamplingRule
from pyzzicato.models.config import BACKBONES, HEADS, REPRESENTATIONS
from pyzzicato.models.heads import IndependentHead
from pyzzicato.training.baselines import count_baselines


@dataclass(frozen=True)
class Case:
    """One combination of representation, backbone and head.

    Attributes:
        backbone: its name.
        head: its name.
        representation: its name.
        config: further config values of the debug model.
        sees: frames the present step depends on, the present one included; None for all.
    """

    backbone: str
    head: str = "independent"
    representation: str = "roll"
    config: dict[str, Any] = field(default_factory=dict)
    sees: int | None = None

    def build(self, **choices: Any) -> PyzzicatoModel:
        """Returns an untrained model, ready for use."""
        choices = {**self.config, **choices}
        names = {name: getattr(self, name) for name in ("backbone", "head", "representation")}
        return PyzzicatoModel(tiny_config(**{**names, **choices})).eval()


CASES = {
    # n_layers * (kernel_size - 1) + 1
    "conv1d": Case("conv1d", config={"n_layers": 3, "kernel_size": 4}, sees=3 * 3 + 1),
    "conv1d, kernel 1": Case("conv1d", config={"n_layers": 2, "kernel_size": 1}, sees=1),
    # (kernel_size - 1) * (2**n_layers - 1) + 1
    "wavenet": Case("wavenet", config={"n_layers": 3, "kernel_size": 3}, sees=2 * 7 + 1),
    "wavenet, kernel 2": Case("wavenet", config={"n_layers": 4, "kernel_size": 2}, sees=16),
    "lstm": Case("lstm"),
    "lstm, one layer": Case("lstm", config={"n_layers": 1, "dropout": 0.5}),
}


def random_roll(batch: int, n: int) -> Tensor:
    """Returns `(B, T, 88)` frames with about four keys sounding."""
    return (torch.rand(batch, n, 88) < 0.05).to(torch.uint8)


STEPS: dict[str, Callable[[int, int], Tensor]] = {"roll": random_roll}


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
    output = model(steps[:, :-1], steps[:, 1:])
    assert output.logits.shape[:2] == (2, 4)
    assert torch.isfinite(output.logits).all()
    assert output.loss.ndim == 0
    assert 0 < output.loss < 100


def test_loss_is_the_mean_over_all_targets(case: Case) -> None:
    model = case.build()
    steps = STEPS[case.representation](3, 12)
    with torch.no_grad():
        loss = model(steps[:, :-1], steps[:, 1:]).loss
        assert torch.isclose(loss, nll_of(model, steps).mean())
        assert model(steps).loss is None


def input_gradient(case: Case, n: int, at: int) -> Tensor:
    """Returns `(n,)`: how much hidden step `at` depends on each step of the backbone's input."""
    seen = torch.zeros(n)
    for _ in range(4):
        # Several draws: in one, a ReLU may hide a dependence.
        model = case.build()
        x = model.embedding(STEPS[case.representation](4, n), torch.float32)
        x = (x.detach() + 0.1 * torch.randn_like(x)).requires_grad_()
        hidden, _ = model.backbone(x, model.start(4))
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
    model = case.build()
    steps = STEPS[case.representation](3, 50)
    with torch.no_grad():
        whole = model(steps)
        state = model.start(3)
        for t in range(50):
            hidden, state = model.step(steps[:, t], state)
            assert torch.allclose(model.head.logits(hidden), whole.logits[:, t], atol=1e-5, rtol=0)


@pytest.mark.parametrize("lengths", [(1, 49), (20, 1, 29), (30, 20)])
def test_carried_state_joins_split_sequences(case: Case, lengths: tuple[int, ...]) -> None:
    model = case.build()
    steps = STEPS[case.representation](2, 50)
    with torch.no_grad():
        whole = model(steps).logits
        state, parts = None, []
        for part in steps.split(lengths, dim=1):
            output = model(part, state=state)
            state = output.state
            parts.append(output.logits)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5, rtol=0)


def test_rows_of_a_batch_do_not_touch_each_other(case: Case) -> None:
    model = case.build()
    steps = STEPS[case.representation](3, 20)
    with torch.no_grad():
        together = model(steps).logits
        for row in range(3):
            alone = model(steps[row : row + 1]).logits
            assert torch.allclose(together[row], alone[0], atol=1e-5, rtol=0)


def test_every_weight_learns(case: Case) -> None:
    model = case.build().train()
    steps = STEPS[case.representation](4, 30)
    model(steps[:, :-1], steps[:, 1:]).loss.backward()
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
    kept, saved = loaded.state_dict(), model.state_dict()
    assert kept.keys() == saved.keys()
    for name, weight in saved.items():
        assert torch.equal(kept[name], weight), name
    steps = STEPS[case.representation](2, 30)
    with torch.no_grad():
        assert torch.equal(loaded(steps).logits, model(steps).logits)


def test_fresh_weights_are_each_modules_own(case: Case) -> None:
    """Left to itself, transformers draws each matrix from N(0, 0.02) and sets each bias to 0."""
    model = case.build(hidden_size=64, dense_size=64)
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear):
            # torch draws from U(-b, b), b = 1 / sqrt(inputs), of standard deviation b / sqrt(3).
            expected = 1 / math.sqrt(3 * module.in_features)
            assert float(module.weight.detach().std()) == pytest.approx(expected, rel=0.15), name
    biases = [w for n, w in model.backbone.named_parameters() if "dense" in n and "bias" in n]
    assert all(bias.abs().max() > 0 for bias in biases)


def test_same_draw_same_step_and_another_draw_another(case: Case) -> None:
    model = case.build()
    hidden, _ = model.hidden(STEPS[case.representation](4, 10), model.start(4))
    drawn = [
        model.sample(hidden[:, -1], SamplingRule(), torch.Generator().manual_seed(rng))
        for rng in (3, 3, 4)
    ]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert drawn[0].shape == (4, model.embedding.n_attributes)


def test_what_is_sampled_can_be_fed_back(case: Case) -> None:
    model = case.build()
    generator = torch.Generator().manual_seed(0)
    hidden, state = model.step(STEPS[case.representation](2, 1)[:, 0], model.start(2))
    for _ in range(5):
        hidden, state = model.step(model.sample(hidden, SamplingRule(), generator), state)
    assert torch.isfinite(hidden).all()


def periodic_roll(n: int) -> Tensor:
    """Returns `(1, n, 88)`: four chords of three keys and two frames each, over and over."""
    roll = torch.zeros(1, n, 88, dtype=torch.uint8)
    for t in range(n):
        chord = t // 2 % 4
        roll[0, t, [20 + chord, 40 + 3 * chord, 60 - 2 * chord]] = 1
    return roll


# A model that sees one step cannot tell the first frame of a chord from the second.
LEARNERS = [name for name, case in CASES.items() if case.sees != 1]


@pytest.mark.parametrize("name", LEARNERS)
def test_learns_a_pattern_by_heart_and_plays_it(name: str) -> None:
    model = CASES[name].build(hidden_size=32, dense_size=32, dropout=0.0)
    roll = periodic_roll(64)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    model.train()
    for _ in range(90):
        loss = model(roll[:, :-1], roll[:, 1:]).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    frames = roll[0].numpy()
    copy = count_baselines([frames]).copy_nll([frames])
    assert float(loss.detach()) < 0.3 * copy

    # Logits after step t speak of step t + 1: played by threshold, the pattern goes on.
    model.eval()
    hidden, state = model.hidden(roll[:, :32], model.start(1))
    last = hidden[:, -1]
    for t in range(32, 64):
        frame = model.sample(last, SamplingRule(threshold=0.5), torch.Generator())
        assert torch.equal(frame[0], roll[0, t]), t
        last, state = model.step(frame, state)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("backbone", "gru", "conv1d, wavenet, lstm, got 'gru'"),
        ("backbone", 3, "got 3"),
        ("head", "joint!", "independent.*, got 'joint!'"),
        ("representation", "audio", "roll.*, got 'audio'"),
        ("sustain", "maybe", "extend, ignore, got 'maybe'"),
        ("fs", 0, "from 1 to 200, got 0"),
        ("fs", 20.0, "a whole number from 1 to 200, got 20.0"),
        ("hidden_size", 0, "from 1 to 4096, got 0"),
        ("hidden_size", 5000, "from 1 to 4096, got 5000"),
        ("hidden_size", "8", "whole number .* got '8'"),
        ("n_layers", 65, "from 1 to 64, got 65"),
        ("n_layers", True, "whole number .* got True"),
        ("kernel_size", -1, "from 1 to 256, got -1"),
        ("dense_size", None, "whole number .* got None"),
        ("dropout", 1.0, "0 to below 1, got 1.0"),
        ("dropout", -0.1, "0 to below 1, got -0.1"),
        ("dropout", float("nan"), "0 to below 1, got nan"),
        ("dropout", "0.1", "0 to below 1, got '0.1'"),
    ],
)
def test_bad_config_values_are_refused_by_name(key: str, value: object, words: str) -> None:
    with pytest.raises(ValueError, match=f"{key} must be .*{words}"):
        PyzzicatoConfig(**{key: value})


def test_a_misspelt_config_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown config key 'hiden_size'"):
        PyzzicatoConfig(hiden_size=8)
    PyzzicatoModel(tiny_config()).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(file.read_text().replace("n_layers", "n_layer"))
    with pytest.raises(ValueError, match="unknown config key 'n_layer'"):
        PyzzicatoModel.from_pretrained(tmp_path)


def fixed_head(*probabilities: float) -> IndependentHead:
    """Returns a head that gives these probabilities after silence, whatever the backbone says."""
    head = IndependentHead(1, n_keys=len(probabilities))
    with torch.no_grad():
        head.out.weight.zero_()
        head.out.bias.copy_(torch.logit(torch.tensor(probabilities)))
    return head


def test_independent_nll_is_the_sum_of_the_keys() -> None:
    head = fixed_head(0.5, 0.9, 0.1)
    targets = torch.tensor([[[1, 1, 0], [0, 0, 1]]], dtype=torch.uint8)
    nll = head.nll(torch.zeros(1, 2, 1 + 3), targets)
    expected = [
        -math.log(0.5) - math.log(0.9) - math.log(0.9),
        -math.log(0.5) - math.log(0.1) - math.log(0.1),
    ]
    assert nll.shape == (1, 2)
    assert nll[0].tolist() == pytest.approx(expected, rel=1e-5)


def test_a_sounding_key_gets_its_own_log_odds_on_top() -> None:
    head = fixed_head(0.5, 0.5)
    with torch.no_grad():
        head.stay.copy_(torch.tensor([math.log(3), math.log(9)]))
    silent, sounding = torch.zeros(1, 1, 1 + 2), torch.tensor([[[0.0, 1.0, 1.0]]])
    assert torch.sigmoid(head.logits(silent))[0, 0].tolist() == pytest.approx([0.5, 0.5])
    assert torch.sigmoid(head.logits(sounding))[0, 0].tolist() == pytest.approx([0.75, 0.9])


def test_fresh_independent_head_is_a_careful_copy() -> None:
    head = IndependentHead(4)
    chances = torch.sigmoid(head.logits(torch.tensor([[0.0] * 4 + [1.0] * 44 + [0.0] * 44])))[0]
    # The backbone's vector is 0 here: what is left is the head's start.
    assert chances[:44].tolist() == pytest.approx([0.91] * 44, abs=0.005)
    assert chances[44:].tolist() == pytest.approx([0.007] * 44, abs=0.0005)


def test_threshold_sounds_the_keys_above_it_and_draws_nothing() -> None:
    head = fixed_head(0.05, 0.29, 0.31, 0.95)
    generator = torch.Generator().manual_seed(0)
    before = generator.get_state()
    frame = head.sample(torch.zeros(2, 1 + 4), SamplingRule(threshold=0.3), generator)
    assert frame.tolist() == [[0, 0, 1, 1]] * 2
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_sampled_frequencies_are_the_probabilities(temperature: float) -> None:
    chances = (0.02, 0.2, 0.5, 0.8, 0.99)
    head = fixed_head(*chances)
    generator = torch.Generator().manual_seed(0)
    frames = head.sample(torch.zeros(20_000, 1 + 5), SamplingRule(temperature), generator)
    assert frames.dtype == torch.uint8
    for i, chance in enumerate(chances):
        odds = (chance / (1 - chance)) ** (1 / temperature)
        # Six standard deviations of a frequency are at most 6 * 0.5 / sqrt(20,000) = 0.021.
        assert float(frames[:, i].float().mean()) == pytest.approx(odds / (1 + odds), abs=0.022)


def test_temperature_limits() -> None:
    head = fixed_head(0.3, 0.7)
    generator = torch.Generator().manual_seed(0)
    cold = head.sample(torch.zeros(500, 1 + 2), SamplingRule(0.01), generator)
    assert (cold == torch.tensor([0, 1])).all()
    hot = head.sample(torch.zeros(20_000, 1 + 2), SamplingRule(1e6), generator).float().mean(0)
    assert hot.tolist() == pytest.approx([0.5, 0.5], abs=0.022)


def test_sampled_keys_are_independent_of_each_other() -> None:
    head = fixed_head(0.5, 0.5)
    generator = torch.Generator().manual_seed(0)
    frames = head.sample(torch.zeros(20_000, 1 + 2), SamplingRule(), generator)
    both = float((frames.sum(1) == 2).float().mean())
    assert both == pytest.approx(0.25, abs=0.022)
