"""Any folder of MIDI files as training data: what is read, left out, kept apart and kept so."""

import csv
import json
import sys
from pathlib import Path

import numpy as np
import prepare_data
import pytest
from conftest import tiny_settings
from random_music import random_music

import train
from pyzzicato.midi import write_midi
from pyzzicato.notes import Note, end_of, stretch_notes, transpose_notes
from pyzzicato.training.music_folder import find_files
from pyzzicato.training.preparation import MIN_NOTES, prepare_folder
from pyzzicato.training.recipes import Recipe, Stage
from pyzzicato.training.sameness import find_doubles, group_pieces, piece_codes
from pyzzicato.training.splits import split_pieces
from pyzzicato.training.store import NoteStore


def put(folder: Path, name: str, notes: list[Note]) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_midi(notes, path)


@pytest.fixture
def music(tmp_path: Path) -> Path:
    """Returns a folder of ten pieces, nested, with a double, a broken file and other things."""
    folder = tmp_path / "my_band"
    for i in range(8):
        put(folder, f"Anna - Song {i}.mid", random_music(i, 120))
    put(folder, "live/two_steps.MIDI", random_music(8, 150))
    put(folder, "live/deeper/A waltz.mid", random_music(9, 150))
    put(folder, "again.mid", stretch_notes(transpose_notes(random_music(0, 120), -3), 1.05))
    put(folder, "live/short.mid", random_music(10, 60)[: MIN_NOTES - 1])
    (folder / "broken.mid").write_bytes(b"MThd and no more")
    (folder / "notes.txt").write_text("no music")
    put(folder, ".hidden/secret.mid", random_music(11, 100))
    return folder


def prepare(music: Path, out: Path, **options: object) -> NoteStore:
    prepare_folder(music, out, **options)  # type: ignore[arg-type]
    return NoteStore(out)


def splits_of(store: NoteStore) -> dict[str, str]:
    return {piece.path: piece.split for piece in store.pieces}


