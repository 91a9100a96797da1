"""Every snippet of the README is run as it stands."""

import inspect
import json
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path
from shutil import which

import pytest
from accelerate.state import AcceleratorState
from conftest import ROOT, hub_environment, tune
from test_publish import publish_it

from pyzzicato.__main__ import main as command_line
from pyzzicato.hub import list_models
from pyzzicato.midi import read_midi, write_midi

README = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", README, flags=re.S)
BASH = re.findall(r"```bash\n(.*?)```", README, flags=re.S)
JAVASCRIPT = re.findall(r"```js\n(.*?)```", README, flags=re.S)
APP = "http://127.0.0.1:7860"
SHELL = re.findall(r"```sh\n(.*?)```", README, flags=re.S)
COMMANDS = [
    shlex.split(line, comments=True) for block in SHELL for line in block.splitlines() if line
]
OF_THE_PACKAGE = [c for c in COMMANDS if c[:3] == ["python", "-m", "pyzzicato"]]
OF_TRAINING = [c for c in COMMANDS if len(c) > 1 and c[1].startswith("train/")]


def test_nothing_in_a_shell_block_is_left_untried():
    rest = [c for c in COMMANDS if c not in OF_THE_PACKAGE and c not in OF_TRAINING]
    assert rest == [["make", "app"], ["make", "test"]]
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^app:", targets, flags=re.M)
    assert re.search(r"^test:", targets, flags=re.M)


def test_the_five_lines_of_python(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (snippet,) = [s for s in PYTHON if "load_seed" in s]
    exec(compile(snippet, "README.md", "exec"), {})
    assert len(read_midi("continuation.mid").notes) > 20
    assert Path("continuation.wav").stat().st_size > 44_100


def at(page_url, snippet):
    """Returns a snippet that calls the server of the tests."""
    assert APP in snippet
    return snippet.replace(APP, page_url.rstrip("/"))


def test_the_api_snippet(page_url, capsys):
    (snippet,) = [s for s in PYTHON if "gradio_client" in s]
    exec(compile(at(page_url, snippet), "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert ".mid" in printed
    assert ".mp3" in printed


def test_the_shell_snippet(page_url):
    assert which("curl"), "curl is needed for this test; install it"
    (snippet,) = BASH
    printed = subprocess.run(
        ["bash", "-euc", at(page_url, snippet)], capture_output=True, text=True, timeout=120
    ).stdout
    event, data = printed.strip().split("\n\n")[-1].split("\n", 1)
    assert event == "event: complete"
    assert len(json.loads(data.removeprefix("data: "))[0]["takes"][0]["notes"]) > 0


def test_the_javascript_snippet_names_what_the_api_has():
    from pyzzicato.space.api import stream_takes

    (snippet,) = JAVASCRIPT
    (settings,) = re.findall(r"const settings = {(.*?)}", snippet)
    named = {pair.split(":")[0].strip() for pair in settings.split(",")}
    assert named <= set(inspect.signature(stream_takes).parameters)
    (fields,) = re.findall(r"\[{(.*?)}\] = message.data", snippet)
    assert {name.strip() for name in fields.split(",")} <= {"seconds", "notes", "result"}


JS_MODULES = ROOT / "tests" / "js" / "node_modules"


@pytest.mark.skipif(
    not (which("node") and JS_MODULES.is_dir()),
    reason="needs node and the package that set-up installs where there is npm",
)
def test_the_javascript_snippet(page_url, tmp_path):
    (snippet,) = JAVASCRIPT
    (tmp_path / "node_modules").symlink_to(JS_MODULES)
    (tmp_path / "snippet.mjs").write_text(at(page_url, snippet) + "process.exit();\n")
    ran = subprocess.run(
        ["node", "snippet.mjs"], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    *parts, address = ran.stdout.splitlines()
    # About one a second, fewer where the music pauses.
    assert len(parts) >= 10
    assert re.fullmatch(r"http://127.0.0.1:\d+/gradio_api/file=\S+/continuation.mid", address)


@pytest.mark.parametrize("command", OF_THE_PACKAGE, ids=" ".join)
def test_a_command_of_the_package(command, maestro, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if command[3] == "evaluate":
        assert command_line(["continue", "bach-prelude-c-major", "--seconds", "8"]) == 0
    # A checkpoint that the README has the reader train first, and a folder of MAESTRO's.
    stand_ins = {"runs/lstm/best": "lstm", "MAESTRO/2018": str(maestro / "2004")}
    told = [stand_ins.get(word, word) for word in command[3:]]
    assert command_line(told) == 0
    if command[3] == "continue":
        assert (tmp_path / "out" / "result.json").exists()
    if command[3] == "evaluate":
        assert (tmp_path / "report" / "report.md").exists()


def test_the_models_are_loaded_from_the_hub(hub, tmp_path):
    publish_it(list_models()[0].folder, "me/pyzzicato-lstm", tag="v1")
    by_name, by_transformers = (
        next(s for s in PYTHON if word in s).replace("NAMESPACE", "me")
        for word in ('NAMESPACE/pyzzicato-lstm", revision', "AutoModel")
    )
    exec(compile(by_name, "README.md", "exec"), {})
    write_midi(tune(5), tmp_path / "mine.mid")
    (tmp_path / "snippet.py").write_text(by_transformers)
    done = subprocess.run(
        [sys.executable, "snippet.py"],
        cwd=tmp_path,
        env=hub_environment(hub, tmp_path / "fresh"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(read_midi(tmp_path / "continuation.mid").notes) > 20


def test_the_commands_of_training(maestro, dataset_hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for command in OF_TRAINING:
        script, *told = [word.replace("NAMESPACE", "me") for word in command[1:]]
        told = [str(maestro) if word == "MAESTRO" else word for word in told]
        told = [str(ROOT / word) if word.startswith("train/recipes/") else word for word in told]
        if script == "train/train.py":
            told += ["--max-steps", "1", "--batch-size", "1"]
        if script == "train/publish.py":
            told += ["--no-example", "--yes"]
        if script == "train/evaluate.py":
            told += ["--seeds", "1", "--seconds", "1", "--seed-seconds", "3"]
        monkeypatch.setattr(sys, "argv", [script, *told])
        # Each command is a process of its own, but for the test.
        AcceleratorState._reset_state(reset_partial_state=True)
        runpy.run_path(str(ROOT / script), run_name="__main__")
    for name in ("lstm", "streamed"):
        assert (tmp_path / "runs" / name / "best" / "model.safetensors").exists()
    published = {("models", "me/pyzzicato-lstm"), ("spaces", "me/pyzzicato")}
    assert published <= dataset_hub.repos.keys()
