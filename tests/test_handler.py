"""A published model on an Inference Endpoint: called as the endpoint's server calls it."""

import base64
import json
import re
import subprocess
import sys
from dataclasses import asdict
from importlib.metadata import distribution
from pathlib import Path

import pytest
from conftest import ROOT, tune
from test_publish import checkpoint

from pyzzicato.hub import load_model
from pyzzicato.midi import midi_bytes, read_midi
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.publishing.endpoint import endpoint_files
from pyzzicato.publishing.imports import files_of, imported_names
from pyzzicato.publishing.model_repo import build_model_repo

# What the server does: the repository on the path, the handler imported from its file, one object
# for all requests, each request a JSON body, each answer JSON.
SERVER = """
import importlib.util, json, sys
folder = sys.argv[1]
spec = importlib.util.spec_from_file_location("handler", folder + "/handler.py")
module = importlib.util.module_from_spec(spec)
sys.path.insert(0, folder)
spec.loader.exec_module(module)
handler = module.EndpointHandler(folder)
answers = []
for line in sys.stdin:
    try:
        answers.append(handler(json.loads(line)))
    except ValueError as error:
        answers.append({"error": str(error)})
import pyzzicato
print(json.dumps({"package": pyzzicato.__file__, "answers": answers}))
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory) -> Path:
    """Returns a model's folder as it is published."""
    place = tmp_path_factory.mktemp("published")
    build_model_repo(checkpoint(place / "best"), "me/tiny", place / "repo", example=False)
    return place / "repo"


def serve(repository: Path, *requests: object) -> dict:
    """Returns what a process with nothing but the repository answers to requests."""
    ran = subprocess.run(
        [sys.executable, "-c", SERVER, str(repository)],
        input="".join(json.dumps(request) + "\n" for request in requests),
        cwd=repository.parent,
        env={"PATH": "", "HOME": str(repository.parent), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_it_answers_as_the_package_does(repository):
    midi = midi_bytes(tune(10))
    encoded = base64.b64encode(midi).decode()
    parameters = {"seconds": 2, "rng": 3}
    bodies = [
        {"inputs": encoded, "parameters": parameters},
        {"inputs": [asdict(note) for note in read_midi(midi).notes], "parameters": parameters},
        {"inputs": "not base64!"},
        {"inputs": base64.b64encode(b"no MIDI").decode()},
        {"inputs": [{"pitch": 60}]},
        {"inputs": 7},
        {},
        {"inputs": [], "parameters": {"loudness": 3}},
        {"inputs": encoded, "parameters": {"seconds": 1e9}},
    ]
    reply = serve(repository, *bodies)
    assert Path(reply["package"]).is_relative_to(repository)
    piece = continue_seed(
        load_model(str(repository)), read_midi(midi).sounding(), GenerationSettings(**parameters)
    )
    for answer in reply["answers"][:2]:
        assert base64.b64decode(answer["midi"]) == midi_bytes(piece.notes)
        assert answer["new_notes"] == [asdict(note) for note in piece.new_notes]
        assert answer["notes"] == [asdict(note) for note in piece.notes]
        assert answer["seed_seconds"] == piece.seed_seconds
    said = [answer["error"] for answer in reply["answers"][2:]]
    for sentence, words in zip(
        said,
        ("as base64", "cannot be read", "must have pitch", "got int", "must hold inputs"),
        strict=False,
    ):
        assert words in sentence
    assert "loudness" in said[5]
    assert "seconds must be" in said[6]


def test_the_requirements_name_all_that_the_modules_import(repository):
    lines = (repository / "requirements.txt").read_text().splitlines()
    names = {line.partition("==")[0] for line in lines}
    assert {"numpy", "onnxruntime"} <= names
    assert set(lines) <= set((ROOT / "requirements.txt").read_text().splitlines())
    # What is imported and not named comes along with something that is.
    along = {
        re.match(r"[\w.-]+", requirement)[0]
        for name in names
        for requirement in distribution(name).requires or []
    }
    modules = [ROOT / path for path in endpoint_files() if path.startswith("pyzzicato/")]
    outside = {
        name.partition(".")[0]
        for path in modules
        for name in imported_names(path, ROOT)
        if not files_of(name, ROOT)
    } - sys.stdlib_module_names
    # Imported where the step of a network is exported, and a published model has its graph.
    outside -= {"transformers"}
    assert {name.replace("-", "_") for name in outside} <= {
        name.replace("-", "_") for name in names | along
    }


def test_page_and_training_do_not_go_along(repository):
    folders = {path.name for path in (repository / "pyzzicato").iterdir() if path.is_dir()}
    assert not folders & {"space", "training", "publishing", "evaluation", "pretrained"}
