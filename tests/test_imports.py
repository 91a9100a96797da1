"""Whoever only plays pays for no training: what is loaded, seen from fresh processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, tune

from pyzzicato.midi import write_midi

# Refuses what the core must do without, as a machine does on which it is not installed.
REFUSING = """
import sys

class Refusing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Refusing())
"""
TRAINING = ("torch", "transformers", "onnxscript", "accelerate", "datasets", "safetensors")


def run(code: str, folder: Path, *without: str) -> str:
    """Returns what a fresh process prints that cannot import some packages."""
    script = folder / "run.py"
    script.write_text(REFUSING.format(names=without) + code)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_package_alone_loads_next_to_nothing(tmp_path: Path) -> None:
    code = "import pyzzicato\nprint(sorted({n.partition('.')[0] for n in sys.modules}))"
    loaded = run(code, tmp_path, *TRAINING)
    for name in ("numpy", "onnxruntime", "onnx", "huggingface_hub", "gradio", "pretty_midi"):
        assert f"'{name}'" not in loaded


def test_a_seed_is_carried_on_without_torch(tmp_path: Path) -> None:
    code = """
import pyzzicato
model = pyzzicato.load_model("lstm")
seed = pyzzicato.load_seed("bach-prelude-c-major")
settings = pyzzicato.GenerationSettings(seconds=2.0, composer="chopin", guidance=1.5)
piece = pyzzicato.continue_seed(model, seed.notes, settings)
pyzzicato.write_midi(piece.notes, "continuation.mid")
print(len(piece.new_notes), *(n in sys.modules for n in ("onnx", "huggingface_hub", "httpx2")))
"""
    n_notes, has_onnx, *has_client = run(code, tmp_path, *TRAINING).split()
    assert int(n_notes) > 0 and (tmp_path / "continuation.mid").stat().st_size > 100
    # What is bundled needs no check, and the checker is not loaded.
    assert has_onnx == "False"
    # Nor does anybody ask the Hub for it.
    assert has_client == ["False", "False"]


@pytest.mark.parametrize("command", ["continue", "models", "seeds"])
def test_the_commands_run_without_torch(command: str, tmp_path: Path) -> None:
    write_midi(tune(5), tmp_path / "seed.mid")
    more = ["seed.mid", "--no-audio", "--seconds", "2", "--json"] if command == "continue" else []
    code = f"""
from pyzzicato.__main__ import main
assert main({[command, *more]!r}) == 0
"""
    assert len(run(code, tmp_path, *TRAINING)) > 100


def test_the_page_is_built_without_torch(tmp_path: Path) -> None:
    code = """
import os
os.environ["PYZZICATO_VOTES"] = "votes"
import app
page = app.build()
print(type(page).__name__)
"""
    assert "Blocks" in run(code, tmp_path, *TRAINING)


def test_the_page_opens_without_what_only_some_requests_need(tmp_path: Path) -> None:
    code = """
import sys
import app
import gradio.component_meta
import gradio.utils
late = {"matplotlib", "pyloudnorm", "scipy.optimize", "scipy.signal", "scipy.stats"}
# As gradio does around each call.
with gradio.utils.MatplotlibBackendMananger():
    pass
print(sorted(late & {*sys.modules}), gradio.component_meta.create_or_modify_pyi(1, 2, 3))
"""
    # Gradio's own would have looked for the source of a class that is a number.
    assert run(code, tmp_path, *TRAINING).strip() == "[] None"


def test_a_name_that_needs_torch_says_so_when_it_is_used(tmp_path: Path) -> None:
    code = """
import pyzzicato
assert "PyzzicatoModel" in dir(pyzzicato)
try:
    pyzzicato.PyzzicatoModel
except ModuleNotFoundError as error:
    print(error.name)
"""
    assert run(code, tmp_path, *TRAINING).strip() in ("torch", "transformers")


def test_playing_reports_to_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # onnxruntime writes down a number of this machine when it is about to report.
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("ORT_DISABLE_TELEMETRY", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    code = """
import pyzzicato
settings = pyzzicato.GenerationSettings(seconds=1.0)
print(len(pyzzicato.continue_seed(pyzzicato.load_model(), "bach-prelude-c-major", settings).notes))
"""
    assert int(run(code, tmp_path, *TRAINING)) > 0
    assert list(home.rglob("*")) == []
