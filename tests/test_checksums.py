"""Manifests of hashes: collections named by what their files hold."""

import subprocess
import sys

import manifest
import prepare_data
import pytest

from pyzzicato.training.checksums import (
    check_collections,
    file_hash,
    read_manifest,
    write_manifest,
)
from pyzzicato.training.store import NoteStore


def test_hashes_are_those_that_any_machine_computes(tmp_path):
    (tmp_path / "a b.mid").write_bytes(b"abc")
    (tmp_path / "empty.mid").write_bytes(b"")
    out = tmp_path / "lists" / "mine.sha256"
    own = write_manifest(tmp_path, ["empty.mid", "a b.mid", "absent.mid"], out)
    # The digests of "abc" and of nothing are in FIPS 180-2 and everywhere.
    assert out.read_text() == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  a b.mid\n"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  empty.mid\n"
    )
    assert own == file_hash(out)
    assert set(read_manifest(out, own)) == {"a b.mid", "empty.mid"}
    with pytest.raises(ValueError, match="must have the SHA-256 0000, got"):
        read_manifest(out, "0000")
    with pytest.raises(ValueError, match="must hold files of the collection"):
        write_manifest(tmp_path, ["absent.mid"], out)


@pytest.mark.parametrize("text", ["", "no hash", "ab12  file", "\x00"])
def test_what_is_no_manifest_is_refused(tmp_path, text):
    (tmp_path / "x.sha256").write_text(text)
    with pytest.raises(ValueError, match="is not a manifest of hashes"):
        read_manifest(tmp_path / "x.sha256")
    with pytest.raises(ValueError, match="is not a manifest of hashes"):
        read_manifest(tmp_path / "absent.sha256")


def run(monkeypatch, script, *words):
    monkeypatch.setattr(sys, "argv", ["script.py", *map(str, words)])
    return script.main(script.parse_args())


def test_a_manifest_a_collection_is_written_and_checked(maestro, collection, tmp_path, monkeypatch):
    out = tmp_path / "manifests"
    run(monkeypatch, manifest, "--data-dir", maestro, "--out", out)
    sources = ("--sources", "rolls", "scores")
    run(monkeypatch, manifest, "--data-dir", collection, *sources, "--out", out)
    assert {path.name: len(read_manifest(path)) for path in out.iterdir()} == {
        "maestro-v2.0.0.sha256": 8,  # of nine rows one file is absent
        "rolls.sha256": 2,
        "scores.sha256": 1,
    }
    checked = ("--data-dir", maestro, "--check", out / "maestro-v2.0.0.sha256")
    assert run(monkeypatch, manifest, *checked) == 0
    assert run(monkeypatch, manifest, *checked[2:], "--data-dir", collection) == 8


def test_data_is_prepared_only_as_its_manifest_says(collection, tmp_path, monkeypatch, capsys):
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", collection, copy], check=True)
    out = tmp_path / "manifests"
    own = ("--data-dir", copy, "--sources", "rolls", "scores")
    run(monkeypatch, manifest, *own, "--out", out)
    prepare = (*own, "--out", tmp_path / "notes", "--processes", 1, "--manifest")
    run(monkeypatch, prepare_data, *prepare, out / "rolls.sha256", out / "scores.sha256")
    assert len(NoteStore(tmp_path / "notes").pieces) == 3
    run(monkeypatch, prepare_data, *prepare, out / "rolls.sha256")
    assert "2 files are as the manifests say; 1 are not in them" in capsys.readouterr().out
    assert {p.source for p in NoteStore(tmp_path / "notes").pieces} == {"rolls"}
    (copy / "rolls" / "a.mid").write_bytes((copy / "rolls" / "b.mid").read_bytes())
    (copy / "rolls" / "b.mid").unlink()
    with pytest.raises(ValueError, match=r"rolls/a\.mid has other bytes; rolls/b\.mid is absent"):
        run(monkeypatch, prepare_data, *prepare, out / "rolls.sha256")
    with pytest.raises(ValueError, match="none of the files is listed"):
        check_collections([out / "rolls.sha256"], [("other.mid", copy / "other.mid")])
