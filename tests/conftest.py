"""Shared by all tests: tiny models, a tiny tune, and a tiny MAESTRO built from bytes.

Nothing here needs a network or a file from outside the repository.
"""

import csv
import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

# Read when the Hub's client is imported: no test asks the real Hub for anything.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_XET"] = "1"
# Nor does it find the models that whoever runs it has made.
os.environ["PYZZICATO_MODELS"] = os.devnull

ROOT = Path(__file__).resolve().parents[1]


def _code_of_models() -> str:
    """Returns a hash of all that says what a network's graph is."""
    code = sorted((ROOT / "pyzzicato" / "models").glob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in code)).hexdigest()[:12]


# Graphs that are exported in tests are kept here, from run to run, while that code stays.
os.environ["HF_HOME"] = str(ROOT / ".pytest_cache" / f"models-{_code_of_models()}")

import pytest  # noqa: E402
import torch  # noqa: E402
from accelerate import Accelerator  # noqa: E402
from accelerate.state import AcceleratorState  # noqa: E402

# The scripts of train/ are imported by name, as Python itself would when it runs them.
sys.path[:0] = [str(ROOT), str(ROOT / "train")]

from hub_double import HubDouble  # noqa: E402
from huggingface_hub import constants  # noqa: E402

from pyzzicato.hub.downloads import forget_silence  # noqa: E402
from pyzzicato.midi import midi_bytes  # noqa: E402
from pyzzicato.models.config import PyzzicatoConfig  # noqa: E402
from pyzzicato.models.model import PyzzicatoModel  # noqa: E402
from pyzzicato.notes import Note, end_of, transpose_notes  # noqa: E402
from pyzzicato.training.store import NoteStore, StoreWriter, pack_notes  # noqa: E402
from pyzzicato.training.train_settings import TrainSettings  # noqa: E402

CATALOGUE_COLUMNS = (
    "canonical_composer,canonical_title,split,year,midi_filename,audio_filename,duration"
)
MISLABELLED = "2015/MIDI-Unprocessed_R1_D1-1-8_mid--AUDIO-from_mp3_02_R1_2015_wav--3.midi"
"""MAESTRO calls this Debussy; it is Chopin."""
ABSENT = "2004/absent.midi"
BROKEN = "2004/broken.midi"

