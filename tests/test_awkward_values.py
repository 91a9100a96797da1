"""Awkward values everywhere: what is refused is refused in one short sentence."""

import asyncio
import inspect
import math
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any

import gradio as gr
import pytest
from abuse_check import GOOD, SEED
from conftest import tune

import pyzzicato
from pyzzicato.evaluation.adversary_network import NetworkSettings
from pyzzicato.grid import quantise
from pyzzicato.hub.registry import Pin
from pyzzicato.midi import MidiLimits
from pyzzicato.midi.timing import Timing
from pyzzicato.models.architecture import Architecture
from pyzzicato.notes import Note
from pyzzicato.playing.along import Companion
from pyzzicato.playing.decoding.values import DecodingValues
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.space import along_api, api, bench_api, sheets
from pyzzicato.space.messages import FAULT
from pyzzicato.space.vote_book import VoteBook
from pyzzicato.space.votes import Vote
from pyzzicato.training.sequence_settings import SequenceSettings
from pyzzicato.training.train_settings import TrainSettings

LONGEST = 700
"""Characters: two paths of 200 each, where one soundfont fits none of two engines."""
AWKWARD: dict[str, Any] = {
    "3,000 digits": 7 * 10**3000,
    "as many below 0": -7 * 10**3000,
    "NaN": math.nan,
    "infinity": math.inf,
    "a long text": "y" * 100_000,
    "HTML": "<img src=x onerror=alert(1)>\n" * 9,
    "a long list": [7] * 50_000,
    "a list of long texts": ["y" * 100_000],
    "a table": {"y" * 100_000: "y" * 100_000},
    "bytes": b"\xff" * 100_000,
    "an object": object(),
}


SETTINGS: dict[type, dict[str, Any]] = {
    GenerationSettings: {},
    DecodingValues: {},
    MidiLimits: {},
    TrainSettings: {},
    SequenceSettings: {},
    NetworkSettings: {},
    Architecture: {},
    Note: {"pitch": 60, "start": 0.0, "end": 1.0, "velocity": 64},
    Pin: {"repo": "me/lstm", "commit": "0" * 40, "sums": {"model.onnx": "0" * 64}},
    Vote: {"seed": SEED, "systems": ("a", "b"), "winner": None, "marks": ({}, {}), "time": 0},
}
"""Classes that check what they are given, and what they need."""

ENDPOINTS: dict[str, Callable[..., Any]] = {
    "/continue": api.continue_piece,
    "/continue_stream": api.stream_takes,
    "/evaluate": api.evaluate_piece,
    "/render": api.render_piece,
    "/score": sheets.score_piece,
    "/seeds": api.describe_seeds,
    "/vote": api.voting_on(VoteBook(None)),
    "/redo": bench_api.redo_span,
    "/keep": bench_api.keep_part,
    "/odds": bench_api.tell_odds,
    "/along_begin": along_api.begin_along,
    "/along_hear": along_api.hear_along,
    "/along_answer": along_api.answer_along,
    "/along_stop": along_api.stop_along,
}


AT_LENGTH = re.compile(
    r"0{50}|7{50}|y{201}|(?:7, ){20}|(?:xff.){20}|0x[0-9a-f]{8}|string conversion"
)


def faults_of(said: str) -> list[str]:
    """Returns what is wrong with a refusal: it is one short sentence and repeats nothing whole."""
    faults = []
    if not 0 < len(said) <= LONGEST:
        faults.append(f"{len(said)} characters: {said[:200]}")
    if AT_LENGTH.search(said) or "\n" in said or "<img" in said or FAULT in said:
        faults.append(said[:300])
    return faults


def try_all(call: Callable[..., Any], name: str, base: dict[str, Any]) -> None:
    """Gives a function every awkward value; it takes it, or refuses it as it should."""
    wrong = []
    for kind, value in AWKWARD.items():
        try:
            call(**{**base, name: value})
        except (ValueError, gr.Error) as error:
            wrong += [f"{kind}: {fault}" for fault in faults_of(str(error))]
        except Exception as error:
            wrong.append(f"{kind}: {type(error).__name__}: {str(error)[:200]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("settings", "name"),
    [(kind, f.name) for kind in SETTINGS for f in fields(kind) if f.init],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_settings_refuse_in_a_short_sentence(settings: type, name: str) -> None:
    def make(**options: Any) -> None:
        made = settings(**options)
        if isinstance(made, Architecture):
            made.check()

    try_all(make, name, SETTINGS[settings])


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [
        (path, name)
        for path, call in ENDPOINTS.items()
        for name in inspect.signature(call).parameters
    ],
)
def test_endpoints_refuse_in_a_short_sentence(endpoint: str, name: str) -> None:
    base = {"seed": SEED, **GOOD.get(endpoint, {})}
    if name in ("midi", "notes"):
        del base["seed"]
    call = ENDPOINTS[endpoint]
    known = inspect.signature(call).parameters

    def post(**options: Any) -> None:
        answer = call(**{key: value for key, value in options.items() if key in known})
        if inspect.iscoroutine(answer):
            asyncio.run(answer)
        elif inspect.isasyncgen(answer):
            asyncio.run(anext(answer))

    try_all(post, name, base)


@pytest.fixture(scope="module")
def model() -> Model:
    return pyzzicato.load_model("lstm-events")


FUNCTIONS: dict[str, tuple[str, ...]] = {
    "load_model": ("name", "revision"),
    "load_seed": ("name",),
    "read_midi": ("source",),
    "continue_seed": ("seed", "seed_composer"),
    "redo_span": ("seed", "start", "end", "tries", "seed_composer"),
    "keep_part": ("seed", "kept", "start", "end", "tries", "seed_composer"),
    "continue_from": ("seed", "at", "seed_composer"),
    "next_odds": ("at",),
    "render": ("engine", "soundfont"),
}
"""Of the package, and their arguments that are checked."""
NEEDED: dict[str, dict[str, Any]] = {
    "continue_seed": {"seed": SEED, "settings": GenerationSettings(seconds=1)},
    "redo_span": {"seed": SEED, "start": 2, "end": 4, "tries": 1},
    "keep_part": {"seed": SEED, "kept": "top", "end": 3, "tries": 1},
    "continue_from": {"seed": SEED, "at": 3, "settings": GenerationSettings(seconds=1)},
    "next_odds": {"seed": tune(), "at": 2},
    "render": {"notes": tune()},
}


@pytest.mark.parametrize(
    ("function", "name"), [(f, name) for f, names in FUNCTIONS.items() for name in names]
)
def test_functions_refuse_in_a_short_sentence(model: Model, function: str, name: str) -> None:
    call = getattr(pyzzicato, function)
    base = NEEDED.get(function, {})
    if "model" in inspect.signature(call).parameters:
        base = {**base, "model": model}
    try_all(call, name, base)


def test_a_companion_refuses_in_a_short_sentence(model: Model) -> None:
    def answer(**options: Any) -> None:
        companion = Companion(model)
        companion.hear(tune())
        next(companion.answer(**{"now": 6.0, **options}))

    try_all(answer, "now", {})
    try_all(answer, "seconds", {})
    try_all(lambda **options: quantise(tune(), Timing(), **options), "strength", {})


def test_a_fault_is_found() -> None:
    for said in ("", "x " * 400, "got " + "7" * 60, "got <img", "a\nb", f"{FAULT}"):
        assert faults_of(said)
    assert faults_of("rng must be 0 to 9, got a larger number; try 0") == []
    with pytest.raises(AssertionError, match="TypeError"):
        try_all(lambda value: 1 + value, "value", {})
