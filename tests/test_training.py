"""The loop of training, on runs of a few updates."""

import math
import resource
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from conftest import tiny_config, tiny_settings, tune
from safetensors.torch import load_file

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.representations.note_events import NoteEvents
from pyzzicato.representations.roll import PianoRoll
from pyzzicato.training.held_out import middle_crops
from pyzzicato.training.loop import PieceTask, composer_numbers, train, validation_loss
from pyzzicato.training.optimizers import build_optimizers, learning_rate
from pyzzicato.training.precision import precision_here
from pyzzicato.training.store import NoteStore, StoreWriter, pack_notes
from pyzzicato.training.train_settings import TrainSettings

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


def timeless(curve: list[dict[str, float]]) -> list[dict[str, float]]:
    """Returns a curve without how long each part of it took."""
    return [{name: look[name] for name in look if name != "seconds"} for look in curve]


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
    with pytest.raises(ValueError, match="composers must be of bach, .*, or .* got 'satie'"):
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
    crops = middle_crops(store, held_out, PianoRoll(best.config.fs), settings.eval_steps)
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
    assert timeless(resumed.curve) == timeless(expected.curve)
    assert (resumed.step, resumed.best_loss) == (12, expected.best_loss)
    assert resumed.seconds > 0
    cut, uncut = (
        PyzzicatoModel.from_pretrained(tmp_path / name / "best").state_dict()
        for name in ("cut", "whole")
    )
    for name, weight in uncut.items():
        assert torch.equal(cut[name], weight), name
    kept = [folder.name for folder in (tmp_path / "cut" / "checkpoints").iterdir()]
    assert sorted(kept) == ["00000008", "00000012"]


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
    words = r"holds a run with other settings \(batch_size, seed\); begin anew in another"
    with pytest.raises(ValueError, match=words):
        train(store, tiny_settings(seed=1, batch_size=3), tmp_path, new_accelerator())


