"""The piano-roll benchmarks on tiny .mat files: reading, batches, training, protocol, table."""

import json
import runpy
import sys
from collections.abc import Callable
from math import log
from pathlib import Path

import evaluate_polyphonic as script
import numpy as np
import pytest
import scipy.io
import torch
from accelerate import Accelerator
from conftest import ROOT, tiny_config

from pyzzicato.evaluation.likelihood import baseline_nats
from pyzzicato.evaluation.polyphonic import FILES, PUBLISHED, read_benchmark
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training.averaging import WeightAverage
from pyzzicato.training.progress import Progress
from pyzzicato.training.sequence_settings import SequenceSettings, read_sequence_settings
from pyzzicato.training.sequence_task import learn_sequences, learning_rate
from pyzzicato.training.sequences import SequenceBatches

NewAccelerator = Callable[..., Accelerator]
TINY = {"hidden_size": 6, "dense_size": 6, "n_layers": 1, "kernel_size": 2, "dropout": 0.2}


def piece(n_frames: int, first: int = 30) -> np.ndarray:
    """Returns a scale over a held bass; each frame differs from the others."""
    frames = np.zeros((n_frames, 88), dtype=np.uint8)
    frames[:, 20] = 1
    frames[np.arange(n_frames), first + np.arange(n_frames) % 20] = 1
    return frames


def write_mat(path: Path, **splits: list[np.ndarray]) -> None:
    """Writes lists of rolls the way the benchmark files hold them: one cell a piece."""
    cells = {}
    for name, pieces in splits.items():
        cells[name] = np.empty((1, len(pieces)), dtype=object)
        for i, roll in enumerate(pieces):
            cells[name][0, i] = roll
    scipy.io.savemat(path, cells)


@pytest.fixture
def mats(tmp_path: Path) -> Path:
    """Returns a folder with a tiny JSB_Chorales.mat."""
    write_mat(
        tmp_path / "JSB_Chorales.mat",
        traindata=[piece(12), piece(30, 33), piece(7, 35), piece(2)],
        validdata=[piece(9), piece(14, 31)],
        testdata=[piece(11), piece(5, 32)],
    )
    return tmp_path


def quick(**choices: object) -> SequenceSettings:
    """Returns a run of a few seconds; `choices` override."""
    settings = {
        "model": {**TINY, "backbone": "lstm", "head": "independent"},
        "max_steps": 12,
        "batch_frames": 24,
        "crop_frames": 8,
        "learning_rate": 1e-2,
        "warmup_steps": 2,
        "eval_every": 4,
    }
    return SequenceSettings(**{**settings, **choices})


# Reading.


def test_read_benchmark(mats: Path) -> None:
    read = read_benchmark(mats, "jsb")
    assert [len(roll) for roll in read.train] == [12, 30, 7, 2]
    assert [len(roll) for roll in read.validation] == [9, 14]
    assert np.array_equal(read.test[1], piece(5, 32))
    assert read.test[1].dtype == np.uint8


def test_floating_zeros_and_ones_are_read_too(tmp_path: Path) -> None:
    rolls = [piece(4).astype(float)]
    write_mat(tmp_path / "Nottingham.mat", traindata=rolls, validdata=rolls, testdata=rolls)
    assert np.array_equal(read_benchmark(tmp_path, "nottingham").train[0], piece(4))


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ({"testdata": [piece(4)[:, :80]]}, r"testdata\[0\] in Piano_midi.mat .* \(4, 80\)"),
        ({"testdata": [piece(4), piece(1)]}, r"testdata\[1\] .*two rows or more.*\(1, 88\)"),
        ({"validdata": [3 * piece(4)]}, "zeros and ones, got 0 to 3"),
        ({"traindata": []}, "traindata in Piano_midi.mat must be a list of rolls"),
    ],
)
def test_bad_rolls_are_refused(
    tmp_path: Path, spoilt: dict[str, list[np.ndarray]], message: str
) -> None:
    good = {name: [piece(4)] for name in ("traindata", "validdata", "testdata")}
    write_mat(tmp_path / "Piano_midi.mat", **{**good, **spoilt})
    with pytest.raises(ValueError, match=message):
        read_benchmark(tmp_path, "piano")


