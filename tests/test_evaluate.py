"""The evaluation of models on a tiny MAESTRO: whole, resumed, shared out, and refused."""

import csv
import json
import re
import shutil
import sys
from dataclasses import asdict, replace
from pathlib import Path

import evaluate as script
import pytest
from conftest import ABSENT, BROKEN, ROOT, run_script, tiny_config, tune
from excerpt_builder import playing, small_index
from graph_store import save_playable

from pyzzicato.evaluation.adversary import NETWORK, Verdict, write_verdicts
from pyzzicato.evaluation.likelihood import count_onsets, model_likelihoods
from pyzzicato.evaluation.seed_records import SeedRecords
from pyzzicato.evaluation.training_index import BUNDLED_INDEX, TrainingIndex
from pyzzicato.hub.networks import open_network
from pyzzicato.midi import read_midi
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.representations.pianoroll import notes_to_roll

SYSTEMS = ["real", "tiny", "tiny, threshold", "markov", "seed looped"]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Returns the folder of an untrained debug model."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    save_playable(PyzzicatoModel(tiny_config(backbone="lstm")), folder)
    return folder


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Returns the file of a small training index; the bundled one takes seconds to load."""
    return small_index().save(tmp_path_factory.mktemp("index") / "index.npz")


@pytest.fixture(scope="module")
def basic(tiny, maestro, index):
    """Returns an evaluation of three seeds of two pieces, without a folder of its own."""
    return script.EvaluateConfig(
        model=(str(tiny),),
        data_dir=maestro,
        out=maestro / "nowhere",
        split="validation",
        seeds=3,
        seconds=2.0,
        seed_seconds=2.0,
        temperature=1.0,
        threshold=0.9,
        rng=0,
        training_index=index,
        markov_pieces=10,
    )


@pytest.fixture(scope="module")
def finished(basic, tmp_path_factory):
    """Returns the folder of a finished evaluation; not to be changed."""
    out = tmp_path_factory.mktemp("finished")
    script.main(replace(basic, out=out))
    return out


def read(out: Path) -> dict:
    return json.loads((out / "report.json").read_text(encoding="utf-8"))


def stamps(out: Path) -> dict[str, int]:
    """Returns when each record was written, by its folder's name."""
    return {p.parent.name: p.stat().st_mtime_ns for p in out.rglob("measures.json")}


def test_models_stand_beside_real_music_and_baselines(finished):
    report = read(finished)
    assert list(report["systems"]) == SYSTEMS
    assert report["about"].keys() == set(SYSTEMS)
    assert all(system["n"] == 3 for system in report["systems"].values())
    assert report["systems"]["tiny, threshold"]["rates"]["mostly_silent"]["count"] == 3
    assert report["systems"]["seed looped"]["measures"]["kinship"]["p5"] == pytest.approx(1.0)
    assert report["settings"]["seconds"] == 2.0
    assert report["systems"]["real"]["rates"]["copied"]["n"] == 3
    assert "2 pieces" in report["settings"]["training_index"]
    assert report["remarks"] == []
    page = (finished / "report.md").read_text(encoding="utf-8")
    assert "3 seeds of 2 s, drawn at random from the validation pieces of maestro-v2.0.0" in page
    for _, file in report["pictures"]:
        assert (finished / file).read_bytes().startswith(b"\x89PNG")
    assert len(report["pictures"]) == 4


def test_the_report_says_nothing_of_the_machine(finished, maestro, tiny):
    for name in ("report.json", "report.md", "settings.json"):
        text = (finished / name).read_text(encoding="utf-8")
        assert not any(str(path) in text for path in (finished, maestro.parent, tiny.parent))


