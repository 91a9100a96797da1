"""The loop that plays: its steps against the slow obvious way, and on how many threads it runs."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import tiny_config, tune
from model_cases import livened
from slow_draws import slow_step
from threadpoolctl import OpenBLASController, ThreadpoolController

from pyzzicato.models import SamplingRule, Stepper
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note, sort_notes
from pyzzicato.pacemaker import Pacemaker
from pyzzicato.players import player_for
from pyzzicato.playing.continuation import continue_seed, stream_continuation
from pyzzicato.playing.decoding.density import density_to_come
from pyzzicato.playing.decoding.guard import Guard
from pyzzicato.playing.seed import cut_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations.touch import SeedTouch
from pyzzicato.threads import one_thread

SETTINGS = GenerationSettings(seconds=2.0, seed_seconds=4.0, rng=3)
COMPOSERS = ["bach", "chopin"]
EVENTS = {"representation": "events", "head": "notes"}
DRAWS = 1
"""The number of the stream of random draws beside the settings' own."""


def restless(**choices: object) -> PyzzicatoModel:
    """Returns an untrained model that goes by its backbone and does not only copy what sounds."""
    model = livened(PyzzicatoModel(tiny_config(composers=COMPOSERS, **choices))).eval()
    with torch.no_grad():
        if model.config.representation == "roll":
            model.head.stay.fill_(1.0)
        if model.config.head == "independent":
            model.head.out.bias.fill_(-2.0)
            model.head.out.weight.mul_(3)
        if model.config.head == "joint":
            model.head.own.bias.fill_(-2.0)
    return model


def slow_notes(model: PyzzicatoModel, settings: GenerationSettings) -> list[Note]:
    """Returns the new notes: for each step all steps before it go through the model once more."""
    seed, seconds = cut_seed(tune(), settings, model.config.fs)
    player = player_for(model.config, seed, seconds, SeedTouch(seed, settings.rng))
    number = model.config.composer_number(settings.composer)
    rule = SamplingRule(settings.temperature, settings.threshold, settings.guidance)
    composers = [number, 0][: rule.n_views]
    rng = np.random.default_rng([settings.rng, DRAWS])
    density = density_to_come(steps := player.steps, model.config, settings.composer, settings.rng)
    new, guard, pacemaker = [], Guard(), Pacemaker(density, model.config.representation)
    while player.seconds < settings.seconds - 1e-9:
        paced = replace(rule, pacing=0.0 if settings.threshold else pacemaker.pacing)
        step = slow_step(model, steps, composers, paced, rng, player.at_least)
        new += player.play(step)
        steps = np.concatenate((steps, step[None]))
        pacemaker.hear(player.seconds, len(player.struck))
        is_astray = guard.is_astray(player.seconds, player.struck, player.n_sounding)
        if is_astray and settings.threshold is None:
            new += player.let_go(player.seconds)
            steps = player.steps
            pacemaker = Pacemaker(density, model.config.representation)
    new += player.let_go(settings.seconds)
    end = settings.seconds
    return sort_notes(replace(n, end=min(n.end, end)) for n in new if n.start < end)


def check_notes(model: PyzzicatoModel, settings: GenerationSettings, n_at_least: int) -> None:
    """Asserts that a continuation of the tune is that of the slow obvious way."""
    made = continue_seed(model, tune(), settings).continuation_only
    expected = slow_notes(model, settings)
    assert len(expected) >= n_at_least
    assert [(n.pitch, n.velocity) for n in made] == [(n.pitch, n.velocity) for n in expected]
    for note, slow in zip(made, expected, strict=True):
        assert (note.start, note.end) == pytest.approx((slow.start, slow.end))


RULES = {
    "draw": {},
    "cold": {"temperature": 0.7},
    "guided": {"guidance": 2.0},
    "threshold": {"threshold": 0.3},
    "guided threshold": {"threshold": 0.3, "guidance": 1.5},
}


@pytest.mark.parametrize("backbone", ["conv1d", "wavenet", "lstm"])
@pytest.mark.parametrize("rule", RULES)
def test_independent_frames_equal_the_slow_obvious_way(backbone: str, rule: str) -> None:
    model = restless(backbone=backbone)
    check_notes(model, replace(SETTINGS, composer="chopin", **RULES[rule]), n_at_least=20)


# Key by key through the whole network that is slow indeed: few frames, each rule once.
@pytest.mark.parametrize(
    ("backbone", "rule"),
    list(zip(("conv1d", "wavenet", "lstm", "conv1d", "lstm"), RULES, strict=True)),
)
def test_joint_frames_equal_the_slow_obvious_way(backbone: str, rule: str) -> None:
    model = restless(backbone=backbone, head="joint", fs=8)
    settings = replace(SETTINGS, seconds=1.0, composer="chopin", **RULES[rule])
    check_notes(model, settings, n_at_least=5)


@pytest.mark.parametrize("backbone", ["conv1d", "wavenet", "lstm"])
@pytest.mark.parametrize("rule", ["draw", "cold", "guided"])
def test_events_equal_the_slow_obvious_way(backbone: str, rule: str) -> None:
    model = restless(backbone=backbone, **EVENTS)
    settings = replace(SETTINGS, seconds=30.0, composer="chopin", **RULES[rule])
    check_notes(model, settings, n_at_least=5)


