"""Every snippet of README.md and docs/ is run as it stands, and what the pages name is there."""

import inspect
import json
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from shutil import which

import pytest
from accelerate.state import AcceleratorState
from conftest import ROOT, hub_environment, tiny_config, tune
from graph_store import save_playable
from random_music import random_music

import pyzzicato
from pyzzicato.__main__ import main as command_line
from pyzzicato.hub import list_models
from pyzzicato.hub.own_models import keep_model
from pyzzicato.midi import read_midi, write_midi
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training import learning, learning_plan

# In this order the commands of training, measuring and publishing build on each other.
_IN_ORDER = [ROOT / "docs" / f"{name}.md" for name in ("training", "evaluation", "publishing")]
_OTHERS = sorted({*(ROOT / "docs").glob("*.md")} - {*_IN_ORDER})
PAGES = {
    str(path.relative_to(ROOT)): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *_OTHERS, *_IN_ORDER)
}
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
APP = "http://127.0.0.1:7860"


@dataclass(frozen=True)
class Snippet:
    """A block of code on a page."""

    page: str
    code: str


def snippets(language: str) -> list[Snippet]:
    """Returns all blocks of code in a language."""
    block = re.compile(rf"```{language}\n(.*?)```", flags=re.S)
    return [Snippet(page, code) for page, text in PAGES.items() for code in block.findall(text)]


PYTHON = snippets("python")
# What each kind of Python snippet is known by. The order counts: the first that fits.
KINDS = (
    "gradio_client",
    "onnxruntime",
    "AutoModel",
    "PyzzicatoModel",
    "revision=",
    "piece.save(",
    "mine.mid",
)
COMMANDS = [
    shlex.split(line, comments=True)
    for snippet in snippets("sh")
    for line in snippet.code.splitlines()
    if line
]
OF_THE_PACKAGE = [c[1:] for c in COMMANDS if c[0] == "pyzzicato"]
OF_TRAINING = [c for c in COMMANDS if len(c) > 1 and c[1].startswith("train/")]
OF_PIP = [c for c in COMMANDS if c[:2] == ["pip", "install"]]


def of_kind(kind: str) -> list[Snippet]:
    """Returns the Python snippets of a kind."""
    return [s for s in PYTHON if next(k for k in KINDS if k in s.code) == kind]


def run(snippet: Snippet, code: str | None = None) -> None:
    """Runs a Python snippet here, or what has been made of it."""
    exec(compile(snippet.code if code is None else code, snippet.page, "exec"), {})


def test_the_readme_leads_to_all_pages():
    assert [page for page in PAGES if f"]({page})" not in PAGES["README.md"]] == ["README.md"]


def test_no_block_is_left_untried():
    languages = {lang for text in PAGES.values() for lang in re.findall(r"```(\w+)\n", text)}
    assert languages == {"python", "sh", "bash", "js"}
    assert all(any(kind in s.code for kind in KINDS) for s in PYTHON)
    assert all(of_kind(kind) for kind in KINDS)
    rest = [c for c in COMMANDS if c[0] not in ("pip", "pyzzicato") and c not in OF_TRAINING]
    assert rest == [["make", "app"], ["make", "test"]]
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.search(r"^app:", targets, flags=re.M)
    assert re.search(r"^test:", targets, flags=re.M)


def test_what_pip_is_asked_for_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = set(project["optional-dependencies"])
    asked = {extra for c in OF_PIP for extra in re.findall(r"\w+", c[2])}
    assert asked and asked <= extras
    described = re.search(r"The other extras are (.*?)\n\n", PAGES["README.md"], flags=re.S)
    assert described
    assert asked | set(re.findall(r"`(\w+)`", described[1].split(". ")[0])) == extras
    assert project["scripts"] == {"pyzzicato": "pyzzicato.__main__:main"}


def test_the_readme_is_short_and_links_the_article():
    readme = PAGES["README.md"]
    assert len(readme.splitlines()) <= 150
    assert len(readme.split()) < 1500
    article = readme.index("https://towardsdatascience.com/")
    assert "article" not in readme[:article]