def test_what_everyone_made_can_be_heard(finished):
    records = SeedRecords(finished)
    for number in range(3):
        measures = records.read(number).measures
        assert list(measures) == SYSTEMS
        for name in SYSTEMS:
            heard = records.read_notes(number, name, 2.0, 2.0)
            assert len(heard.notes) == measures[name].stability.n_notes
        assert len({records.read_notes(number, n, 2.0, 2.0).seed for n in SYSTEMS}) == 1
    folder = finished / "pieces" / "0000"
    assert len(read_midi(folder / "tiny.mid").notes) > len(
        read_midi(folder / "tiny-threshold.mid").notes
    )


def test_real_is_what_the_composer_wrote_next(finished, maestro):
    record = SeedRecords(finished).read(0)
    start = float(record.measures["real"].name.split("from ")[1].removesuffix(" s"))
    piece = read_midi(maestro / record.piece).notes
    expected = [n.pitch for n in piece if start - 0.06 <= n.start < start + 4 - 0.06]
    heard = read_midi(finished / "pieces" / "0000" / "real.mid").notes
    assert abs(len(heard) - len(expected)) <= 1
    assert [n.pitch for n in heard][:8] == expected[:8]


def test_likelihood_is_of_whole_pieces_each_once(finished, tiny):
    likelihood = read(finished)["likelihood"]
    assert set(likelihood) == {"tiny", "markov", "copy", "frequency"}
    rolls = [notes_to_roll(tune(10, semitones)) for semitones in (2, -5)]
    for value in likelihood.values():
        assert value["n_notes"] == sum(count_onsets(roll) for roll in rolls)
        assert value["n_frames"] == sum(len(roll) - 1 for roll in rolls)
    nats = [part.nats for part in model_likelihoods(open_network(tiny), rolls)]
    assert likelihood["tiny"]["nats_a_second"] == pytest.approx(
        sum(nats) / sum((len(roll) - 1) / 20 for roll in rolls), rel=1e-5
    )
    assert likelihood["markov"]["bits_a_note"] < likelihood["frequency"]["bits_a_note"]


def test_a_stopped_run_goes_on_with_what_is_missing(finished, basic, tmp_path, capsys):
    out = tmp_path / "resumed"
    shutil.copytree(finished, out, copy_function=shutil.copy2)
    before = stamps(out)
    (out / "pieces" / "0001" / "measures.json").unlink()
    (out / "report.json").unlink()
    script.main(replace(basic, out=out))
    after = stamps(out)
    assert {name for name in after if after[name] != before[name]} == {"0001"}
    assert (out / "report.json").read_text() == (finished / "report.json").read_text()
    assert str(out / "report.md") in capsys.readouterr().out


def test_verdicts_of_networks_join_the_report(finished, basic, tmp_path):
    out = tmp_path / "again"
    shutil.copytree(finished, out)
    assert "adversary" not in read(out)
    found = Verdict(0.75, 0.5, 1.0, 3, 3, 6, 100)
    write_verdicts(
        {"tiny": {NETWORK: found}, "unknown": {NETWORK: found}}, tmp_path / "verdicts.json"
    )
    script.main(replace(basic, out=out, adversary=tmp_path / "verdicts.json"))
    assert read(out)["adversary"] == {"tiny": {NETWORK: asdict(found)}}
    assert "| network | 0.75 (0.5 to 1) |" in (out / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"rng": 1}, "drawn, rng"),
        ({"temperature": 0.9}, "temperature"),
        ({"seconds": 2.5}, r"seconds"),
        ({"split": "test", "seeds": 1}, "drawn, seeds, split"),
    ],
)
def test_a_folder_keeps_to_one_evaluation(finished, basic, choice, said):
    with pytest.raises(ValueError, match=rf"other settings \({said}\); choose another folder"):
        script.main(replace(basic, out=finished, **choice))