@pytest.mark.parametrize("choices", [{}, {"head": "joint"}, EVENTS], ids=["roll", "joint", "notes"])
def test_another_number_draws_otherwise_and_by_threshold_there_is_no_draw(choices) -> None:
    model = restless(**choices)
    many = replace(SETTINGS, seconds=10.0, composer="any")
    drawn = [continue_seed(model, tune(), replace(many, rng=rng)).new_notes for rng in (0, 1)]
    assert drawn[0] != drawn[1]
    if model.config.representation == "roll":
        sure = replace(SETTINGS, composer="any", threshold=0.3)
        shapes = [
            [(n.pitch, n.start, n.end) for n in continue_seed(model, tune(), how).new_notes]
            for how in (sure, replace(sure, rng=4))
        ]
        assert shapes[0] == shapes[1]


# ---- Threads ------------------------------------------------------------------------------------

BLAS = ThreadpoolController().select(user_api="blas")


def blas_threads() -> set[int]:
    """Returns on how many threads numpy's products run."""
    return {info["num_threads"] for info in BLAS.info()}


@pytest.fixture
def two_threads() -> Iterator[None]:
    """Lets numpy's products run on two threads."""
    with BLAS.limit(limits=2):
        # As if nobody had set a number: no thread but the one that has may set another.
        OpenBLASController.clear_controlling_thread()
        assert blas_threads() == {2}
        yield


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> list[set[int]]:
    """Returns a list that gets the number of threads of each step that is taken or drawn."""
    seen: list[set[int]] = []

    def noting(method: Callable[..., object]) -> Callable[..., object]:
        def run(*args: object, **named: object) -> object:
            seen.append(blas_threads())
            return method(*args, **named)

        return run

    for name in ("take", "draw"):
        monkeypatch.setattr(Stepper, name, noting(getattr(Stepper, name)))
    return seen


@pytest.mark.usefixtures("two_threads")
def test_steps_run_on_one_thread_and_the_number_is_put_back(
    model: PyzzicatoModel, inside: list[set[int]]
) -> None:
    between: list[set[int]] = []
    continue_seed(model, tune(), SETTINGS, lambda _: between.append(blas_threads()))
    # The seed of 4 s, and 2 s drawn and taken.
    assert len(inside) == 80 + 2 * 40
    assert all(n == {1} for n in inside)
    # Whoever waits for the next chunk has his own number.
    assert between == [{2}, {2}]
    assert blas_threads() == {2}


@pytest.mark.usefixtures("two_threads")
def test_a_stream_may_be_left_at_any_time(model: PyzzicatoModel) -> None:
    stream = stream_continuation(model, tune(), replace(SETTINGS, seconds=600))
    assert next(stream).seconds == 1.0
    assert blas_threads() == {2}
    next(stream)
    stream.close()
    assert blas_threads() == {2}
    with pytest.raises(StopIteration):
        next(stream)


@pytest.mark.usefixtures("two_threads")
def test_an_error_puts_the_number_back() -> None:
    with pytest.raises(ZeroDivisionError), one_thread():
        assert blas_threads() == {1}
        _ = 1 / 0
    assert blas_threads() == {2}
    # One inside the other: the outer one counts.
    with one_thread():
        with one_thread():
            assert blas_threads() == {1}
        assert blas_threads() == {1}
    assert blas_threads() == {2}


def run_both(*workers: Callable[[], None]) -> None:
    """Runs each in a thread of its own, and waits for all."""
    threads = [threading.Thread(target=worker) for worker in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
        assert not thread.is_alive()


@pytest.mark.usefixtures("two_threads")
def test_the_last_of_two_that_play_at_once_puts_the_number_back() -> None:
    first_in, second_in, first_out = threading.Event(), threading.Event(), threading.Event()
    found: list[set[int]] = []

    def first() -> None:
        with one_thread():
            first_in.set()
            assert second_in.wait(5)
        found.append(blas_threads())
        first_out.set()

    def second() -> None:
        assert first_in.wait(5)
        with one_thread():
            second_in.set()
            assert first_out.wait(5)
            found.append(blas_threads())

    run_both(first, second)
    assert found == [{1}, {1}]
    assert blas_threads() == {2}


@pytest.mark.usefixtures("two_threads")
def test_streams_in_several_threads_play_what_each_plays_alone(
    model: PyzzicatoModel, inside: list[set[int]]
) -> None:
    settings = [replace(SETTINGS, rng=rng) for rng in range(3)]
    alone = [continue_seed(model, tune(), how).new_notes for how in settings]
    together: dict[int, object] = {}

    def play(how: GenerationSettings) -> None:
        together[how.rng] = continue_seed(model, tune(), how).new_notes

    run_both(*(lambda how=how: play(how) for how in settings))
    assert [together[how.rng] for how in settings] == alone
    assert all(n == {1} for n in inside)
    assert blas_threads() == {2}
