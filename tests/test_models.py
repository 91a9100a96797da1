"""One suite for all models: a new backbone, head or representation joins by a row.

A row of `CASES` names the choices and what the backbone is documented to see; `STEPS` says how to
draw steps of a representation, `PATTERNS` what a model of it can learn by heart.
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

from pyzzicato.events import SIZES
from pyzzicato.models import PyzzicatoConfig, PyzzicatoModel, SamplingRule
from pyzzicato.models.config import BACKBONES, COMPOSERS, HEADS, REPRESENTATIONS, SPANS
from pyzzicato.training.baselines import count_baselines, count_event_baselines


@dataclass(frozen=True)
class Case:
    """One combination of representation, backbone and head.

    Attributes:
        backbone: its name.
        head: its name.
        representation: its name.
        config: further config values of the debug model.
        sees: steps the backbone's vector depends on, the present one included; None for all.
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
    "conv1d, joint": Case("conv1d", "joint", sees=2 * 2 + 1),
    "wavenet, joint": Case("wavenet", "joint", config={"spans": [2.0]}, sees=2 * 3 + 1),
    "lstm, joint": Case("lstm", "joint", config={"composers": ["bach", "chopin"]}),
    "conv1d, notes": Case("conv1d", "notes", "events", sees=2 * 2 + 1),
    "wavenet, notes": Case(
        "wavenet", "notes", "events", config={"composers": ["bach", "satie"]}, sees=2 * 3 + 1
    ),
    "lstm, notes": Case("lstm", "notes", "events", config={"spans": [3.0, 30.0]}),
}


def random_roll(batch: int, n: int) -> Tensor:
    """Returns `(B, T, 88)` frames with about four keys sounding."""
    return (torch.rand(batch, n, 88) < 0.05).to(torch.uint8)


def random_events(batch: int, n: int) -> Tensor:
    """Returns `(B, T, 4)` notes, each number drawn from all it can be."""
    numbers = [torch.randint(size, (batch, n)) for size in SIZES]
    return torch.stack(numbers, dim=-1).to(torch.uint8)


STEPS: dict[str, Callable[[int, int], Tensor]] = {"roll": random_roll, "events": random_events}


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


def test_step_by_step_equals_the_whole_sequence(case: Case) -> None:
    model = case.build()
    steps = STEPS[case.representation](3, 50)
    with torch.no_grad():
        whole, _ = model.hidden(steps, model.start(3))
        state = model.start(3)
        for t in range(50):
            seen, state = model.step(steps[:, t], state)
            assert torch.allclose(seen, whole[:, t], atol=1e-5, rtol=0)


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
    model = case.build().train()
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
    for name in ("representation", "backbone", "head", "spans", "composers"):
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
            assert float(module.weight.detach().abs().max()) > 0.25, name
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
    model.eval()
    seen, state = model.hidden(pattern[:, :12], model.start(1))
    last = seen[:, -1]
    for t in range(12, 32):
        step = model.sample(last, surest, torch.Generator().manual_seed(0))
        assert torch.equal(step[0], pattern[0, t]), t
        last, state = model.step(step, state)


def test_a_composer_changes_what_is_expected_and_any_is_number_0() -> None:
    model = CASES["lstm, joint"].build()
    steps = random_roll(1, 12).expand(3, -1, -1)
    with torch.no_grad():
        told = model(steps[:, :-1], composers=torch.tensor([0, 1, 2])).logits
        untold = model(steps[:, :-1]).logits
    assert torch.equal(told[0], untold[0])
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert not torch.allclose(told[a], told[b])
    # In a batch where each row has its own composer, each gets what it would get alone.
    with torch.no_grad():
        alone = model(steps[:1, :-1], composers=torch.tensor([2])).logits
    assert torch.allclose(told[2], alone[0], atol=1e-5, rtol=0)


def test_a_model_without_composers_takes_no_notice_of_them() -> None:
    model = CASES["lstm"].build()
    steps = random_roll(2, 5)
    with torch.no_grad():
        told = model(steps, composers=torch.tensor([1, 200])).logits
        assert torch.equal(told, model(steps).logits)


