"""The loop of training, on runs of a few updates."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from conftest import tiny_config, tiny_settings, tune
from safetensors.torch import load_file

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training.loop import (
    composer_numbers,
    learning_rate,
    train,
    validation_loss,
)
from pyzzicato.training.precision import precision_here
from pyzzicato.training.representations import EventSteps, RollSteps, middle_crops
from pyzzicato.training.settings import TrainSettings
from pyzzicato.training.store import NoteStore, StoreWriter, pack_notes

NewAccelerator = Callable[..., Accelerator]
TINY = {"backbone": "lstm", "hidden_size": 8, "dense_size": 8, "head_size": 4, "dropout": 0.2}
MODEL_NAMES = ["independent", "joint", "notes"]
EVENTS = {**TINY, "representation": "events", "head": "notes", "embedding_size": 8}


class KilledError(Exception):
    """Stands for whatever ends a run before its time."""


class Log:
    """Takes the reports of a run; ends it after update `kill_after`."""

    def __init__(self, kill_after: int | None = None) -> None:
        self.losses: dict[int, float] = {}
        self._kill_after = kill_after

    def __call__(self, step: int, figures: dict[str, float]) -> None:
        if "loss" in figures:
            self.losses[step] = figures["loss"]
        if step == self._kill_after:
            raise KilledError


def test_learning_rate_warms_up_and_falls_to_a_tenth() -> None:
    settings = TrainSettings(max_steps=100, warmup_steps=10, learning_rate=1.0)
    assert learning_rate(0, settings) == pytest.approx(0.1)
    assert learning_rate(4, settings) == pytest.approx(0.5, rel=0.01)
    # Half way down the cosine: 0.1 + 0.9 / 2.
    assert learning_rate(50, settings) == pytest.approx(0.55)
    assert learning_rate(100, settings) == pytest.approx(0.1)
    rates = [learning_rate(step, settings) for step in range(10, 101)]
    assert rates == sorted(rates, reverse=True)
    assert learning_rate(0, replace(settings, warmup_steps=0)) == 1.0


def test_composers_are_known_by_their_full_names() -> None:
    numbers = composer_numbers(tiny_config(composers=["chopin", "bach"]))
    assert numbers == {"Frédéric Chopin": 1, "Johann Sebastian Bach": 2}
    assert composer_numbers(tiny_config()) == {}
    with pytest.raises(ValueError, match="composers must be of bach, .*scriabin; got 'satie'"):
        composer_numbers(tiny_config(composers=["bach", "satie"]))


@pytest.mark.parametrize("model", [TINY, {**TINY, "head": "joint"}, EVENTS], ids=MODEL_NAMES)
def test_the_loss_falls(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator, model: dict[str, Any]
) -> None:
    settings = tiny_settings(model=model, max_steps=80, eval_every=40, learning_rate=3e-2)
    log = Log()
    progress = train(store, settings, tmp_path, new_accelerator(), log)
    assert list(log.losses) == list(range(1, 81))
    assert [look["step"] for look in progress.curve] == [40, 80]
    first, last = np.mean(list(log.losses.values())[:5]), np.mean(list(log.losses.values())[-5:])
    assert last < 0.9 * first, log.losses
    # The curve holds the mean training loss since the look before.
    second = [loss for step, loss in log.losses.items() if step > 40]
    assert progress.curve[1]["training"] == pytest.approx(np.mean(second))


def test_the_best_checkpoint_has_the_best_loss(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    # Learning ever faster, in the end much too fast: the best look is not the last one.
    settings = tiny_settings(learning_rate=10.0, warmup_steps=12, eval_every=1, patience=12)
    accelerator = new_accelerator()
    progress = train(store, settings, tmp_path, accelerator)
    losses = {look["step"]: look["validation"] for look in progress.curve}
    assert progress.best_step < progress.step
    assert progress.best_loss == min(losses.values()) == losses[progress.best_step]
    best = PyzzicatoModel.from_pretrained(tmp_path / "best")
    held_out = store.of_split("validation")
    crops = middle_crops(store, held_out, RollSteps(best.config.fs), settings.eval_steps)
    # Its weights are rounded.
    assert validation_loss(best, crops, accelerator) == pytest.approx(progress.best_loss, rel=1e-3)
    assert best.dtype == torch.float32
    stored = load_file(tmp_path / "best" / "model.safetensors")
    assert {weight.dtype for weight in stored.values()} == {torch.float16}
    assert best.config.sustain == store.sustain


# Everything that is drawn at random takes part.
RESTLESS = {"noise": 0.1, "detours": 0.2, "stretch": 0.2, "composer_dropout": 0.5}


@pytest.mark.parametrize(
    ("kill_after", "settings"),
    [
        (3, tiny_settings()),
        (4, tiny_settings()),
        (7, tiny_settings(model={**TINY, "head": "joint", "composers": ["bach"]}, **RESTLESS)),
        (11, tiny_settings(model={**EVENTS, "composers": ["bach"]}, **RESTLESS)),
    ],
    ids=["3", "4", "7, joint", "11, notes"],
)
def test_a_killed_run_resumes_without_a_trace(
    store: NoteStore,
    tmp_path: Path,
    new_accelerator: NewAccelerator,
    kill_after: int,
    settings: TrainSettings,
) -> None:
    whole, first, rest = Log(), Log(kill_after), Log()
    expected = train(store, settings, tmp_path / "whole", new_accelerator(), whole)
    with pytest.raises(KilledError):
        train(store, settings, tmp_path / "cut", new_accelerator(), first)
    # What a kill in the midst of saving leaves behind.
    (tmp_path / "cut" / "checkpoints" / "00000099").mkdir(parents=True)
    torch.manual_seed(99)
    resumed = train(store, settings, tmp_path / "cut", new_accelerator(), rest)

    assert min(rest.losses) == (kill_after - 1) // 4 * 4 + 1
    assert {**first.losses, **rest.losses} == whole.losses
    assert resumed.curve == expected.curve
    assert (resumed.step, resumed.best_loss) == (12, expected.best_loss)
    assert resumed.seconds > 0
    cut, uncut = (
        PyzzicatoModel.from_pretrained(tmp_path / name / "best").state_dict()
        for name in ("cut", "whole")
    )
    for name, weight in uncut.items():
        assert torch.equal(cut[name], weight), name
    kept = [folder.name for folder in (tmp_path / "cut" / "checkpoints").iterdir()]
    assert kept == ["00000012"]


def test_a_finished_run_is_left_as_it_is(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    first = train(store, tiny_settings(), tmp_path, new_accelerator())
    log = Log()
    again = train(store, tiny_settings(), tmp_path, new_accelerator(), log)
    assert log.losses == {}
    assert vars(again) == vars(first)


def test_other_settings_in_the_same_folder_are_refused(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    train(store, tiny_settings(max_steps=1), tmp_path, new_accelerator())
    with pytest.raises(ValueError, match="holds a run with other settings; choose another folder"):
        train(store, tiny_settings(max_steps=2), tmp_path, new_accelerator())


def test_a_run_may_begin_with_the_weights_of_another(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    settings = tiny_settings(model={**TINY, "composers": ["bach"]})
    train(store, settings, tmp_path / "first", new_accelerator())
    folder = tmp_path / "first" / "best"
    # So slow that nothing is learnt: what is validated is what the run began with.
    still = tiny_settings(start_from=str(folder), learning_rate=1e-12, weight_decay=0.0, seed=9)
    train(store, still, tmp_path / "second", new_accelerator())
    first, second = (
        PyzzicatoModel.from_pretrained(tmp_path / name / "best").state_dict()
        for name in ("first", "second")
    )
    for name, weight in first.items():
        assert torch.allclose(second[name], weight, atol=1e-9), name

    # What the run does not say of the model is as it was.
    likewise = tiny_settings(start_from=str(folder), model={"dropout": 0.3}).model_config("ignore")
    assert likewise.choices() == {
        **PyzzicatoModel.from_pretrained(folder).config.choices(),
        "dropout": 0.3,
        "sustain": "ignore",
    }

    # A model that is told composers may learn to be told densities too.
    told = replace(still, model={**TINY, "densities": [3.0, 9.0]})
    train(store, told, tmp_path / "told", new_accelerator())
    model = PyzzicatoModel.from_pretrained(tmp_path / "told" / "best")
    assert model.config.densities == [3.0, 9.0]
    assert all(torch.allclose(model.state_dict()[n], w, atol=1e-9) for n, w in first.items())

    other = tiny_settings(start_from=str(folder), model={**TINY, "hidden_size": 9})
    with pytest.raises(ValueError, match="start_from must be a model of the same config"):
        train(store, other, tmp_path / "third", new_accelerator())
    absent = tiny_settings(start_from="no-such-model")
    with pytest.raises(ValueError, match="no-such-model"):
        train(store, absent, tmp_path / "fourth", new_accelerator())


def test_a_run_without_gain_stops_early(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    # Updates too small to change a float32: every look after the first brings the same loss.
    settings = tiny_settings(learning_rate=1e-30, max_steps=100, eval_every=2, patience=3)
    progress = train(store, settings, tmp_path, new_accelerator())
    assert (progress.step, progress.best_step, progress.looks_without_gain) == (8, 2, 3)
    again = train(store, settings, tmp_path, new_accelerator())
    assert again.step == 8


def test_gradients_are_clipped(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    # Far below AdamW's epsilon of 1e-8 a gradient moves hardly anything.
    settings = tiny_settings(weight_decay=0.0)
    clipped = train(
        store, replace(settings, clip_norm=1e-13), tmp_path / "clipped", new_accelerator()
    )
    free = train(store, settings, tmp_path / "free", new_accelerator())
    moved = [abs(p.curve[-1]["validation"] - p.curve[0]["validation"]) for p in (clipped, free)]
    assert moved[0] < 1e-3 < 1e-2 < moved[1]


@pytest.mark.skipif(
    precision_here("bf16") == "no", reason="torch has no LSTM in bfloat16 on this processor"
)
@pytest.mark.parametrize(
    "choices",
    [
        {"backbone": "conv1d"},
        {"backbone": "wavenet"},
        {"backbone": "lstm"},
        {"backbone": "lstm", "head": "joint"},
        {"backbone": "lstm", "representation": "events", "head": "notes"},
    ],
    ids=["conv1d", "wavenet", "lstm", "joint", "notes"],
)
def test_bf16_trains_like_float32_and_keeps_float32_weights(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator, choices: dict[str, str]
) -> None:
    model = {**choices, "hidden_size": 8, "dense_size": 8, "head_size": 4, "kernel_size": 3}
    losses = {}
    for precision in ("no", "bf16"):
        settings = tiny_settings(model=model, precision=precision, eval_every=12)
        out = tmp_path / precision
        losses[precision] = train(store, settings, out, new_accelerator(precision)).curve[0]
        weights = PyzzicatoModel.from_pretrained(out / "best").state_dict().values()
        assert {weight.dtype for weight in weights} == {torch.float32}
    assert losses["bf16"]["training"] != losses["no"]["training"]
    assert losses["bf16"]["training"] == pytest.approx(losses["no"]["training"], rel=0.03)
    assert losses["bf16"]["validation"] == pytest.approx(losses["no"]["validation"], rel=0.03)


@pytest.mark.parametrize("batch_size", [1, 2, 16])
def test_validation_loss_is_the_mean_over_all_scored_frames(
    store: NoteStore, new_accelerator: NewAccelerator, batch_size: int
) -> None:
    model = PyzzicatoModel(tiny_config(backbone="lstm", dropout=0.5)).train()
    lengths = (50, 2, 31, 50, 19, 7)
    rolls = [RollSteps(20).encode(notes) for notes in store.each(store.pieces)]
    # The shorter pieces again and again.
    crops = [np.resize(roll, (n, 88)) for roll, n in zip(rolls, lengths, strict=True)]
    scored = []
    with torch.no_grad():
        for crop in crops:
            for t in range(1, len(crop)):
                logits = model.eval()(torch.from_numpy(crop[None, :t])).logits[0, -1].double()
                chances = torch.sigmoid(logits).numpy()
                heard = np.where(crop[t] > 0, chances, 1 - chances)
                scored.append(-np.log(heard).sum())
    model.train()
    loss = validation_loss(model, crops, new_accelerator(), batch_size)
    assert loss == pytest.approx(np.mean(scored), rel=1e-5)


def test_validation_loss_of_events_is_the_mean_over_all_scored_notes(
    store: NoteStore, new_accelerator: NewAccelerator
) -> None:
    model = PyzzicatoModel(
        tiny_config(representation="events", head="notes", composers=["bach"])
    ).eval()
    crops = [EventSteps().encode(notes) for notes in store.each(store.pieces)]
    total = 0.0
    with torch.no_grad():
        for crop in crops:
            steps = torch.from_numpy(crop)[None]
            # No composer is told.
            total += float(model(steps[:, :-1], steps[:, 1:]).loss) * (len(crop) - 1)
    expected = total / sum(len(crop) - 1 for crop in crops)
    loss = validation_loss(model, crops, new_accelerator(), batch_size=4)
    assert loss == pytest.approx(expected, rel=1e-5)


def test_a_validation_piece_of_one_note_is_left_out(
    tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    writer = StoreWriter(tmp_path / "store", "extend", "Tunes", "CC0 1.0")
    for split, seconds in (("train", 5), ("validation", 4), ("validation", 0.25)):
        writer.add(pack_notes(tune(seconds)), composer="C", title="T", split=split, path="p")
    writer.close()
    store = NoteStore(tmp_path / "store")
    assert [piece.length for piece in store.pieces][-1] == 1
    settings = tiny_settings(model=EVENTS, max_steps=1)
    progress = train(store, settings, tmp_path / "run", new_accelerator())
    assert math.isfinite(progress.best_loss)


@pytest.mark.parametrize(("split", "words"), [("train", "validation"), ("validation", "train on")])
def test_a_missing_split_is_refused(
    tmp_path: Path, new_accelerator: NewAccelerator, split: str, words: str
) -> None:
    writer = StoreWriter(tmp_path / "store", "extend", "Tunes", "CC0 1.0")
    writer.add(pack_notes(tune(3)), composer="C", title="T", split=split, path="p")
    writer.close()
    with pytest.raises(ValueError, match=f"there is no .*{words}"):
        train(NoteStore(tmp_path / "store"), tiny_settings(), tmp_path / "run", new_accelerator())
