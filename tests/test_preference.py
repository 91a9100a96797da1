"""Learning from own playing: takes, who judges them, pairs, and what is made of them."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate import Accelerator
from conftest import tiny_config, tune
from graph_store import playable, save_playable
from random_music import random_music

import train as train_script
from pyzzicato.hub import load_model
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import end_of
from pyzzicato.training.own_takes import TakesOfSeed, draw_seeds, play_takes, suspicion
from pyzzicato.training.preference import (
    Batch,
    Pair,
    PreferenceTask,
    make_pairs,
    prefer,
    stack,
)
from pyzzicato.training.preference_settings import PreferenceSettings
from pyzzicato.training.recipes import read_recipe
from pyzzicato.training.store import NoteStore, StoreWriter, pack_notes

NewAccelerator = Callable[..., Accelerator]
EVENTS = {"representation": "events", "head": "notes", "backbone": "lstm"}
SHORT = PreferenceSettings(
    seeds=40,
    takes=3,
    seconds=3,
    seed_seconds=2,
    max_steps=8,
    gradient_accumulation=2,
    learning_rate=3e-3,
    decay_steps=2,
    warmup_steps=1,
    eval_steps=20,
)


@pytest.fixture
def pieces(tmp_path: Path) -> NoteStore:
    """Returns prepared data of a dozen pieces."""
    folder = tmp_path / "data"
    writer = StoreWriter(folder, sustain="extend", data="tunes", licence="CC0")
    for i in range(14):
        notes = tune(12, i) if i % 2 else random_music(i)
        assert end_of(notes) >= 6
        options = {"composer": "Bach", "title": f"Piece {i}", "path": f"{i}.mid"}
        writer.add(pack_notes(notes), split="train" if i < 12 else "validation", **options)
    writer.close()
    return NoteStore(folder)


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """Returns the folder of a model that can play."""
    torch.manual_seed(1)
    network = PyzzicatoModel(tiny_config(**EVENTS, densities=[2.0, 8.0])).eval()
    return save_playable(network, tmp_path / "start")


def pair(*lengths: int, n_seed: int = 3) -> Pair:
    rng = np.random.default_rng(0)
    sequences = tuple(rng.integers(0, 10, (n, 4), dtype=np.uint8) for n in lengths)
    return Pair(sequences, n_seed, 1, (20.0, 30.0))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"seeds": 19}, "seeds must be a whole number from 20"),
        ({"takes": 1}, "takes must be a whole number from 2"),
        ({"strength": 0}, "strength must be a number above 0, got 0"),
        ({"likelihood": -1}, "likelihood must be a number 0 or more, got -1"),
        ({"seconds": 0.5}, "seconds must be 1 to 600, got 0.5"),
        ({"precision": "half"}, "precision must be"),
        ({"start_from": None}, "start_from must be a name or a folder, got None"),
    ],
)
def test_bad_settings_are_refused_by_name(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PreferenceSettings(**values)  # type: ignore[arg-type]


def test_takes_go_on_from_the_seed_and_are_kept_as_played(
    pieces: NoteStore, tmp_path: Path
) -> None:
    model = playable(PyzzicatoModel(tiny_config(**EVENTS)).eval())
    drawn = draw_seeds(pieces, 4, 2, 3, 0)
    assert all(piece.startswith("Bach: Piece ") for piece, _ in drawn.values())
    piece, excerpt = drawn[0]
    made = play_takes(model, piece, excerpt, 3, 7)
    seed = model.representation.encode(excerpt.seed)
    assert made.n_seed == len(seed) and len(made.takes) == 3
    for steps in (made.real, *made.takes):
        # The length of a note that rings on is not the seed's alone.
        assert (steps[: len(seed), :2] == seed[:, :2]).all()
    assert len({steps.tobytes() for steps in made.takes}) == 3
    made.write(tmp_path / "0.npz")
    again = TakesOfSeed.read(tmp_path / "0.npz")
    assert (again.piece, again.n_seed, again.density) == (piece, made.n_seed, made.density)
    assert all((a == b).all() for a, b in zip(again.takes, made.takes, strict=True))
    assert np.array_equal(again.figures, made.figures, equal_nan=True)
    (tmp_path / "0.npz").write_bytes(b"PK no archive")
    with pytest.raises(ValueError, match=r"0.npz is damaged .* remove it"):
        TakesOfSeed.read(tmp_path / "0.npz")


def test_music_too_short_for_takes_is_refused(pieces: NoteStore) -> None:
    with pytest.raises(ValueError, match="no training piece lasts 70 s; choose shorter takes"):
        draw_seeds(pieces, 4, 10, 60, 0)


def test_what_is_unlike_the_composers_is_suspicious() -> None:
    rng = np.random.default_rng(0)
    nothing = np.zeros((0, 4), np.uint8)
    seeds = []
    for i in range(40):
        real, near = rng.normal(size=(2, 6))
        figures = np.stack([real, near + 0.3, near + 6.0])
        seeds.append(TakesOfSeed(f"piece {i}", 0, 0, nothing, (nothing, nothing), figures))
    scores = suspicion(seeds)
    assert [len(of_seed) for of_seed in scores] == [2] * 40
    assert np.mean([far > near for near, far in scores]) > 0.95


def test_only_what_follows_the_seed_is_counted_and_what_is_too_long_is_cut() -> None:
    batch = stack([pair(6, 9, 20), pair(8, 5, 7)], 10)
    assert batch.steps.shape == (6, 10, 4) and batch.counted.shape == (6, 9)
    # Preferred, other, composers', of each pair; of the first two steps nothing is counted.
    assert batch.counted.sum(1).tolist() == [3, 5, 6, 2, 7, 4]
    assert batch.counted[0].tolist() == [0, 0, 1, 1, 1, 0, 0, 0, 0]
    assert batch.reference.tolist() == [[20, 20], [30, 30]]


def test_the_loss_is_that_of_preference_and_of_the_composers_notes(
    new_accelerator: NewAccelerator,
) -> None:
    settings = dataclasses.replace(SHORT, strength=0.1, likelihood=0.5)
    task = PreferenceTask([pair(6, 9, 20)], settings, new_accelerator(), [])
    model = PyzzicatoModel(tiny_config(**EVENTS)).eval()
    batch = Batch(*task.batch(0, 0))
    nats = [
        model(batch.steps[i : i + 1, :-1], batch.steps[i : i + 1, 1:]).nats[0] * batch.counted[i]
        for i in range(3)
    ]
    gained = (20 - nats[0].sum()) - (30 - nats[1].sum())
    expected = math.log1p(math.exp(-0.1 * gained.item())) + 0.5 * nats[2].sum().item() / 17
    assert task.loss(model, batch).item() == pytest.approx(expected, rel=1e-5)


def test_every_weight_has_a_gradient_so_that_processes_can_learn_together(
    new_accelerator: NewAccelerator,
) -> None:
    # Of each condition nothing is said in the pairs but the density.
    options = {**EVENTS, "backbone": "attention", "n_heads": 2, "composers": ["bach"]}
    model = PyzzicatoModel(tiny_config(**options, densities=[2.0], endings=[2.0]))
    task = PreferenceTask([pair(7, 9, 8)], SHORT, new_accelerator(), [])
    task.loss(model, task.batch(0, 0)).backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None] == []


def test_all_pairs_come_before_one_comes_again(new_accelerator: NewAccelerator) -> None:
    pairs = [pair(4 + i, 5, 6) for i in range(5)]
    task = PreferenceTask(pairs, SHORT, new_accelerator(), [])
    seen = [int(task.batch(number, 0)[1][0].sum()) for number in range(10)]
    assert sorted(seen[:5]) == sorted(seen[5:]) == [1, 2, 3, 4, 5] and seen[:5] != seen[5:]


def margin(model: PyzzicatoModel, pairs: list[Pair]) -> float:
    """Returns by how many nats the preferred takes have gained on the others, on average."""
    batch = stack(pairs, 900)
    with torch.no_grad():
        nats = model(batch.steps[:, :-1], batch.steps[:, 1:], densities=batch.densities).nats
    preferred, other, _ = (nats * batch.counted).sum(1).chunk(3)
    return float(((batch.reference[0] - preferred) - (batch.reference[1] - other)).mean())


def test_what_is_preferred_becomes_likelier_and_takes_are_played_once(
    pieces: NoteStore, start: Path, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    settings = dataclasses.replace(
        SHORT, start_from=str(start), max_steps=40, strength=1, likelihood=0
    )
    losses = []

    def report(step: int, figures: dict[str, float]) -> None:
        losses.extend([figures["loss"]] if "loss" in figures else [])

    progress = prefer(pieces, settings, tmp_path / "run", new_accelerator(), report)
    assert progress.step == progress.best_step == 40 and len(losses) == 40
    files = sorted((tmp_path / "run" / "takes").glob("*.npz"))
    seeds = [TakesOfSeed.read(file) for file in files]
    begun = PyzzicatoModel.from_pretrained(start)
    pairs = make_pairs(begun, seeds, settings, new_accelerator())
    assert margin(begun, pairs) == pytest.approx(0, abs=1e-3)
    assert margin(PyzzicatoModel.from_pretrained(tmp_path / "run" / "best"), pairs) > 0.5

    played = {file: file.stat().st_mtime_ns for file in files}
    files[0].unlink()
    again = prefer(pieces, settings, tmp_path / "run", new_accelerator())
    assert again.step == 40 and files[0].exists()
    assert all(file.stat().st_mtime_ns == played[file] for file in files[1:])
    other = dataclasses.replace(settings, strength=0.5)
    with pytest.raises(ValueError, match=r"holds a run with other settings \(strength\)"):
        prefer(pieces, other, tmp_path / "run", new_accelerator())


def test_a_stage_needs_a_model_and_enough_pieces(
    pieces: NoteStore, start: Path, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    with pytest.raises(ValueError, match="start_from must name the model"):
        prefer(pieces, SHORT, tmp_path / "a", new_accelerator())
    few = dataclasses.replace(SHORT, start_from=str(start), seconds=10, seed_seconds=2)
    with pytest.raises(ValueError, match="must be of 10 different pieces at least, got "):
        prefer(pieces, few, tmp_path / "b", new_accelerator())


def test_a_recipe_ends_with_a_stage_of_it(
    pieces: NoteStore,
    start: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = {k: v for k, v in dataclasses.asdict(SHORT).items() if k not in ("start_from", "seed")}
    lines = ["[[stages]]", 'name = "first"', "[[stages]]", 'name = "preference"']
    lines += [f"{name} = {value!r}" for name, value in own.items() if name != "precision"]
    file = tmp_path / "recipe.toml"
    file.write_text("\n".join(["noise = 0.1", 'precision = "no"', "seed = 3", *lines]))
    stages = read_recipe(file, learning_rate=1e-3, crop_steps=64).stages
    expected = dataclasses.replace(SHORT, seed=3, learning_rate=1e-3)
    assert stages[1].settings == expected and stages[0].settings.learning_rate == 1e-3

    monkeypatch.setattr(train_script, "CALIBRATED_ON", 4)
    monkeypatch.setattr(train_script, "CALIBRATION_LOOKS", 1)
    recipe = read_recipe(file, start_from=str(start), max_steps=2)
    assert len(recipe.stages) == 1
    config = train_script.TrainConfig(tmp_path / "data", tmp_path / "run", recipe, report_to="none")
    train_script.main(config)
    model = load_model(str(tmp_path / "run" / "best"))
    assert set(model.decoding.top_a) == {"pitch", "duration", "velocity"}
    assert model.decoding == load_model(str(start)).decoding
    # What is made is not made again.
    record = tmp_path / "run" / "best" / "training.json"
    made = record.stat().st_mtime_ns
    train_script.main(config)
    assert record.stat().st_mtime_ns == made