def test_what_sets_composers_apart_is_learnt_and_guidance_exaggerates_it() -> None:
    model = CASES["lstm, joint"].build(hidden_size=16, dense_size=16)
    # After silence one strikes a low key, another a high one; of any composer both are heard.
    roll = torch.zeros(3, 2, 88, dtype=torch.uint8)
    roll[[0, 2], 1, 30] = 1
    roll[[1, 2], 1, 60] = 1
    composers = torch.tensor([1, 2, 0])
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    for _ in range(80):
        loss = model(roll[:, :-1], roll[:, 1:], composers).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    # After silence, with nothing but the name to tell them apart.
    silence = torch.zeros(2, 1, 88, dtype=torch.uint8)
    with torch.no_grad():
        seen, _ = model.hidden(silence, model.start(2, torch.tensor([1, 0])))
        log_odds = model.head.logits(seen)[:, -1]
    assert log_odds[0, 30] - log_odds[0, 60] > 1 + log_odds[1, 30] - log_odds[1, 60]
    guided = [SamplingRule(guidance=g).guide(log_odds)[0] for g in (0.0, 0.5, 2.0, 4.0)]
    leanings = [float(row[30] - row[60]) for row in guided]
    assert leanings == sorted(leanings) and leanings[0] < leanings[-1]


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("backbone", "gru", "conv1d, wavenet, lstm, got 'gru'"),
        ("backbone", 3, "got 3"),
        ("head", "joint!", "independent, joint, got 'joint!'"),
        ("head", "notes", "independent, joint, got 'notes'"),
        ("representation", "audio", "roll, events, got 'audio'"),
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
        ("embedding_size", 0, "from 1 to 4096, got 0"),
        ("embedding_size", 4097, "from 1 to 4096, got 4097"),
        ("head_size", 0, "from 1 to 4096, got 0"),
        ("head_size", 24.0, "whole number .* got 24.0"),
        ("spans", [4.0], "none for the independent head, got .4.0."),
        ("spans", "", "a list .* got ''"),
        ("composers", "bach", "a list of at most 256 names, got 'bach'"),
        ("composers", [1], "a list of at most 256 names, got .1."),
        ("composers", [""], "a list of at most 256 names, got .''."),
        ("composers", ["bach", "liszt", "bach"], "named once each, got"),
        ("composers", [str(i) for i in range(257)], "a list of at most 256 names"),
    ],
)
def test_bad_config_values_are_refused_by_name(key: str, value: object, words: str) -> None:
    with pytest.raises(ValueError, match=f"{key} must be .*{words}"):
        PyzzicatoConfig(**{key: value})


@pytest.mark.parametrize(
    "spans",
    [3.0, "3", [0], [-1.0], [float("nan")], [float("inf")], [1e6], ["3"], [True], [1.0] * 17],
)
def test_spans_must_be_a_few_numbers_above_0(spans: object) -> None:
    with pytest.raises(ValueError, match="spans must be a list of at most 16 numbers above 0, got"):
        PyzzicatoConfig(head="joint", spans=spans)


def test_heads_that_read_memories_need_one() -> None:
    for choices in ({"head": "joint"}, {"representation": "events", "head": "notes"}):
        assert PyzzicatoConfig(**choices).spans == list(SPANS[choices["head"]])
        with pytest.raises(ValueError, match=f"at least one for the {choices['head']} head, got "):
            PyzzicatoConfig(**choices, spans=[])
    assert PyzzicatoConfig().spans == []
    with pytest.raises(ValueError, match="head must be one of notes, got 'joint'"):
        PyzzicatoConfig(representation="events", head="joint")


def test_composers_have_the_numbers_of_their_places() -> None:
    config = PyzzicatoConfig(composers=["chopin", "bach"])
    assert [config.composer_number(name) for name in (None, "chopin", "bach")] == [0, 1, 2]
    with pytest.raises(ValueError, match="composer must be one of chopin, bach; got 'Bach'"):
        config.composer_number("Bach")
    assert PyzzicatoConfig().composer_number(None) == 0
    with pytest.raises(ValueError, match="one of none: this model knows no composers; got 'bach'"):
        PyzzicatoConfig().composer_number("bach")
    assert len(COMPOSERS) == 14 and sorted(COMPOSERS) == list(COMPOSERS)


def test_a_misspelt_config_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="unknown config key 'hiden_size'"):
        PyzzicatoConfig(hiden_size=8)
    PyzzicatoModel(tiny_config()).save_pretrained(tmp_path)
    file = tmp_path / "config.json"
    file.write_text(file.read_text().replace("n_layers", "n_layer"))
    with pytest.raises(ValueError, match="unknown config key 'n_layer'"):
        PyzzicatoModel.from_pretrained(tmp_path)