def test_bad_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="dataset must be one of jsb.*got 'bach'"):
        read_benchmark(tmp_path, "bach")
    with pytest.raises(ValueError, match="must hold MuseData.mat"):
        read_benchmark(tmp_path, "muse")
    (tmp_path / "MuseData.mat").write_bytes(b"no numbers at all" * 20)
    with pytest.raises(ValueError, match="MuseData.mat is not a readable .mat file"):
        read_benchmark(tmp_path, "muse")
    write_mat(tmp_path / "MuseData.mat", traindata=[piece(4)])
    with pytest.raises(ValueError, match="must hold validdata, got traindata"):
        read_benchmark(tmp_path, "muse")


# Batches.


def scored(batches: SequenceBatches, n_steps: int) -> list[bytes]:
    """Returns the scored targets of some steps, in the order of their bytes."""
    rows = []
    for step in range(n_steps):
        frames, mask = batches.batch(step)
        rows += [row.numpy().tobytes() for row in frames[:, 1:][mask]]
    return sorted(rows)


def steps_an_epoch(pieces: list[np.ndarray], settings: SequenceSettings) -> int:
    """Returns after how many steps all targets have been scored once."""
    batches, n_targets, step = SequenceBatches(pieces, settings), 0, 0
    while n_targets < sum(len(p) - 1 for p in pieces):
        n_targets += int(batches.batch(step)[1].sum())
        step += 1
    return step


def test_an_epoch_scores_each_frame_but_the_first_once() -> None:
    pieces = [piece(12), piece(30, 33), piece(7, 35), piece(2)]
    settings = quick(transpose=0)
    n_steps = steps_an_epoch(pieces, settings)
    expected = sorted(frame.tobytes() for roll in pieces for frame in roll[1:])
    assert scored(SequenceBatches(pieces, settings), n_steps) == expected


def test_batches_are_no_larger_than_asked_and_padded_with_silence() -> None:
    batches = SequenceBatches([piece(12), piece(30, 33), piece(7, 35), piece(2)], quick())
    for step in range(20):
        frames, mask = batches.batch(step)
        assert frames.shape[:2] == (mask.shape[0], mask.shape[1] + 1)
        assert mask.numel() <= 24 and mask.shape[1] <= 8
        assert mask[:, 0].all() and not frames[:, 1:][~mask].any()


def test_batches_depend_on_seed_and_step_alone() -> None:
    pieces = [piece(12), piece(30, 33)]
    there, again = SequenceBatches(pieces, quick()), SequenceBatches(pieces, quick())
    forward = [there.batch(step)[0] for step in range(12)]
    for step in reversed(range(12)):
        assert torch.equal(again.batch(step)[0], forward[step])
    other = SequenceBatches(pieces, quick(seed=1))
    assert any(not torch.equal(other.batch(i)[0], forward[i]) for i in range(12))


def test_parts_are_transposed_as_a_whole() -> None:
    seen = set()
    for step in range(40):
        frames, mask = SequenceBatches([piece(6)], quick(transpose=3)).batch(step)
        keys = torch.nonzero(frames[0])
        lowest = keys[:, 1].min()
        seen.add(int(lowest) - 20)
        assert torch.equal(frames[0].roll(20 - int(lowest), dims=1), torch.from_numpy(piece(6)))
        assert mask.all()
    assert seen == set(range(-3, 4))


def test_a_share_of_the_parts_is_transposed() -> None:
    settings = quick(transpose=3, transpose_share=0.5)
    batches = SequenceBatches([piece(6)], settings)
    kept = [bool(batches.batch(step)[0][0, 0, 20]) for step in range(200)]
    # Half are not moved at all, and of the moved ones one in seven is moved by nothing.
    assert np.mean(kept) == pytest.approx(0.5 + 0.5 / 7, abs=0.1)


