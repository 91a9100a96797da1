"""The scripts of train/: data preparation, training and measuring, run as a user would."""

import dataclasses
import json
import runpy
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import measure_memory
import prepare_data
import pytest
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from conftest import ABSENT, BROKEN, ROOT, run_script, tiny_settings, tune

from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.representations import representation_of
from pyzzicato.training.batches import CropSampler
from pyzzicato.training.catalogue import MAESTRO_LICENCE
from pyzzicato.training.held_out import middle_crops
from pyzzicato.training.loop import train, validation_loss
from pyzzicato.training.optimizers import learning_rate
from pyzzicato.training.recipes import read_recipe
from pyzzicato.training.store import NoteStore
from pyzzicato.training.train_settings import TrainSettings

NewAccelerator = Callable[..., Accelerator]
TRAIN = ROOT / "train" / "train.py"


def preparation(maestro: Path, **choices: Any) -> prepare_data.PrepareConfig:
    """Returns a preparation of everything on one process; `choices` override."""
    plain = prepare_data.PrepareConfig(
        data_dir=maestro,
        out=None,
        explore=None,
        composers=None,
        sources=None,
        splits=("train", "validation", "test"),
        sustain="extend",
        limit=None,
        download=False,
        processes=1,
    )
    return dataclasses.replace(plain, **choices)


def write_recipe(folder: Path, settings: TrainSettings) -> Path:
    """Writes settings as a recipe and returns its path."""
    table = settings.as_dict()
    model = table.pop("model")
    lines = [f"{name} = {json.dumps(value)}" for name, value in table.items()]
    lines += ["[model]", *(f"{name} = {json.dumps(value)}" for name, value in model.items())]
    path = folder / "tiny.toml"
    path.write_text("\n".join(lines))
    assert [stage.settings for stage in read_recipe(path).stages] == [settings]
    return path


