"""`python -m pyzzicato evaluate`, as a user types it."""

import json
from pathlib import Path

import pytest
from conftest import tune
from excerpt_builder import playing, silent, small_index

from pyzzicato.__main__ import main
from pyzzicato.evaluation.stability import measure_stability
from pyzzicato.midi import write_midi
from pyzzicato.notes import end_of


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """Returns a folder of seven pieces of twenty seconds, one of five, and one broken."""
    folder = tmp_path_factory.mktemp("real music")
    for i in range(7):
        write_midi(playing(i).joined, folder / f"real {i}.mid")
    write_midi(tune(5), folder / "short.mid")
    (folder / "broken.mid").write_bytes(b"no music")
    return folder


def put(folder: Path, **excerpts: object) -> Path:
    """Writes excerpts, seeds included, and returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, excerpt in excerpts.items():
        write_midi(excerpt.joined, folder / f"{name}.mid")
    return folder


@pytest.fixture(scope="module")
def index(tmp_path_factory):
    """Returns the file of a small training index; the bundled one takes seconds to load."""
    return small_index().save(tmp_path_factory.mktemp("index") / "index.npz")


@pytest.fixture
def evaluate(index):
    """Returns the command as a function of files, reference, folder and more options."""

    def run(files: object, reference: Path, out: Path, *options: object) -> int:
        arguments = [files, "--reference", reference, "--out", out, "--training-index", index]
        return main(["evaluate", *map(str, [*arguments, *options])])

    return run


def read(out: Path) -> dict:
    def refuse(name):
        raise AssertionError(f"{name} in report.json")

    return json.loads((out / "report.json").read_text(encoding="utf-8"), parse_constant=refuse)


def test_files_are_measured_beside_the_reference(evaluate, tmp_path, reference, capsys):
    files = put(tmp_path / "some, files", one=playing(20), two=playing(21))
    out = tmp_path / "report"
    assert evaluate(files, reference, out, "--skip", 5, "--seconds", 14) == 0
    report = read(out)
    assert list(report["systems"]) == ["real", "files"]
    assert [system["n"] for system in report["systems"].values()] == [7, 2]
    assert report["systems"]["files"]["distribution"]["mean_oa"] > 0
    assert "ceiling" in report
    # Two of the reference pieces are in the index.
    assert report["systems"]["real"]["rates"]["copied"]["count"] == 2
    assert report["systems"]["files"]["rates"]["copied"]["count"] == 0
    assert [piece["name"] for piece in report["files"]] == ["one.mid", "two.mid"]
    seconds = {
        system["measures"]["seconds"][end]
        for system in report["systems"].values()
        for end in ("p5", "p95")
    }
    assert seconds == {14.0}
    said = capsys.readouterr()
    assert str(out / "report.md") in said.out
    assert "one.mid: no passage" in said.out or "one.mid: longest passage" in said.out
    assert "2 of 9 reference files" in said.err
    page = (out / "report.md").read_text(encoding="utf-8")
    assert "2 MIDI files, of each of which 14 s after its seed (the first 5 s) is measured" in page
    assert [file for _, file in report["pictures"]] == [
        "measures.png",
        "roll-files-best.png",
        "roll-files-median.png",
        "roll-files-worst.png",
    ]
    for _, file in report["pictures"]:
        assert (out / file).read_bytes().startswith(b"\x89PNG")


def test_measures_are_those_of_the_notes_after_the_seed(evaluate, tmp_path, reference):
    files = put(tmp_path / "files", one=playing(20))
    out = tmp_path / "report"
    assert evaluate(files / "one.mid", reference, out, "--skip", 5, "--seconds", 15) == 0
    found = read(out)["files"][0]["stability"]
    expected = measure_stability(playing(20).notes, 15.0)
    assert found["n_notes"] == expected.n_notes
    assert found["silent_share"] == pytest.approx(expected.silent_share, abs=1e-3)
    assert found["distinct_8grams"] == pytest.approx(expected.distinct_8grams, abs=0.05)


def test_without_options_whole_files_are_measured(evaluate, tmp_path, reference):
    files = put(tmp_path / "files", one=playing(20))
    out = tmp_path / "report"
    assert evaluate(files, reference, out) == 0
    report = read(out)
    length = end_of(playing(20).joined)
    assert report["files"][0]["stability"]["seconds"] == pytest.approx(length, abs=2e-3)
    assert report["files"][0]["tonality"]["kinship"] is None
    assert report["systems"]["real"]["measures"]["kinship"]["n"] == 0


def test_files_that_cannot_be_measured_are_left_out_and_said(evaluate, tmp_path, reference, capsys):
    files = put(tmp_path / "files", music=playing(20), silence=silent(20))
    (files / "bad.mid").write_bytes(b"no music")
    out = tmp_path / "report"
    assert evaluate(files, reference, out, "--skip", 5) == 0
    said = capsys.readouterr().err
    page = (out / "report.md").read_text(encoding="utf-8")
    assert [piece["name"] for piece in read(out)["files"]] == ["music.mid"]
    for text in (said, page):
        assert "silence.mid: it ends at" in text
        assert "bad.mid" in text
    assert str(tmp_path) not in page


def test_a_silent_continuation_is_judged_where_its_length_is_known(evaluate, tmp_path, reference):
    files = put(tmp_path / "files", music=playing(20), silence=silent(20))
    out = tmp_path / "report"
    assert evaluate(files, reference, out, "--skip", 5, "--seconds", 15) == 0
    rates = read(out)["systems"]["files"]["rates"]
    assert (rates["mostly_silent"]["count"], rates["dried_up"]["count"]) == (1, 1)


def test_without_usable_reference_files_stand_alone(evaluate, tmp_path, reference, capsys):
    files = put(tmp_path / "files", one=playing(20))
    out = tmp_path / "report"
    assert evaluate(files, reference, out, "--seconds", 300) == 0
    assert list(read(out)["systems"]) == ["files"]
    assert "9 of 9 reference files" in capsys.readouterr().err
    assert "no reference music" in (out / "report.md").read_text(encoding="utf-8")


def test_a_file_is_not_its_own_reference(evaluate, tmp_path, reference):
    out = tmp_path / "report"
    assert evaluate(reference / "real 0.mid", reference, out, "--seconds", 10) == 0
    assert read(out)["systems"]["real"]["n"] == 6


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--skip", "-1"], "skip must be 0 or above, got -1"),
        (["--seconds", "0"], "seconds must be 1 or above, got 0"),
        (["--skip", "500"], "none of the files can be measured: one.mid: it ends at"),
        (["--training-index", "absent.npz"], "training index 'absent.npz' cannot be read"),
    ],
)
def test_bad_options_are_one_clear_line(evaluate, tmp_path, reference, capsys, options, said):
    files = put(tmp_path / "files", one=playing(20))
    assert evaluate(files, reference, tmp_path / "report", *options) == 2
    err = capsys.readouterr().err
    assert f"error: {said}" in err
    assert "Traceback" not in err


def test_bad_paths_are_one_clear_line(evaluate, tmp_path, reference, capsys):
    assert evaluate(tmp_path / "absent", reference, tmp_path / "report") == 2
    assert "absent does not exist; name MIDI files or folders" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    files = put(tmp_path / "files", one=playing(20))
    assert evaluate(files, tmp_path / "empty", tmp_path / "report") == 2
    assert "no MIDI file in" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert evaluate(files, reference, tmp_path / "file" / "report") == 2
    assert "cannot be made" in capsys.readouterr().err