def test_nothing_to_train_on_is_refused() -> None:
    with pytest.raises(ValueError, match="must have two frames"):
        SequenceBatches([piece(1)], quick())


# Settings.


def test_recipes_hold_a_valid_run_for_each_dataset_and_backbone() -> None:
    for dataset in FILES:
        recipe = ROOT / "train" / "recipes" / "polyphonic" / f"{dataset}.toml"
        for backbone in ("conv1d", "wavenet", "lstm"):
            settings = read_sequence_settings(recipe, backbone, "independent", seed=5)
            assert settings.seed == 5
            model = PyzzicatoModel(tiny_config(**{**settings.model, **TINY}))
            assert model.config.backbone == backbone


def test_tables_go_on_top_of_the_file_and_the_hand_on_top_of_both(tmp_path: Path) -> None:
    recipe = tmp_path / "p.toml"
    recipe.write_text("transpose = 1\ndropout = 0.1\n[lstm]\ntranspose = 2\nhidden_size = 7\n")
    read = read_sequence_settings(recipe, "lstm", "independent", dropout=0.3, seed=None)
    assert (read.transpose, read.seed) == (2, 0)
    assert read.model == {
        "backbone": "lstm",
        "head": "independent",
        "hidden_size": 7,
        "dropout": 0.3,
    }
    assert read_sequence_settings(recipe, "conv1d", "independent").transpose == 1


def test_bad_settings_are_refused(tmp_path: Path) -> None:
    for choice, message in (
        ({"batch_frames": 0}, "batch_frames must be a whole number from 1 to 2147483647, got 0"),
        ({"max_minutes": 0}, "max_minutes must be a number above 0"),
        ({"transpose": 12}, "transpose must be a whole number from 0 to 11, got 12"),
        ({"transpose_share": 1.5}, "transpose_share must be 0 to 1, got 1.5"),
        ({"averaging": 1.0}, "averaging must be 0 to below 1"),
        ({"rate_decay": 0.0}, "rate_decay must be above 0 to 1, got 0.0"),
    ):
        with pytest.raises(ValueError, match=message):
            quick(**choice)
    (tmp_path / "p.toml").write_text("[lstn]\nhidden_size = 7\n")
    with pytest.raises(ValueError, match=r"unknown table \[lstn\]"):
        read_sequence_settings(tmp_path / "p.toml", "lstm", "independent")
    with pytest.raises(ValueError, match="absent.toml cannot be read"):
        read_sequence_settings(tmp_path / "absent.toml", "lstm", "independent")


# Training.


def test_average_of_weights_by_hand(model: PyzzicatoModel) -> None:
    average = WeightAverage(model, decay=0.5)
    weight, mean = model.head.out.bias, average.model.head.out.bias
    with torch.no_grad():
        weight.fill_(1.0)
        mean.fill_(0.0)
    average.update(model, 1)  # keeps 1/11 of itself, then 2/12
    assert mean[0] == pytest.approx(10 / 11)
    average.update(model, 2)
    assert mean[0] == pytest.approx(10 / 11 * 2 / 12 + 10 / 12)
    with torch.no_grad():
        mean.fill_(0.0)
    average.update(model, 1000)
    assert mean[0] == pytest.approx(0.5)


def run(
    out: Path, settings: SequenceSettings, new_accelerator: NewAccelerator
) -> tuple[list[float], PyzzicatoModel]:
    """Returns the losses of a run in the folder, and its best model."""
    model = script.build_model(settings, [piece(12)])
    losses: list[float] = []
    learn_sequences(
        model,
        [piece(12), piece(30, 33), piece(7, 35)],
        settings,
        out,
        lambda averaged: script.model_nats(averaged, [piece(10, 31)]),
        new_accelerator(settings.precision),
        lambda _, figures: losses.append(figures["loss"]) if "loss" in figures else None,
    )
    return losses, PyzzicatoModel.from_pretrained(out / "best")