def test_prepared_pieces_are_the_notes_of_the_files(
    maestro: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_data.main(preparation(maestro, out=tmp_path))
    store = NoteStore(tmp_path)
    assert (store.sustain, store.data, store.licence) == ("extend", "MAESTRO", MAESTRO_LICENCE)
    paths = [piece.path for piece in store.pieces]
    assert len(paths) == 7
    assert ABSENT not in paths and BROKEN not in paths
    for piece, semitones in zip(store.pieces, (0, 1, 2, -3, -5, 5, 7), strict=True):
        notes = store.notes(piece)
        assert len(notes) == piece.length == 50
        for note, played in zip(notes, tune(10, semitones), strict=True):
            assert (note.pitch, note.velocity) == (played.pitch, played.velocity)
            assert (note.start, note.end) == pytest.approx((played.start, played.end), abs=2e-3)
    # The mislabelled piece went in as Chopin's.
    assert [piece.composer for piece in store.of_split("train")].count("Frédéric Chopin") == 2
    printed = capsys.readouterr().out
    assert "7 pieces, 350 notes, 0.0 h" in printed
    assert "skipped: 1 absent, 1 broken" in printed
    skipped = json.loads((tmp_path / "skipped.json").read_text())
    assert [path for path, _ in skipped] == [ABSENT, BROKEN]
    assert skipped[0][1] == "absent"
    assert "broken.midi" in skipped[1][1]


def test_composers_splits_and_limit_choose_the_pieces(maestro: Path, tmp_path: Path) -> None:
    chosen = preparation(
        maestro, out=tmp_path, composers=("bach", "chopin"), splits=("train",), limit=3
    )
    prepare_data.main(chosen)
    assert [piece.path for piece in NoteStore(tmp_path).pieces] == [
        "2004/bach1.midi",
        "2004/bach2.midi",
        "2006/chopin1.midi",
    ]


def test_a_collection_joins_maestro(maestro: Path, collection: Path, tmp_path: Path) -> None:
    prepare_data.main(
        preparation(maestro, out=tmp_path, extra_dir=collection, sources=("rolls", "scores"))
    )
    store = NoteStore(tmp_path)
    assert len(store.pieces) == 7 + 2
    assert store.data == "MAESTRO, rolls, scores"
    assert store.licence == f"CC BY 4.0, {MAESTRO_LICENCE}, Public Domain"
    assert [piece.title for piece in store.pieces[-2:]] == ["Vexation", "Étude"]
    assert [len(store.notes(piece)) for piece in store.pieces[-2:]] == [50, 50]


def test_nothing_readable_is_refused_and_leaves_the_store_before(
    maestro: Path, tmp_path: Path
) -> None:
    prepare_data.main(preparation(maestro, out=tmp_path, composers=("bach",)))
    with pytest.raises(ValueError, match=r"none of the 2 chosen pieces could be read \(1 absent"):
        prepare_data.main(preparation(maestro, out=tmp_path, composers=("debussy",)))
    assert len(NoteStore(tmp_path).pieces) == 3


def test_explore_draws_and_lists_the_composers(
    maestro: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare_data.main(preparation(maestro, explore=tmp_path / "reports"))
    # Every row counts, also those whose file is absent or broken; labels are corrected first.
    table = (tmp_path / "reports" / "composers.md").read_text(encoding="utf-8")
    assert table.splitlines()[2:] == [
        "| Frédéric Chopin | 4 | 4 |",
        "| Johann Sebastian Bach | 3 | 2 |",
        "| Claude Debussy | 2 | 2 |",
    ]
    picture = (tmp_path / "reports" / "composers.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert table in printed
    assert "9 performances in all" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "name --out, --explore or both"),
        (["--out", "x", "--limit", "0"], "must be 1 or more, got 0"),
        (["--out", "x", "--sustain", "maybe"], "invalid choice: 'maybe'"),
        (["--out", "x", "--extra-dir", "y"], "--extra-dir takes --sources"),
    ],
)
def test_bad_arguments_are_refused(
    maestro: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setattr(sys, "argv", ["prepare_data.py", "--data-dir", str(maestro), *arguments])
    with pytest.raises(SystemExit):
        prepare_data.parse_args()
    assert words in capsys.readouterr().err


# The real script, which kills its own process for good after update 7.
KILLED_RUN = """
import os, signal, sys
sys.path.insert(0, sys.argv.pop(1))
import train

class Bar(train.ProgressBar):
    def __call__(self, step, figures):
        super().__call__(step, figures)
        if step == 7:
            os.kill(os.getpid(), signal.SIGKILL)

train.ProgressBar = Bar
train.main(train.parse_args())
"""


def test_prepare_train_kill_and_resume_from_the_shell(
    maestro: Path, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    data, out = tmp_path / "notes", tmp_path / "run"
    prepare = [sys.executable, ROOT / "train" / "prepare_data.py", "--data-dir", maestro]
    done = run_script(*prepare, "--out", data, "--processes", 2)
    assert done.returncode == 0, done.stderr
    assert "skipped: 1 absent, 1 broken" in done.stdout

    recipe = write_recipe(tmp_path, tiny_settings())
    arguments = [recipe, "--data", data, "--out", out]
    killed = run_script(sys.executable, "-c", KILLED_RUN, ROOT / "train", *arguments)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (out / "best" / "training.json").exists()
    resumed = run_script(sys.executable, TRAIN, *arguments)
    assert resumed.returncode == 0, resumed.stderr
    assert "best validation loss" in resumed.stdout
    assert "nats a frame at step" in resumed.stdout
    assert "copy the last frame" in resumed.stdout
    assert "steps/s" in resumed.stderr

    record = json.loads((out / "best" / "training.json").read_text(encoding="utf-8"))
    whole = train(NoteStore(data), tiny_settings(), tmp_path / "whole", new_accelerator())
    assert [look["step"] for look in record["curve"]] == [4, 8, 12]
    for look, expected in zip(record["curve"], whole.curve, strict=True):
        for name in ("step", "training", "validation"):
            assert look[name] == pytest.approx(expected[name], rel=1e-6)
    assert record["command"].endswith(f"--data {data} --out {out}")
    assert record["hardware"]["processes"] == 1
    names = {file.name for file in (out / "best").iterdir()}
    assert names >= {"config.json", "model.safetensors", "training.json"}
    assert list((out / "log").rglob("events.out.tfevents.*"))


def two_process_curve(store: NoteStore, settings: TrainSettings) -> list[float]:
    """Returns the validation losses of a run whose updates average two processes' gradients."""
    set_seed(settings.seed)
    config = settings.model_config(store.sustain)
    model = PyzzicatoModel(config)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=settings.weight_decay)
    steps = representation_of(config)
    sampler = CropSampler(store, store.of_split("train"), steps, settings)
    crops = middle_crops(store, store.of_split("validation"), steps, settings.eval_steps)
    losses = []
    for step in range(settings.max_steps):
        optimizer.param_groups[0]["lr"] = learning_rate(step, settings)
        model.train()
        batches = [sampler.batch(step, process) for process in range(2)]
        loss = sum(model(*batch).loss for batch in batches) / 2
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), settings.clip_norm)
        optimizer.step()
        if (step + 1) % settings.eval_every == 0:
            losses.append(validation_loss(model, crops, Accelerator(cpu=True)))
    return losses