def anchors(text: str) -> set[str]:
    """Returns what a link to a heading of a page may end in."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", h).lower().replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", [*PAGES, "CONTRIBUTING.md"])
def test_links_and_paths_lead_somewhere(page):
    text = PAGES.get(page, CONTRIBUTING)
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        there = (ROOT / page).parent / path if path else ROOT / page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text(encoding="utf-8")), target
    # Folders that the reader makes are not there.
    own = r"`((?:pyzzicato|train|tests|docs|hub_cards|reports)/[\w./-]*)`"
    named = [path for path in re.findall(own, text) if not path.startswith("pyzzicato/pretrained/")]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_releases_have_dates_and_the_changelog_knows_the_version():
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    heads = re.findall(r"^## (\S+) \((.*)\)$", text, flags=re.M)
    assert len(heads) == len(re.findall(r"^## ", text, flags=re.M))
    releases = [(version, date) for version, date in heads if date != "unreleased"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in releases)
    assert [date for _, date in releases] == sorted((d for _, d in releases), reverse=True)
    assert pyzzicato.__version__ in [version for version, _ in heads[:2]]


def test_the_lines_of_python(tmp_path, monkeypatch):
    for i, snippet in enumerate(of_kind("piece.save(")):
        folder = tmp_path / str(i)
        folder.mkdir()
        monkeypatch.chdir(folder)
        run(snippet)
        check_what_was_written(snippet)


def check_what_was_written(snippet):
    written = re.findall(r'"(\w+\.(?:mid|wav))"', snippet.code, flags=re.M)
    assert written and all(Path(name).stat().st_size > 100 for name in written)
    assert all(len(read_midi(path).notes) > 20 for path in Path().glob("*.mid"))


@pytest.mark.parametrize("snippet", of_kind("mine.mid"), ids=lambda s: s.page)
def test_music_of_your_own_is_read(snippet, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_midi(tune(), "mine.mid")
    run(snippet)


@pytest.mark.parametrize("snippet", of_kind("onnxruntime"), ids=lambda s: s.page)
def test_a_graph_is_played_by_hand(snippet, tmp_path, monkeypatch, capsys):
    folder = list_models()[0].folder
    (tmp_path / "pyzzicato").mkdir()
    (tmp_path / "pyzzicato" / "pretrained").symlink_to(folder.parent)
    monkeypatch.chdir(tmp_path)
    run(snippet)
    steps = re.findall(r"\[ *(\d+) +(\d+) +(\d+) +(\d+)\]", capsys.readouterr().out)
    assert len(steps) == 20
    # Notes, and not one note again and again.
    assert len({key for _, key, _, _ in steps}) > 3


@pytest.mark.parametrize("snippet", of_kind("PyzzicatoModel"), ids=lambda s: s.page)
def test_the_networks_in_torch(snippet, capsys):
    run(snippet)
    n_weights, backbone = capsys.readouterr().out.split()
    assert int(n_weights) > 500_000
    assert backbone == "lstm"


def at(page_url: str, snippet: Snippet) -> str:
    """Returns a snippet that calls the server of the tests."""
    assert APP in snippet.code
    return snippet.code.replace(APP, page_url.rstrip("/"))


@pytest.mark.parametrize("snippet", of_kind("gradio_client"), ids=lambda s: s.page)
def test_the_api_from_python(snippet, page_url, capsys):
    run(snippet, at(page_url, snippet))
    printed = capsys.readouterr().out
    assert ".mid" in printed
    assert (".mp3" in printed) == ("/render" in snippet.code)


def test_the_api_from_a_shell(page_url):
    assert which("curl"), "curl is needed for this test; install it"
    (snippet,) = snippets("bash")
    printed = subprocess.run(
        ["bash", "-euc", at(page_url, snippet)], capture_output=True, text=True, timeout=120
    ).stdout
    event, data = printed.strip().split("\n\n")[-1].split("\n", 1)
    assert event == "event: complete"
    assert len(json.loads(data.removeprefix("data: "))[0]["takes"][0]["notes"]) > 0


def test_the_javascript_names_what_the_api_has():
    from pyzzicato.space.api import stream_takes

    (snippet,) = snippets("js")
    (settings,) = re.findall(r"const settings = {(.*?)}", snippet.code)
    named = {pair.split(":")[0].strip() for pair in settings.split(",")}
    assert named <= set(inspect.signature(stream_takes).parameters)
    (fields,) = re.findall(r"\[{(.*?)}\] = message.data", snippet.code)
    assert {name.strip() for name in fields.split(",")} <= {"seconds", "notes", "result"}


JS_MODULES = ROOT / "tests" / "js" / "node_modules"


@pytest.mark.skipif(
    not (which("node") and JS_MODULES.is_dir()),
    reason="needs node and the package that set-up installs where there is npm",
)
def test_the_api_from_javascript(page_url, tmp_path):
    (snippet,) = snippets("js")
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
    if command[0] == "evaluate":
        assert command_line(["continue", "bach-prelude-c-major", "--seconds", "8"]) == 0
    # A checkpoint that the page has the reader train first, and a folder of MAESTRO's.
    stand_ins = {"runs/lstm/best": "lstm", "MAESTRO/2018": str(maestro / "2004")}
    arguments = [stand_ins.get(word, word) for word in command]
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "kept"))
    if command[0] == "learn":
        arguments = learning_briefly(arguments, tmp_path, monkeypatch)
    if command[0] == "continue":
        arguments += ["--seconds", "5"]
    if "my-band" in arguments and command[0] == "continue":
        config = tiny_config(representation="events", head="notes", composers=["my-band"])
        keep_model(save_playable(PyzzicatoModel(config), tmp_path / "model"), "my-band")
    assert command_line(arguments) == 0
    if command[0] == "continue":
        assert (tmp_path / "out" / "result.json").exists()
    if command[0] == "evaluate":
        assert (tmp_path / "report" / "report.md").exists()
    if command[0] == "learn":
        assert (tmp_path / "runs" / "mine" / "best" / "model.onnx").exists()


def learning_briefly(given: list[str], tmp_path: Path, monkeypatch) -> list[str]:
    """Returns the command with a folder of music in it; learning takes one update."""
    monkeypatch.setattr(learning_plan, "_UPDATES", (1, 1))
    monkeypatch.setattr(learning_plan, "_CROP_STEPS", {"note": 16, "frame": 16})
    monkeypatch.setattr(learning, "_CALIBRATION_SEEDS", 1)
    monkeypatch.setattr(learning, "_CALIBRATION_LOOKS", 1)
    for i in range(4):
        (tmp_path / "FOLDER").mkdir(exist_ok=True)
        write_midi(random_music(i, 30), tmp_path / "FOLDER" / f"piece {i}.mid")
    return given


def test_the_models_are_loaded_from_the_hub(hub, tmp_path):
    from test_publish import publish_it

    publish_it(list_models()[0].folder, "me/pyzzicato-lstm", tag="v1")
    (by_name,) = of_kind("revision=")
    run(by_name, by_name.code.replace("NAMESPACE", "me"))
    (by_transformers,) = of_kind("AutoModel")
    write_midi(tune(5), tmp_path / "mine.mid")
    (tmp_path / "snippet.py").write_text(by_transformers.code.replace("NAMESPACE", "me"))
    done = subprocess.run(
        [sys.executable, "snippet.py"],
        cwd=tmp_path,
        env=hub_environment(hub, tmp_path / "fresh"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert len(read_midi(tmp_path / "continuation.mid").notes) > 20


# What makes each script quick.
SHORTENED = {
    "train/train.py": ["--max-steps", "1", "--batch-size", "1"],
    "train/publish.py": ["--no-example", "--yes"],
    "train/evaluate.py": ["--seeds", "1", "--seconds", "1", "--seed-seconds", "3"],
}


def run_scripts(commands, folders, monkeypatch) -> None:
    """Runs commands of `train/`, shortened, in the current folder, with folders for their names."""
    for script, *words in ([word.replace("NAMESPACE", "me") for word in c[1:]] for c in commands):
        arguments = [str(folders.get(word, word)) for word in words]
        arguments = [
            str(ROOT / word) if word.startswith("train/recipes/") else word for word in arguments
        ]
        monkeypatch.setattr(sys, "argv", [script, *arguments, *SHORTENED.get(script, [])])
        # Each command is a process of its own, but for the test.
        AcceleratorState._reset_state(reset_partial_state=True)
        runpy.run_path(str(ROOT / script), run_name="__main__")


def test_the_commands_of_training_and_publishing(maestro, dataset_hub, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    own = tmp_path / "own"
    own.mkdir()
    for i in range(4):
        write_midi(random_music(i), own / f"piece {i}.mid")
    run_scripts(OF_TRAINING, {"MAESTRO": maestro, "FOLDER": own}, monkeypatch)
    for name in ("lstm", "steps", "streamed"):
        assert (tmp_path / "runs" / name / "best" / "model.safetensors").exists()
    published = {("models", "me/pyzzicato-lstm"), ("spaces", "me/pyzzicato")}
    assert published <= dataset_hub.repos.keys()