def test_a_resumed_run_is_the_run_that_was_not_stopped(
    tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    whole, best = run(tmp_path / "whole", quick(), new_accelerator)
    first, _ = run(tmp_path / "parts", quick(max_steps=6), new_accelerator)
    second, resumed = run(tmp_path / "parts", quick(), new_accelerator)
    assert len(first) == 6 and first + second == whole
    for a, b in zip(best.parameters(), resumed.parameters(), strict=True):
        assert torch.equal(a, b)


def test_in_bf16_losses_are_about_the_same(tmp_path: Path, new_accelerator: NewAccelerator) -> None:
    # Not an LSTM, of which some processors have none in bfloat16.
    model = {**TINY, "backbone": "conv1d", "head": "joint", "dropout": 0.0}
    plain, half = (
        run(tmp_path / precision, quick(model=model, precision=precision), new_accelerator)[0]
        for precision in ("no", "bf16")
    )
    assert half != plain
    assert half == pytest.approx(plain, rel=0.03)


def test_training_learns_and_beats_the_markov_model(
    tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    """Each frame of a scale follows from the one before, but never from one key alone."""
    model = {**TINY, "hidden_size": 24, "dense_size": 24, "backbone": "lstm", "dropout": 0.0}
    settings = quick(
        model={**model, "head": "independent"},
        max_steps=80,
        eval_every=40,
        transpose=0,
        batch_frames=128,
        crop_frames=40,
    )
    training, held_out = [piece(60), piece(50, 30)], [piece(40)]
    network = script.build_model(settings, training)
    markov = float(baseline_nats(training)["markov"](held_out[0]).mean())
    before = script.model_nats(network, held_out)
    progress = learn_sequences(
        network,
        training,
        settings,
        tmp_path,
        lambda m: script.model_nats(m, held_out),
        new_accelerator(),
    )
    assert before == pytest.approx(markov, rel=0.1)
    assert progress.best_loss < 0.5 * markov


def test_a_run_ends_when_time_or_patience_does(
    tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    # Nothing is timed here: the limit is shorter than any step.
    assert len(run(tmp_path / "time", quick(max_minutes=1e-9), new_accelerator)[0]) == 1
    tired = quick(patience=2, max_steps=100)
    model = script.build_model(tired, [piece(12)])
    losses = iter([3.0, 2.0, 2.5, 2.5, 1.0])
    progress = learn_sequences(
        model, [piece(12)], tired, tmp_path / "patience", lambda _: next(losses), new_accelerator()
    )
    assert (progress.step, progress.best_step, progress.best_loss) == (16, 8, 2.0)


# Protocol and table.


def test_baselines_by_hand(tmp_path: Path) -> None:
    """Two keys matter: 10 always sounds; 11 alternates. All others are silent."""
    training = np.zeros((5, 88), dtype=np.uint8)
    training[:, 10] = 1
    training[[0, 2, 4], 11] = 1
    test = training[:3]
    rolls = {"traindata": [training], "validdata": [training], "testdata": [test, test]}
    write_mat(tmp_path / "MuseData.mat", **rolls)
    found = script.baselines(read_benchmark(tmp_path, "muse"))
    # Shares, each count plus one: (5+1)/(5+2), (3+1)/7, others 1/7. Frames 2 and 3 are scored.
    frequency = -2 * log(6 / 7) - log(4 / 7) - log(3 / 7) - 2 * 86 * log(6 / 7)
    assert found["frequency"] == pytest.approx(frequency / 2)
    # Key 10 stays 4 of 4; key 11 stops 2 of 2 and starts 2 of 2; others never start in 4.
    markov = -2 * log(5 / 6) - 2 * log(3 / 4) - 2 * 86 * log(5 / 6)
    assert found["markov"] == pytest.approx(markov / 2)


def test_model_nats_is_total_loss_over_total_frames() -> None:
    model = PyzzicatoModel(tiny_config(backbone="wavenet")).eval()
    pieces = [piece(40), piece(3, 35), piece(9, 50)]
    total, n_frames = 0.0, 0
    for roll in pieces:
        frames = torch.from_numpy(roll)[None]
        with torch.no_grad():
            n_targets = len(roll) - 1
            total += float(model(frames[:, :-1], frames[:, 1:]).loss) * n_targets
        n_frames += n_targets
    assert script.model_nats(model, pieces) == pytest.approx(total / n_frames, rel=1e-5)


def test_published_rows_know_their_datasets() -> None:
    for row in PUBLISHED:
        assert set(row.nats_a_frame) <= set(FILES) and row.source.count("arXiv") == 1


@pytest.mark.parametrize("backbone", ["conv1d", "wavenet", "lstm"])
def test_the_script_trains_tests_and_compares(
    mats: Path, backbone: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, out = mats / "tiny.toml", mats / "run"
    values = {**TINY, "batch_frames": 64, "eval_every": 2}
    recipe.write_text("".join(f"{name} = {value}\n" for name, value in values.items()))
    found = f"--data-dir {mats} --dataset jsb --model {backbone} --recipe {recipe} --out {out}"
    monkeypatch.setattr(sys, "argv", ["script", *found.split(), "--max-steps", "5"])
    script.main(script.parse_args())
    printed = capsys.readouterr().out
    result = json.loads((out / "result.json").read_text())
    assert f"| **{backbone}** | independent | this run" in printed
    assert f"| {result['test']:.2f} |" in printed
    assert "| TCN | independent | Bai et al. 2018, arXiv:1803.01271 | 8.10 |" in printed
    assert "Chung" in printed and "RNN-NADE" in printed and "RNN-RBM" in printed
    best = PyzzicatoModel.from_pretrained(out / "best")
    benchmark = read_benchmark(mats, "jsb")
    assert result["test"] == pytest.approx(script.model_nats(best, benchmark.test))
    assert result["validation"] == pytest.approx(script.model_nats(best, benchmark.validation))
    assert result["validation"] == min(look["validation"] for look in result["curve"])
    assert [look["step"] for look in result["curve"]] == [2, 4, 5]
    assert result["n_parameters"] == best.num_parameters()


def test_a_folder_keeps_to_one_run(tmp_path: Path, new_accelerator: NewAccelerator) -> None:
    run(tmp_path, quick(transpose=3, max_steps=1), new_accelerator)
    run(tmp_path, quick(transpose=3, max_steps=2), new_accelerator)
    with pytest.raises(ValueError, match=r"holds a run with other settings \(transpose\)"):
        run(tmp_path, quick(transpose=4, max_steps=2), new_accelerator)


def test_an_error_is_one_line_at_the_shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = f"script --data-dir {tmp_path} --dataset jsb --model lstm"
    monkeypatch.setattr(sys, "argv", found.split())
    with pytest.raises(SystemExit, match="error: data folder must hold JSB_Chorales.mat"):
        runpy.run_path(script.__file__, run_name="__main__")


def test_the_rate_falls_after_looks_in_vain() -> None:
    settings = quick(learning_rate=1e-3, warmup_steps=10, rate_decay=0.5)
    progress = Progress(step=4)
    assert learning_rate(progress, settings) == pytest.approx(0.5e-3)
    progress.step = 100
    expected = 1e-3
    for loss, gain in [(3.0, True), (2.0, True), (2.5, False), (1.0, True), (1.0, False)]:
        progress.curve.append({"validation": loss})
        expected *= 1 if gain else 0.5
        assert learning_rate(progress, settings) == pytest.approx(expected)
    assert learning_rate(progress, quick(learning_rate=1e-3)) == pytest.approx(1e-3)