def test_two_processes_average_over_both_their_crops(
    store_folder: Path, tmp_path: Path, new_accelerator: NewAccelerator
) -> None:
    # Without dropout, for which each process has random numbers of its own. Fast, so that updates
    # on one process's crops alone would go another way.
    model = {"backbone": "lstm", "hidden_size": 8, "dense_size": 8}
    settings = tiny_settings(model=model, max_steps=8, learning_rate=0.1)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    launch += ["--local_addr", "127.0.0.1", "--nproc_per_node", "2"]
    recipe = write_recipe(tmp_path, settings)
    done = run_script(*launch, TRAIN, recipe, "--data", store_folder, "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "run" / "best" / "training.json").read_text(encoding="utf-8"))
    assert record["hardware"]["processes"] == 2
    assert record["steps_seen"] == 8 * 2 * 32 * 2

    new_accelerator()
    expected = two_process_curve(NoteStore(store_folder), settings)
    validation = [look["validation"] for look in record["curve"]]
    assert validation == pytest.approx(expected, rel=1e-4)
    alone = train(NoteStore(store_folder), settings, tmp_path / "alone", new_accelerator())
    more = dataclasses.replace(settings, max_steps=9)
    with pytest.raises(ValueError, match="begun by 2 processes and must go on with as many, got 1"):
        train(NoteStore(store_folder), more, tmp_path / "run", new_accelerator())
    assert validation != pytest.approx([look["validation"] for look in alone.curve], rel=1e-3)


@pytest.mark.parametrize(
    ("script", "arguments", "words"),
    [
        ("train.py", ["tiny.toml", "--data", "none", "--out", "run"], "prepare_data.py first"),
        ("train.py", ["none.toml", "--data", "none", "--out", "run"], "none.toml cannot be read"),
        ("prepare_data.py", ["--data-dir", ".", "--out", "notes"], "must hold maestro-v2.0.0.csv"),
        ("measure_memory.py", ["tiny.toml", "--data", "none"], "prepare_data.py first"),
    ],
)
def test_scripts_say_what_is_wrong_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, arguments: list[str], words: str
) -> None:
    write_recipe(tmp_path, tiny_settings())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", [script, *arguments])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(ROOT / "train" / script), run_name="__main__")
    message = str(left.value)
    assert message.startswith("error: ") and words in message
    assert "\n" not in message
    assert [path.name for path in tmp_path.iterdir()] == ["tiny.toml"]


def test_a_smaller_store_holds_the_first_pieces(store: NoteStore, tmp_path: Path) -> None:
    smaller = NoteStore(measure_memory.write_smaller_store(store, tmp_path, 2))
    assert [piece.title for piece in smaller.pieces] == ["Piece 0", "Piece 1", "Piece 3"]
    facts = (smaller.sustain, smaller.data, smaller.licence)
    assert facts == (store.sustain, store.data, store.licence)
    for piece, original in zip(smaller.pieces, (0, 1, 3), strict=True):
        assert smaller.notes(piece) == store.notes(store.pieces[original])
    for n in (0, 5):
        with pytest.raises(ValueError, match=f"pieces must be 1 to 4 .* got {n}"):
            measure_memory.write_smaller_store(store, tmp_path, n)


def test_peaks_are_those_of_each_command(tmp_path: Path) -> None:
    # Started from a small process, as the script is: a child's peak begins with its parent's.
    code = """
import sys
sys.path[:0] = [sys.argv[1]]
from measure_memory import peak_bytes
large, small = (
    peak_bytes([sys.executable, "-c", f"bytearray({n} * 2**20)"]) for n in (400, 100)
)
print(large / 2**20, small / 2**20, "torch" in sys.modules)
"""
    done = run_script(sys.executable, "-c", code, ROOT / "train")
    assert done.returncode == 0, done.stderr
    large, small, torch_imported = done.stdout.split()
    assert 400 < float(large) < 500
    assert 100 < float(small) < 200
    assert torch_imported == "False"


def test_a_failed_command_is_reported() -> None:
    with pytest.raises(ValueError, match=r"(?s)failed:.*ZeroDivisionError"):
        measure_memory.peak_bytes([sys.executable, "-c", "1 / 0"])