def test_a_folder_is_read_and_what_is_unfit_is_listed(music, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    arguments = ["prepare_data.py", "--midi-dir", str(music), "--out", str(out), "--processes", "1"]
    monkeypatch.setattr(sys, "argv", arguments)
    prepare_data.main(prepare_data.parse_args())
    said = capsys.readouterr().out
    assert "10 pieces, " in said and "1 of the pieces to validate on" in said
    assert "skipped: 0 absent, 2 broken" in said
    assert "left out: 1 doubles" in said
    store = NoteStore(out)
    names = {(piece.composer, piece.title) for piece in store.pieces}
    assert ("Anna", "Song 3") in names
    assert {("live", "two steps"), ("deeper", "A waltz")} <= names
    assert (store.data, store.licence) == ("my_band", "")
    listed = dict(json.loads((out / "skipped.json").read_text("utf-8")))
    assert listed.keys() == {"broken.mid", "live/short.mid", "again.mid"}
    assert "must have 8 notes, got 7" in listed["live/short.mid"]
    assert listed["again.mid"] == "a double of Anna - Song 0.mid"
    (piece,) = [p for p in store.pieces if p.title == "two steps"]
    notes = random_music(8, 150)
    assert piece.seconds == pytest.approx(end_of(notes) - notes[0].start, abs=0.01)
    assert sorted(n.pitch for n in store.notes(piece)) == sorted(n.pitch for n in notes)


def test_splits_stay_when_the_folder_grows_and_files_are_renamed(music, tmp_path):
    first = splits_of(prepare(music, tmp_path / "out"))
    assert sorted(first.values()) == 9 * ["train"] + ["validation"]
    assert splits_of(prepare(music, tmp_path / "other")) == first
    for i in range(20, 50):
        put(music, f"Berta - {i}.mid", random_music(i, 60))
    (music / "Anna - Song 3.mid").rename(music / "Anna - Song III.mid")
    later = splits_of(prepare(music, tmp_path / "out"))
    later["Anna - Song 3.mid"] = later.pop("Anna - Song III.mid")
    assert {path: later[path] for path in first} == first
    assert list(later.values()).count("validation") == 4


def test_performances_of_one_piece_are_never_split(tmp_path):
    rng = np.random.default_rng(0)
    for i in range(6):
        notes = random_music(i, 200)
        for take in range(2):
            # Every sixth note or so is another one: another performance, and no double.
            other = [
                Note(n.pitch + 1, n.start, n.end, n.velocity) if rng.random() < 0.06 else n
                for n in notes
            ]
            put(tmp_path / "music", f"{i}-{take}.mid", other)
    for share in (0.1, 0.3, 0.5):
        store = prepare(tmp_path / "music", tmp_path / f"out{share}", validation=share)
        assert len(store.pieces) == 12
        splits = splits_of(store)
        for i in range(6):
            assert splits[f"{i}-0.mid"] == splits[f"{i}-1.mid"]
        assert list(splits.values()).count("validation") == pytest.approx(12 * share, abs=1.01)


def test_a_table_says_more_than_names_do(music, tmp_path):
    rows = [
        "File;Composer;Title;Split;Licence",
        "Anna - Song 1.mid;Clara;Her song;validation;MIT",
        "two_steps.MIDI;Dora;Two-step;train;",
    ]
    (music / "list.csv").write_text("﻿" + "\n".join(rows), encoding="utf-8")
    store = prepare(music, tmp_path / "out", licence="CC BY 4.0", name="Band")
    found = {piece.path: piece for piece in store.pieces}
    values = found["Anna - Song 1.mid"]
    assert (values.composer, values.title, values.split, values.licence) == (
        ("Clara", "Her song", "validation", "MIT")
    )
    assert (found["live/two_steps.MIDI"].composer, found["live/two_steps.MIDI"].split) == (
        ("Dora", "train")
    )
    assert store.sources()["Band"] == {
        "licences": ["CC BY 4.0", "MIT"],
        "splits": ["train", "validation"],
    }
    (music / "list.csv").write_text("a,b\n1,2\n")
    assert find_files(music)[0].composer == "Anna"  # a table of something else
    with pytest.raises(ValueError, match=r"list\.csv must have a column of paths"):
        find_files(music, music / "list.csv")
    (music / "list.csv").write_text("path,split\nagain.mid,dev\n")
    with pytest.raises(ValueError, match=r"split of again\.mid must be one of .* got 'dev'"):
        find_files(music)


def test_folders_without_enough_music_are_refused(music, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"must hold MIDI files .* got none"):
        prepare(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(ValueError, match="must be a folder with MIDI files"):
        prepare(tmp_path / "nowhere", tmp_path / "out")
    put(tmp_path / "one", "a.mid", random_music(0, 50))
    put(tmp_path / "one", "b.mid", transpose_notes(random_music(0, 50), 2))
    put(tmp_path / "one", "c.mid", random_music(1, 50)[:5])
    left_out = r"got 1; add music. Left out: c.mid \(.*got 5\), b.mid \(a double of a.mid\)"
    with pytest.raises(ValueError, match=f"2 different pieces at least, .* {left_out}"):
        prepare(tmp_path / "one", tmp_path / "out")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.mid").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="none of the 1 MIDI files is fit: MIDI file"):
        prepare(tmp_path / "bad", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_damaged_table_of_splits_is_not_guessed_at(music, tmp_path):
    prepare(music, tmp_path / "out")
    with (tmp_path / "out" / "splits.csv").open(encoding="utf-8") as file:
        assert len({row["sha256"] for row in csv.DictReader(file)}) == 10
    (tmp_path / "out" / "splits.csv").write_text("path\na.mid\n")
    with pytest.raises(ValueError, match=r"splits\.csv is not a table of splits"):
        prepare(music, tmp_path / "out")


# What makes two files one piece ---------------------------------------------------------------


def retimed(notes: list[Note], seed: int = 0) -> list[Note]:
    moved = np.random.default_rng(seed).normal(0, 0.001, len(notes))
    return [
        Note(n.pitch, max(0.0, n.start + m), max(0.0, n.start + m) + n.duration, n.velocity)
        for n, m in zip(notes, moved.tolist(), strict=True)
    ]


def test_doubles_are_found_in_any_key_and_at_any_tempo():
    notes = random_music(1, 400)
    copies = [
        transpose_notes(notes, 4),
        stretch_notes(notes, 0.8),
        retimed(notes),
        [Note(n.pitch, n.start, n.end, 127 - n.velocity) for n in notes],
        notes[5:],
    ]
    others = [random_music(2, 400), notes[:250], notes[200:] + random_music(3, 200)]
    codes = [piece_codes(piece) for piece in (notes, *copies, *others)]
    assert find_doubles(codes) == {i + 1: 0 for i in range(len(copies))}


def test_parts_of_a_piece_are_the_same_piece():
    notes = random_music(1, 400)
    pieces = [notes, random_music(2, 400), notes[:200], transpose_notes(notes[150:], 3)]
    assert group_pieces([piece_codes(piece) for piece in pieces]) == [0, 1, 0, 0]


@pytest.mark.parametrize("keys", [[60], [60, 64], [60] * 30, list(range(40, 80)), [60, 72] * 20])
def test_plain_pieces_are_known_by_something(keys):
    def line(keys):
        return [Note(key, i * 0.25, i * 0.25 + 0.2, 64) for i, key in enumerate(keys)]

    codes = [piece_codes(line(its)) for its in (keys, [key + 1 for key in keys], [62, 65, 61] * 9)]
    assert all(len(its) for its in codes)
    assert find_doubles(codes) == {1: 0}


def test_splits_that_were_decided_before_are_kept_where_they_can_be():
    ids = ["a", "b", "c", "d"]
    kept = {"a": "validation", "b": "train"}
    assert split_pieces(ids, [0, 1, 2, 3], 0.25, kept) == ["validation", "train", "train", "train"]
    # c is another performance of what a and b turned out to be: it is not learnt from.
    assert split_pieces(ids, [0, 0, 0, 1], 0.25, kept) == [
        "validation", "train", "validation", "train",
    ]  # fmt: skip
    with pytest.raises(ValueError, match="must leave a piece to learn from"):
        split_pieces(["a", "b"], [0, 1], 0.5, {"a": "train", "b": "train"})
    for share in (0, 1, float("nan")):
        with pytest.raises(ValueError, match="share must be above 0 and below 1"):
            split_pieces(ids, [0, 1, 2, 3], share)


@pytest.mark.parametrize("more", [[], ["--out", "x", "--explore", "y"]])
def test_any_folder_wants_a_place_to_go(music, monkeypatch, capsys, more):
    monkeypatch.setattr(sys, "argv", ["prepare_data.py", "--midi-dir", str(music), *more])
    with pytest.raises(SystemExit):
        prepare_data.parse_args()
    assert "name --out" in (said := capsys.readouterr().err) or "takes --out and no" in said


def test_music_without_a_licence_is_not_trained_on_to_be_published(music, tmp_path, hub):
    prepare(music, tmp_path / "notes")
    config = train.TrainConfig(
        tmp_path / "notes",
        tmp_path / "run",
        Recipe((Stage("", tiny_settings()),)),
        push_to_hub="me/mine",
    )
    with pytest.raises(ValueError, match="needs to know the licence .* --licence"):
        train.main(config)
    assert not (tmp_path / "run").exists()