# One thread: two would spin against each other on matrices as small as these.
torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Draws the same random weights in a test whether it runs alone or in company."""
    random.seed(0)
    torch.manual_seed(0)


def tune(seconds: float = 10.0, semitones: int = 0) -> list[Note]:
    """Returns a broken chord over a held bass, on the grid of frames, with varied velocities."""
    notes = [
        Note(60 + (0, 4, 7, 12)[i % 4], i * 0.25, i * 0.25 + 0.2, 50 + 7 * (i % 5))
        for i in range(int(seconds * 4))
    ]
    notes += [Note(36 + i % 2, float(i), i + 0.9, 70) for i in range(int(seconds))]
    return transpose_notes(notes, semitones)


def tiny_config(**choices: object) -> PyzzicatoConfig:
    """Returns the config of a debug model of a few thousand weights; `choices` override."""
    tiny = {"hidden_size": 8, "dense_size": 8, "n_layers": 2, "kernel_size": 3}
    tiny |= {"embedding_size": 8, "head_size": 4}
    return PyzzicatoConfig(**{**tiny, **choices})


def tiny_settings(**choices: object) -> TrainSettings:
    """Returns a run of a few seconds; `choices` override."""
    quick = TrainSettings(
        model={"backbone": "lstm", "hidden_size": 8, "dense_size": 8, "dropout": 0.2},
        max_steps=12,
        batch_size=2,
        crop_steps=32,
        learning_rate=1e-2,
        warmup_steps=2,
        transpose=2,
        eval_every=4,
        eval_steps=40,
    )
    return replace(quick, **choices)  # type: ignore[arg-type]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubDouble]:
    """Returns an empty Hub on 127.0.0.1 that the real clients of this process talk to."""
    with HubDouble(tmp_path / "hub") as double:
        monkeypatch.setattr(constants, "ENDPOINT", double.url)
        template = double.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "any")
        monkeypatch.setenv("PYZZICATO_REGISTRY", str(tmp_path / "registry.json"))
        monkeypatch.setattr(constants, "HF_ASSETS_CACHE", str(tmp_path / "assets"))
        yield double
    forget_silence()


@pytest.fixture
def dataset_hub(
    hub: HubDouble, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[HubDouble]:
    """Returns the same, and lets the client of data sets talk to it too."""
    # Imported here: few tests need it, and it takes seconds.
    from datasets import config
    from huggingface_hub import HfFileSystem

    monkeypatch.setattr(config, "HF_ENDPOINT", hub.url)
    monkeypatch.setattr(config, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(config, "HF_MODULES_CACHE", tmp_path / "modules")
    monkeypatch.setattr(config, "HF_DATASETS_CACHE", tmp_path / "datasets")
    HfFileSystem.clear_instance_cache()
    yield hub
    HfFileSystem.clear_instance_cache()


def hub_environment(double: HubDouble, cache: Path) -> dict[str, str]:
    """Returns the environment of a fresh process with a fresh cache that talks to a double."""
    return {
        **os.environ,
        "HF_ENDPOINT": double.url,
        "HF_HUB_OFFLINE": "0",
        "HF_HUB_DISABLE_XET": "1",
        "HF_HOME": str(cache),
        "HF_TOKEN": "any",
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": "",
    }


@pytest.fixture
def model() -> PyzzicatoModel:
    """Returns an untrained debug network; it plays about four keys at random in each frame."""
    return PyzzicatoModel(tiny_config(backbone="lstm")).eval()


@pytest.fixture(scope="session")
def collection(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder of two collections, rolls and scores, described by their manifest.csv."""
    folder = tmp_path_factory.mktemp("collection")
    rows = [
        "path,source,licence,composer,title,leak_safe_split,duration_s",
        "rolls/a.mid,rolls,CC BY 4.0,Erik Satie,Vexation,train,5.0",
        "rolls/b.mid,rolls,CC BY 4.0,Frédéric Chopin,Waltz,validation,5.0",
        "scores/c.mid,scores,Public Domain,Frédéric Chopin,Étude,train,5.0",
    ]
    for i, row in enumerate(rows[1:]):
        path = folder / row.split(",")[0]
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(midi_bytes(tune(10, i)))
    (folder / "manifest.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def maestro(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a folder in MAESTRO's layout: nine rows, one file absent, one broken."""
    folder = tmp_path_factory.mktemp("data") / "maestro-v2.0.0"
    rows = [
        ("Johann Sebastian Bach", "Prelude in C", "train", "2004/bach1.midi", 0),
        ("Johann Sebastian Bach", "Prelude in C", "train", "2004/bach2.midi", 1),
        ("Johann Sebastian Bach", "Fugue in D", "validation", "2004/bach3.midi", 2),
        ("Frédéric Chopin", "Mazurka in A", "train", "2006/chopin1.midi", -3),
        ("Frédéric Chopin", "Mazurka in G", "validation", "2006/chopin2.midi", -5),
        ("Frédéric Chopin", "Ballade in F", "test", "2006/chopin3.midi", 5),
        ("Claude Debussy", "L'isle joyeuse", "train", MISLABELLED, 7),
        ("Claude Debussy", "Clair de lune", "train", ABSENT, None),
        ("Claude Debussy", "Rêverie", "train", BROKEN, None),
    ]
    for year in ("2004", "2006", "2015"):
        (folder / year).mkdir(parents=True)
    with (folder / "maestro-v2.0.0.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(CATALOGUE_COLUMNS.split(","))
        for composer, title, split, path, semitones in rows:
            table.writerow([composer, title, split, path[:4], path, "", "10.0"])
            if semitones is not None:
                (folder / path).write_bytes(midi_bytes(tune(10, semitones)))
    (folder / BROKEN).write_bytes(b"MThd and no more")
    return folder


@pytest.fixture(scope="session")
def store_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a prepared store: four pieces to train on, two to validate on, of unlike lengths."""
    folder = tmp_path_factory.mktemp("store")
    writer = StoreWriter(folder, "extend", "Tunes", "CC0 1.0")
    for i, (composer, split, seconds) in enumerate(
        [
            ("Bach", "train", 10),
            ("Bach", "train", 7),
            ("Chopin", "train", 5),
            ("Bach", "validation", 6),
            ("Debussy", "train", 1),
            ("Chopin", "validation", 1.5),
        ]
    ):
        notes = tune(seconds, i)
        assert end_of(notes) <= seconds
        writer.add(
            pack_notes(notes),
            composer=composer,
            title=f"Piece {i}",
            split=split,
            path=f"2004/piece{i}.midi",
        )
    writer.close()
    return folder


@pytest.fixture
def store(store_folder: Path) -> NoteStore:
    """Returns the opened store of `store_folder`."""
    return NoteStore(store_folder)


@pytest.fixture(autouse=True)
def no_state_of_accelerate() -> None:
    """Starts each test as a new process would.

    accelerate keeps one state a process and refuses another precision in it.
    """
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def new_accelerator() -> Callable[..., Accelerator]:
    """Returns a function that makes an Accelerator on the CPU, as a new process would."""

    def make(precision: str = "no") -> Accelerator:
        AcceleratorState._reset_state(reset_partial_state=True)
        return Accelerator(mixed_precision=precision, cpu=True)

    return make


def run_script(*command: object) -> subprocess.CompletedProcess[str]:
    """Runs a command as a user would, on one thread a process, and returns what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [str(part) for part in command],
        env={**environment, "ACCELERATE_USE_CPU": "true"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="session")
def page_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Returns the address of the real page, served on 127.0.0.1 while the tests run.

    Its files and votes are kept in a folder of the tests.
    """
    folder = tmp_path_factory.mktemp("served")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "files"))
        patch.setenv("PYZZICATO_VOTES", str(folder / "votes"))
        patch.setenv("PYZZICATO_MODELS", str(folder / "models"))
        # Imported here: gradio takes seconds, and most tests need no page.
        import app

        page, url = app.serve(prevent_thread_lock=True, quiet=True, server_name="127.0.0.1")
        yield url
        page.close()


@pytest.fixture(scope="module")
def opened(page_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Returns a browser that shows the page."""
    # Imported here: most tests need no browser.
    from browser import Browser, find_programs

    programs = find_programs()
    if programs is None:
        pytest.skip("no Chromium here: install chromium and chromium-driver (make system-packages)")
    browser = Browser(page_url, tmp_path_factory.mktemp("downloads"), programs)
    yield browser
    browser.close()


@pytest.fixture
def page(opened: Any) -> Iterator[Any]:
    """Returns the browser with the page opened anew, and looks at what it complains of."""
    opened.open()
    yield opened
    opened.run("player.pause(); view.stop(); views.compare.stop(); views.listen.stop();")
    assert opened.complaints() == []
    assert opened.hosts() <= {"127.0.0.1"}
