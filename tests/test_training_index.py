import io
import json
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
from random_music import line, random_music

from pyzzicato.evaluation import training_index
from pyzzicato.evaluation.fingerprints import distinctive_grams, gram_hashes, playing_order
from pyzzicato.evaluation.training_index import COMMON_COMPOSERS, REST, TrainingIndex
from pyzzicato.notes import Note

PIECES = [
    ("Johann Sebastian Bach", "Fugue", random_music(1)),
    ("Frédéric Chopin", "Étude", random_music(2, 300)),
    ("Nobody", "Silence", []),
    ("Claude Debussy", "One note", line([60])),
    ("Johann Sebastian Bach", "Prelude", random_music(3)),
]


@pytest.fixture(scope="module")
def index() -> TrainingIndex:
    return TrainingIndex.build(PIECES)


@pytest.fixture
def saved(index: TrainingIndex, tmp_path: Path) -> Path:
    return index.save(tmp_path / "index.npz")


def rewrite(path: Path, **arrays: object) -> None:
    """Replaces arrays of a saved index."""
    with np.load(path) as file:
        np.savez_compressed(path, **{**file, **arrays})


def search(index: TrainingIndex, notes: list[Note]) -> dict[int, list[int]]:
    """Returns the places of each gram of some notes."""
    pitches = playing_order(notes)[1]
    found: dict[int, list[int]] = {}
    for gram, place in zip(
        *index.find(gram_hashes(pitches), distinctive_grams(pitches)), strict=True
    ):
        found.setdefault(int(gram), []).append(int(place))
    return found


def test_pieces_are_found_where_they_are(index: TrainingIndex) -> None:
    assert index.labels == tuple((c, t) for c, t, notes in PIECES if notes)
    assert index.n_notes == sum(len(notes) for _, _, notes in PIECES)
    for composer, title, notes in (PIECES[0], PIECES[1], PIECES[4]):
        onsets, pitches = playing_order(notes)
        found = search(index, notes)
        assert len(found) > len(notes) / 4
        for gram, (place, *others) in found.items():
            assert not others
            here = np.arange(place, place + 8)
            assert np.array_equal(index.pitches_at(here), pitches[gram : gram + 8])
            assert index.name_place(place)[:2] == (composer, title)
            assert index.name_place(place)[2] == pytest.approx(onsets[gram], abs=1.5)


def test_rests_lie_around_each_piece(index: TrainingIndex) -> None:
    n_places = index.n_notes + 8 * (len(index.labels) + 1)
    pitches = index.pitches_at(np.arange(-3, n_places + 3))
    sounding = pitches != REST
    assert sounding.sum() == index.n_notes
    assert not sounding[:11].any()
    assert not sounding[-11:].any()
    starts = np.flatnonzero(np.diff(sounding.astype(int)) == 1) + 1
    assert np.diff(starts).tolist() == [len(notes) + 8 for _, _, notes in PIECES if notes][:-1]


def test_a_place_next_to_a_piece_is_named_after_it(index: TrainingIndex) -> None:
    last = 8 + len(PIECES[0][2]) - 1
    assert index.name_place(last + 1)[1] == "Fugue"
    assert index.name_place(last + 8)[1] == "Étude"
    assert index.name_place(7) == ("Johann Sebastian Bach", "Fugue", 0.5)


def test_what_many_composers_wrote_is_no_fingerprint() -> None:
    notes = random_music(4)
    few = [(f"Composer {i % (COMMON_COMPOSERS - 1)}", f"{i}", notes) for i in range(9)]
    assert all(len(places) == 9 for places in search(TrainingIndex.build(few), notes).values())
    assert TrainingIndex.build(few).n_fingerprints > 0
    many = [(f"Composer {i % COMMON_COMPOSERS}", f"{i}", notes) for i in range(9)]
    assert TrainingIndex.build(many).n_fingerprints == 0


def test_the_rarest_grams_are_looked_up_first(monkeypatch: pytest.MonkeyPatch) -> None:
    often, once = random_music(5), random_music(6)
    index = TrainingIndex.build([("A", str(i), often) for i in range(5)] + [("A", "6", once)])
    piece = [*often, *(Note(n.pitch, n.start + 100, n.end + 100, 64) for n in once)]
    everything = search(index, piece)
    rare = {gram: places for gram, places in everything.items() if len(places) == 1}
    assert len(rare) < len(everything)
    monkeypatch.setattr(training_index, "MAX_HITS", len(rare) + 4)
    assert search(index, piece) == rare


def test_save_and_load_keep_everything(index: TrainingIndex, saved: Path) -> None:
    loaded = TrainingIndex.load(saved)
    assert loaded.labels == index.labels
    assert (loaded.n_notes, loaded.n_fingerprints) == (index.n_notes, index.n_fingerprints)
    for _, _, notes in PIECES:
        assert search(loaded, notes) == search(index, notes)
    for place in range(0, index.n_notes, 17):
        assert loaded.name_place(place) == index.name_place(place)
    assert loaded.save(saved.with_name("again.npz")).read_bytes() == saved.read_bytes()


