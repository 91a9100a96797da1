"""A published model plays without this package, in a fresh process, as it plays with it."""

import base64
import json
import subprocess
import sys
from dataclasses import asdict

import pytest
import torch
from conftest import ROOT, hub_environment, tune
from test_publish import KINDS, checkpoint, publish_it, some_steps
from transformers import pipeline

from pyzzicato.hub import load_model
from pyzzicato.midi import midi_bytes, read_midi
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.pipeline import PianoContinuationPipeline
from pyzzicato.playing.scoring import nats_by_number
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.publishing.model_repo import build_model_repo
from pyzzicato.publishing.shipped_code import shipped_code
from pyzzicato.takes import continue_seed

WITHOUT_THE_PACKAGE = """
import base64, json, sys
sys.modules["pyzzicato"] = None  # importing it fails, as on a machine that has never seen it
import torch
from transformers import AutoModel, pipeline

torch.set_num_threads(1)
inputs = json.load(open("inputs.json"))
found = {}
for repo, steps in inputs["repos"].items():
    with torch.no_grad():
        model = AutoModel.from_pretrained(repo, trust_remote_code=True).eval()
        logits = model(torch.tensor(steps)).logits
    play = pipeline("piano-continuation", model=repo, trust_remote_code=True)
    by_file = play("seed.mid", seconds=2, rng=7)
    by_notes = play(inputs["notes"], seconds=2, rng=7)
    found[repo] = [
        logits.flatten().tolist(),
        base64.b64encode(by_file["midi"]).decode(),
        base64.b64encode(by_notes["midi"]).decode(),
    ]
json.dump(found, open("found.json", "w"))
"""

WITH_THE_PACKAGE = """
import json, sys
from pyzzicato.hub import open_model
from pyzzicato.notes import Note
from pyzzicato.playing.scoring import nats_by_number

notes = [Note(**n) for n in json.load(open("inputs.json"))["notes"]]
for revision in sys.argv[2:]:
    model, info = open_model(sys.argv[1], revision)
    print(json.dumps([nats_by_number(model, notes).sum(), info.as_dict()]))
"""


def test_the_same_logits_and_midi_without_the_package(hub, tmp_path):
    # Each head once; `test_publish.py` has each backbone.
    kinds = {f"me/kind-{i}": kind for i, kind in enumerate(KINDS[:3])}
    steps = {repo: some_steps(kind) for repo, kind in kinds.items()}
    for repo, kind in kinds.items():
        publish_it(checkpoint(tmp_path / "sound" / repo, **kind), repo)
    notes = tune(4)
    (tmp_path / "seed.mid").write_bytes(midi_bytes(notes))
    heard = read_midi(tmp_path / "seed.mid").sounding()
    options = {
        "repos": {repo: its.tolist() for repo, its in steps.items()},
        "notes": [asdict(n) for n in heard],
    }
    (tmp_path / "inputs.json").write_text(json.dumps(options))
    (tmp_path / "run.py").write_text(WITHOUT_THE_PACKAGE)
    done = subprocess.run(
        [sys.executable, "run.py"],
        cwd=tmp_path,
        env=hub_environment(hub, tmp_path / "fresh"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "found.json").read_text())
    for repo in kinds:
        folder = tmp_path / "sound" / repo
        network = PyzzicatoModel.from_pretrained(folder).eval()
        logits, by_file, by_notes = found[repo]
        with torch.no_grad():  # as over there: with gradients the LSTM takes another kernel
            assert torch.equal(network(steps[repo]).logits.flatten(), torch.tensor(logits))
        settings = GenerationSettings(seconds=2, rng=7)
        model = load_model(str(folder))
        for found_bytes, source in ((by_file, tmp_path / "seed.mid"), (by_notes, heard)):
            ours = continue_seed(model, source, settings).save(tmp_path / "ours.mid")
            assert base64.b64decode(found_bytes) == ours.read_bytes()