def test_other_weights_or_another_index_are_another_evaluation(finished, basic, tmp_path):
    PyzzicatoModel(tiny_config(backbone="conv1d")).save_pretrained(tmp_path / "tiny")
    with pytest.raises(ValueError, match=r"other settings \(model\)"):
        script.main(replace(basic, out=finished, model=(str(tmp_path / "tiny"),)))
    other = TrainingIndex.build([("Bach", "Fugue", playing(5).joined)]).save(tmp_path / "i.npz")
    with pytest.raises(ValueError, match=r"other settings \(training_index\)"):
        script.main(replace(basic, out=finished, training_index=other))


def test_two_processes_make_the_same_report(finished, tiny, maestro, index, tmp_path):
    done = run_script(
        *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
        *("--local_addr", "127.0.0.1", "--nproc_per_node", 2, ROOT / "train" / "evaluate.py"),
        *("--model", tiny, "--data-dir", maestro, "--out", tmp_path, "--seeds", 3),
        *("--seconds", 2, "--seed-seconds", 2, "--threshold", 0.9, "--markov-pieces", 10),
        *("--training-index", index),
    )
    assert done.returncode == 0, done.stderr
    assert len(stamps(tmp_path)) == 3
    for name in ("report.json", "report.md", "settings.json"):
        assert (tmp_path / name).read_text() == (finished / name).read_text()
    assert done.stdout.count("report.md") == 1
    # Progress is shown once, by the process that writes the report: it has two of the seeds.
    bars = re.findall(r"seeds: .*?/(\d)", done.stderr)
    assert set(bars) == {"2"}


def test_a_piece_that_cannot_be_read_is_left_out_and_said(basic, maestro, tmp_path):
    data, out = tmp_path / "maestro-v2.0.0", tmp_path / "out"
    shutil.copytree(maestro, data)
    (data / "2004/bach3.midi").write_bytes(b"no music")
    script.main(replace(basic, data_dir=data, out=out, seeds=2))
    report = read(out)
    assert all(system["n"] == 1 for system in report["systems"].values())
    (remark,) = report["remarks"]
    assert remark.startswith("Johann Sebastian Bach, Fugue in D: MIDI file")
    assert str(tmp_path) not in remark


def test_an_evaluation_with_nothing_to_measure_is_refused(basic, tmp_path):
    def refused(said, **choices):
        with pytest.raises(ValueError, match=said):
            script.main(replace(basic, out=tmp_path / "out", **choices))

    refused("no piece of split 'validation' in .* lasts 15 s", seconds=8.0)
    refused("seeds must be 1 or more", seeds=0)
    refused("markov_pieces must be 1 or more", markov_pieces=0)
    refused("threshold must be", threshold=1.0)
    refused("seconds must be 1 to 600", seconds=0.0)
    refused("rng 0 or more, got 3 and -1", rng=-1)
    refused("data folder must hold maestro", data_dir=tmp_path)
    refused("training index", training_index=tmp_path / "absent.npz")


def test_without_a_training_piece_there_are_no_baselines(basic, maestro, tmp_path):
    data = tmp_path / "maestro-v2.0.0"
    shutil.copytree(maestro, data)
    with (data / "maestro-v2.0.0.csv").open(encoding="utf-8", newline="") as file:
        listed = list(csv.DictReader(file))
    for row in listed:
        if row["split"] == "train":
            (data / row["midi_filename"]).unlink(missing_ok=True)
    assert {ABSENT, BROKEN} <= {row["midi_filename"] for row in listed}
    with pytest.raises(ValueError, match="no training piece to count the baselines on"):
        script.main(replace(basic, data_dir=data, out=tmp_path / "out"))


def test_the_options_of_a_shell_are_those_of_the_config(monkeypatch, maestro, tmp_path):
    arguments = ["--model", "lstm", "wavenet", "--data-dir", str(maestro), "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["evaluate.py", *arguments, "--seeds", "7"])
    config = script.parse_args()
    assert (config.model, config.seeds, config.out) == (("lstm", "wavenet"), 7, tmp_path)
    assert (config.seconds, config.seed_seconds, config.split) == (60.0, 10.0, "validation")
    assert config.training_index == BUNDLED_INDEX