def test_an_empty_index_is_an_index(tmp_path: Path) -> None:
    path = TrainingIndex.build([]).save(tmp_path / "empty.npz")
    empty = TrainingIndex.load(path)
    assert (empty.labels, empty.n_notes, empty.n_fingerprints) == ((), 0, 0)
    assert search(empty, random_music(1)) == {}


def test_absurd_times_are_refused() -> None:
    with pytest.raises(ValueError, match="struck within 86400 s, got one at 90000 s in 'Long'"):
        TrainingIndex.build([("A", "Long", [Note(60, 90_000.0, 90_001.0, 64)])])


def test_a_path_that_cannot_be_written_or_read(index: TrainingIndex, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose an existing folder"):
        index.save(tmp_path / "absent" / "index.npz")
    with pytest.raises(ValueError, match=r"check the path, or make one with .*build_index"):
        TrainingIndex.load(tmp_path / "absent.npz")
    with pytest.raises(ValueError, match="cannot be read"):
        TrainingIndex.load(tmp_path)


@pytest.mark.parametrize("content", [b"", b"MThd", b"PK\x05\x06" + bytes(18)])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "index.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="make it anew"):
        TrainingIndex.load(path)


WRONG = {
    "version": ({"format": np.array([2], np.uint8)}, "format must be 1"),
    "labels": ({"labels": np.frombuffer(b'[["a"]]', np.uint8)}, "composer and a title"),
    "no list": ({"labels": np.frombuffer(b'{"a": 1}', np.uint8)}, "must be a list"),
    "deep": ({"labels": np.frombuffer(b"[" * 100_000, np.uint8)}, "cannot be read"),
    "fewer labels": ({"labels": np.frombuffer(b'[["a", "b"]]', np.uint8)}, "one length for each"),
    "lengths": ({"lengths": np.array([1, 1, 1, 1], np.uint32)}, "must add up"),
    "no length": ({"lengths": np.array([0, 1, 1, 1], np.uint32)}, "one length for each"),
    "huge": ({"lengths": np.full(4, 2**32 - 1, np.uint32)}, "must add up"),
    "type": ({"lengths": np.array([1.0, 1.0])}, "must be a list of u4"),
    "shape": ({"pitches": np.zeros((2, 2), np.int8)}, "must be a list of i1"),
    "pickle": ({"times": np.array([{}], dtype=object)}, "must be a list of i4"),
}


@pytest.mark.parametrize(("arrays", "message"), WRONG.values(), ids=WRONG)
def test_arrays_that_disagree_are_refused(
    arrays: dict[str, np.ndarray], message: str, saved: Path
) -> None:
    rewrite(saved, **arrays)
    with pytest.raises(ValueError, match=message):
        TrainingIndex.load(saved)


def test_pitches_outside_the_keyboard_and_times_before_0_are_refused(saved: Path) -> None:
    with np.load(saved) as file:
        pitches, times = file["pitches"].copy(), file["times"].copy()
    pitches[0] = 127
    times[0] = -1
    for arrays in ({"pitches": pitches}, {"times": times}):
        rewrite(saved, **arrays)
        with pytest.raises(ValueError, match="pitches must be 21 to 108, times from 0"):
            TrainingIndex.load(saved)


def test_a_file_that_unpacks_to_too_much_is_refused(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training_index, "MAX_FILE_BYTES", 1000)
    with pytest.raises(ValueError, match="unpacked size must be at most 1000 bytes"):
        TrainingIndex.load(saved)


def test_a_header_that_announces_more_than_there_is_is_refused(saved: Path) -> None:
    with zipfile.ZipFile(saved) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    stream = io.BytesIO()
    header = {"descr": "<i4", "fortran_order": False, "shape": (10**12,)}
    np.lib.format.write_array_header_1_0(stream, header)
    members["times.npy"] = stream.getvalue() + bytes(8)
    with zipfile.ZipFile(saved, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match=r"times must be a list of i4, got \(1000000000000,\)"):
        TrainingIndex.load(saved)


def test_nothing_in_a_file_is_executed(saved: Path, tmp_path: Path) -> None:
    trap = tmp_path / "sprung"

    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str, ...]]:
            return (exec, (f"open({str(trap)!r}, 'w')",))

    rewrite(saved, labels=np.array([Trap()], dtype=object))
    with pytest.raises(ValueError, match="labels must be a list of u1"):
        TrainingIndex.load(saved)
    assert not trap.exists()
    pickle.loads(pickle.dumps(Trap()))
    assert trap.exists()


def test_damaged_files_are_refused_or_harmless(saved: Path) -> None:
    whole = saved.read_bytes()
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(150):
        data = bytearray(whole[: rng.integers(1, len(whole))] if rng.random() < 0.2 else whole)
        for at in rng.integers(0, len(data), 3):
            data[at] = rng.integers(0, 256)
        saved.write_bytes(data)
        try:
            TrainingIndex.load(saved)
        except ValueError as error:
            assert "cannot be read" in str(error)
            refused += 1
    assert refused > 100


def test_names_are_kept_as_utf_8(saved: Path) -> None:
    with np.load(saved, allow_pickle=False) as file:
        assert json.loads(file["labels"].tobytes())[1] == ["Frédéric Chopin", "Étude"]