def test_a_fresh_process_loads_by_tag_and_by_commit(hub, tmp_path):
    folder = checkpoint(tmp_path / "best")
    published = publish_it(folder, tag="v1")
    notes = tune(3)
    (tmp_path / "inputs.json").write_text(json.dumps({"notes": [asdict(n) for n in notes]}))
    (tmp_path / "run.py").write_text(WITH_THE_PACKAGE)
    done = subprocess.run(
        [sys.executable, "run.py", published.repo, "v1", published.commit],
        cwd=tmp_path,
        env=hub_environment(hub, tmp_path / "fresh") | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    ours = nats_by_number(load_model(str(folder)), notes).sum()
    for line, source in zip(done.stdout.splitlines(), ("Hub", "cache"), strict=True):
        theirs, facts = json.loads(line)
        assert theirs == pytest.approx(ours, rel=1e-9)
        assert (facts["source"], facts["commit"]) == (source, published.commit)


# ---- The pipeline in this process ---------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """Returns a checkpoint's folder, with its graph."""
    return checkpoint(tmp_path / "model")


@pytest.fixture
def play(folder):
    return PianoContinuationPipeline(model=PyzzicatoModel.from_pretrained(folder))


def test_without_a_graph_there_is_no_playing(play, folder):
    (folder / "model.onnx").unlink()
    with pytest.raises(ValueError, match=r"must hold model\.onnx to play"):
        play(midi_bytes(tune(2)), seconds=1)


def test_a_file_its_bytes_and_its_notes_give_the_same(play, folder, tmp_path):
    model = load_model(str(folder))
    notes = tune(4)
    data = midi_bytes(notes)
    (tmp_path / "seed.mid").write_bytes(data)
    heard = read_midi(data).sounding()
    pieces = [
        play(source, seconds=2, rng=3)
        for source in (str(tmp_path / "seed.mid"), data, heard, [asdict(n) for n in heard])
    ]
    # A file has a tempo and may lie on its grid, and notes have none.
    assert pieces[0] == pieces[1] and pieces[2] == pieces[3]
    free = play(data, seconds=2, rng=3, quantise=0.0)
    assert free["new_notes"] == pieces[2]["new_notes"] != pieces[0]["new_notes"]
    ours = continue_seed(model, data, GenerationSettings(seconds=2, rng=3))
    assert pieces[0]["midi"] == ours.save(tmp_path / "ours.mid").read_bytes()
    assert pieces[0]["new_notes"] == [asdict(n) for n in ours.new_notes]
    assert pieces[0]["seed_seconds"] == ours.seed_seconds
    assert pieces[0]["settings"]["rng"] == 3
    assert play(data, seconds=2, rng=4)["midi"] != pieces[0]["midi"]


def test_several_files_give_several_pieces(play):
    files = [midi_bytes(tune(3)), midi_bytes(tune(3, 5))]
    first, second = play(files, seconds=1)
    assert first["midi"] != second["midi"]


@pytest.mark.parametrize(
    ("inputs", "settings", "said"),
    [
        (3, {}, "inputs must be a MIDI file"),
        ("no/such.mid", {}, "cannot be read"),
        ([{"pitch": 60}], {}, "a note must have pitch, start, end and velocity"),
        (b"no midi", {}, "cannot be read"),
        (midi_bytes(tune(2)), {"seconds": 0}, "seconds must be"),
        (midi_bytes(tune(2)), {"loudness": 3}, "settings must be of .* got 'loudness'"),
    ],
)
def test_bad_input_is_refused_in_words(play, inputs, settings, said):
    with pytest.raises(ValueError, match=said):
        play(inputs, **settings)


def test_code_from_a_repository_needs_trust(tmp_path):
    build_model_repo(checkpoint(tmp_path / "best"), "me/tiny", tmp_path / "repo", example=False)
    with pytest.raises(ValueError, match="trust_remote_code"):
        pipeline("piano-continuation", model=str(tmp_path / "repo"), trust_remote_code=False)


def test_what_is_shipped_is_flat_and_stands_alone():
    shipped = shipped_code()
    assert {"pipeline.py", "model.py", "config.py", "graph.py", "continuation.py"} <= set(shipped)
    for name, text in shipped.items():
        assert "pyzzicato." not in "".join(
            line for line in text.splitlines() if line.lstrip().startswith(("import", "from"))
        )
        compile(text, name, "exec")
    assert not any("/" in name for name in shipped)