def test_a_run_goes_on_with_other_limits(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    # At one rate for as long as is wished, then brought to an end.
    open_end = tiny_settings(max_steps=1000, decay_steps=4)
    with pytest.raises(KilledError):
        train(store, open_end, tmp_path, new_accelerator(), Log(kill_after=9))
    rates = {}
    ended = replace(open_end, max_steps=12)

    def note(step: int, figures: dict[str, float]) -> None:
        if "learning_rate" in figures:
            rates[step] = figures["learning_rate"]

    assert train(store, ended, tmp_path, new_accelerator(), note).step == 12
    assert rates == pytest.approx({9: 1e-2, 10: 7.5e-3, 11: 5e-3, 12: 2.5e-3})
    assert train(store, replace(ended, max_steps=14), tmp_path, new_accelerator()).step == 14


def test_a_failed_start_leaves_nothing_behind(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    out = tmp_path / "run"
    with pytest.raises(ValueError, match="no-such-model"):
        train(store, tiny_settings(start_from="no-such-model"), out, new_accelerator())
    assert not out.exists()
    train(store, tiny_settings(max_steps=1), out, new_accelerator())


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_what_was(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    wild = tiny_settings(learning_rate=1e38, warmup_steps=0)
    with pytest.raises(ValueError, match="may be too high; there is no earlier checkpoint"):
        train(store, wild, tmp_path / "at once", new_accelerator())

    train(store, tiny_settings(max_steps=4), tmp_path / "late", new_accelerator())
    kept = (tmp_path / "late" / "best" / "model.safetensors").read_bytes()
    (tmp_path / "late" / "settings.json").unlink()
    with pytest.raises(ValueError, match="is (nan|inf): .*; the checkpoint of update 4 is kept"):
        train(store, replace(wild, max_steps=20), tmp_path / "late", new_accelerator())
    assert (tmp_path / "late" / "best" / "model.safetensors").read_bytes() == kept
    assert (tmp_path / "late" / "checkpoints" / "00000004" / "complete").exists()


def test_a_full_disk_ends_the_run_and_keeps_what_was(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    out = tmp_path / "run"
    # The model that validates best is written first; the checkpoint, in float32, is larger.
    for share, what in ((0.5, "model"), (1.5, "checkpoint")):

        def fill(step: int, figures: dict[str, float], share: float = share) -> None:
            if step == 5:
                size = (out / "best" / "model.safetensors").stat().st_size
                resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * size), hard))

        try:
            with pytest.raises(ValueError, match=f"the {what} of update 8 could .*4 is kept"):
                train(store, tiny_settings(), out, new_accelerator(), fill)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert [folder.name for folder in (out / "checkpoints").iterdir()] == ["00000004"]
        PyzzicatoModel.from_pretrained(out / "best")
    assert train(store, tiny_settings(), out, new_accelerator()).step == 12


def test_a_truncated_checkpoint_is_passed_over(
    store: NoteStore,
    tmp_path: Path,
    new_accelerator: NewAccelerator,
    capsys: pytest.CaptureFixture[str],
) -> None:
    log = Log(kill_after=10)
    with pytest.raises(KilledError):
        train(store, tiny_settings(), tmp_path, new_accelerator(), log)
    for name in ("00000004", "00000008"):
        file = tmp_path / "checkpoints" / name / "optimizer.bin"
        whole = file.read_bytes()
        file.write_bytes(whole[: len(whole) // 2])
        if name == "00000004":
            file.write_bytes(whole)
    rest = Log()
    train(store, tiny_settings(), tmp_path, new_accelerator(), rest)
    assert "00000008 is damaged" in capsys.readouterr().err
    assert min(rest.losses) == 5
    assert all(rest.losses[step] == loss for step, loss in log.losses.items() if step > 4)

    for file in (tmp_path / "checkpoints").glob("*/optimizer.bin"):
        file.write_bytes(b"")
    with pytest.raises(ValueError, match="no checkpoint of the run can be read; begin anew"):
        train(store, tiny_settings(max_steps=13), tmp_path, new_accelerator())


def test_a_run_killed_while_its_best_is_replaced_has_it_still(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    train(store, tiny_settings(max_steps=4), tmp_path, new_accelerator())
    kept = (tmp_path / "best" / "model.safetensors").read_bytes()
    (tmp_path / "best").rename(tmp_path / "best.before")
    train(store, tiny_settings(max_steps=4), tmp_path, new_accelerator())
    assert (tmp_path / "best" / "model.safetensors").read_bytes() == kept
    assert not (tmp_path / "best.before").exists()


def test_looks_may_go_by_the_clock(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    often = tiny_settings(eval_every=100, eval_seconds=1e-6, averaging=0.5, patience=100)
    progress = train(store, often, tmp_path, new_accelerator())
    assert [look["step"] for look in progress.curve] == list(range(1, 13))


def test_gradients_of_batches_are_averaged(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    settings = tiny_settings(model={**TINY, "dropout": 0.0}, gradient_accumulation=3, max_steps=4)
    log = Log()
    train(store, settings, tmp_path, new_accelerator(), log)
    set_seed(settings.seed)
    config = settings.model_config(store.sustain)
    model = PyzzicatoModel(config)
    task = PieceTask(store, config, settings, new_accelerator())
    (optimizer,) = build_optimizers(model, settings)
    for step in range(4):
        optimizer.param_groups[0]["lr"] = learning_rate(step, settings)
        losses = [task.loss(model, task.batch(3 * step + i, 0)) for i in range(3)]
        optimizer.zero_grad()
        torch.stack(losses).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
        optimizer.step()
        assert log.losses[step + 1] == pytest.approx(torch.stack(losses).mean().item(), rel=1e-4)


def test_batches_made_ahead_are_the_same(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    between, ahead = Log(), Log()
    settings = tiny_settings(model=EVENTS, noise=0.1, max_steps=5, gradient_accumulation=2)
    train(store, settings, tmp_path / "between", new_accelerator(), between)
    train(store, settings, tmp_path / "ahead", new_accelerator(), ahead, workers=2)
    assert between.losses == ahead.losses


@pytest.mark.parametrize("backbone", ["conv1d", "wavenet"])
def test_muon_moves_the_convolutions_of_the_backbone(
    backbone: str, store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    settings = tiny_settings(model={"backbone": backbone}, optimizer="muon")
    network = PyzzicatoModel(settings.model_config("extend"))
    _, muon = build_optimizers(network, settings)
    taken = [w for group in muon.param_groups for w in group["params"]]
    assert {id(w) for w in taken} == {id(w) for w in network.backbone.parameters() if w.ndim > 1}
    assert any(w.ndim == 3 for w in taken)
    log = Log()
    train(store, settings, tmp_path, new_accelerator(), log)
    assert list(log.losses.values())[-1] < list(log.losses.values())[0]


def test_muon_moves_the_matrices_of_the_backbone_and_the_loss_falls(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    model = {**EVENTS, "backbone": "attention", "n_blocks": 1, "n_heads": 2, "recall_heads": 2}
    settings = tiny_settings(
        model={**model, "endings": [1.0, 5.0]}, optimizer="muon", max_steps=60, eval_every=60
    )
    network = PyzzicatoModel(settings.model_config("extend"))
    adam, muon = build_optimizers(network, settings)
    taken = [w for group in muon.param_groups for w in group["params"]]
    assert {id(w) for w in taken} == {id(w) for w in network.backbone.parameters() if w.ndim == 2}
    others = [w for group in adam.param_groups for w in group["params"]]
    assert len(others) + len(taken) == len(list(network.parameters()))
    log = Log()
    train(store, settings, tmp_path, new_accelerator(), log)
    losses = list(log.losses.values())
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])


def test_what_is_new_may_learn_alone(
    store: NoteStore, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    train(store, tiny_settings(model=EVENTS), tmp_path / "first", new_accelerator())
    folder = tmp_path / "first" / "best"
    settings = tiny_settings(
        start_from=str(folder), model={"hears_ends": True}, only_new=True, learning_rate=0.01
    )
    train(store, settings, tmp_path / "second", new_accelerator())
    first, second = (
        PyzzicatoModel.from_pretrained(tmp_path / name / "best").state_dict()
        for name in ("first", "second")
    )
    for name, weight in first.items():
        assert torch.equal(second[name], weight), name
    new = {name: weight for name, weight in second.items() if name not in first}
    assert {name.split(".")[1] for name in new} == {"onset_ends", "duration_ends", "net"}
    # All of them say nothing at first.
    for name in ("head.onset_ends.conv2.weight", "head.net.held.weight"):
        assert new[name].any(), name

    for bad, message in (
        ({"start_from": str(folder)}, "only_new leaves nothing to learn"),
        ({"model": EVENTS}, "only_new needs a model to begin with"),
    ):
        with pytest.raises(ValueError, match=message):
            train(store, tiny_settings(only_new=True, **bad), tmp_path / "bad", new_accelerator())


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

    # A model conditioned on composers may learn to be conditioned on densities too.
    options = replace(still, model={**TINY, "densities": [3.0, 9.0]})
    train(store, options, tmp_path / "options", new_accelerator())
    model = PyzzicatoModel.from_pretrained(tmp_path / "options" / "best")
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
    rolls = [PianoRoll(20).encode(notes) for notes in store.each(store.pieces)]
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
    crops = [NoteEvents().encode(notes) for notes in store.each(store.pieces)]
    total = 0.0
    with torch.no_grad():
        for crop in crops:
            steps = torch.from_numpy(crop)[None]
            # No composer is given.
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
