"""The store: packed notes on disk, read by memory map."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import tune

from pyzzicato.notes import Note, shift_notes
from pyzzicato.training.store import NOTE, NoteStore, StoreWriter, pack_notes, unpack_notes


def random_packed(n: int, seed: int) -> np.ndarray:
    """Returns `(n,)` packed notes, the first at 0."""
    rng = np.random.default_rng(seed)
    notes = [
        Note(int(rng.integers(21, 109)), t / 1000, t / 1000 + 0.25, int(rng.integers(1, 128)))
        for t in (rng.integers(0, 60_000, n) if n else [])
    ]
    return pack_notes(notes)


def write(folder: Path, *lengths: int) -> list[np.ndarray]:
    """Writes a store of random pieces; returns their packed notes."""
    pieces = [random_packed(n, i) for i, n in enumerate(lengths)]
    writer = StoreWriter(folder, "ignore", "Tunes", "CC0 1.0")
    for i, packed in enumerate(pieces):
        writer.add(packed, composer="C", title=f"T{i}", split="train", path=f"{i}")
    writer.close()
    return pieces


def test_pieces_come_back_as_they_were(tmp_path: Path) -> None:
    pieces = write(tmp_path / "new" / "store", 30, 0, 1, 55)
    store = NoteStore(tmp_path / "new" / "store")
    assert (store.sustain, store.data, store.licence) == ("ignore", "Tunes", "CC0 1.0")
    assert [piece.length for piece in store.pieces] == [30, 0, 1, 55]
    assert [piece.start for piece in store.pieces] == [0, 30, 30, 31]
    for piece, packed in zip(store.pieces, pieces, strict=True):
        assert np.array_equal(store.packed(piece), packed)
        assert store.notes(piece) == unpack_notes(packed)
        assert piece.seconds == max((note.end for note in store.notes(piece)), default=0.0)
    assert not list((tmp_path / "new" / "store").glob("*.part"))


def test_a_part_of_a_piece_never_reaches_into_the_next(tmp_path: Path) -> None:
    pieces = write(tmp_path, 30, 40)
    store = NoteStore(tmp_path)
    first = store.pieces[0]
    assert np.array_equal(store.packed(first, 5, 10), pieces[0][5:15])
    assert np.array_equal(store.packed(first, 25, 10), pieces[0][25:])
    assert np.array_equal(store.packed(first, 29), pieces[0][29:])
    assert np.array_equal(store.packed(store.pieces[1], 0, 3), pieces[1][:3])


def test_a_note_takes_eight_bytes_and_is_rounded_to_milliseconds() -> None:
    assert NOTE.itemsize == 8
    packed = pack_notes([Note(60, 0.0, 0.5, 64), Note(61, 1.23456, 2.34567, 1)])
    assert packed.tolist() == [(0, 500, 60, 64), (1235, 1111, 61, 1)]
    assert unpack_notes(packed) == [Note(60, 0.0, 0.5, 64), Note(61, 1.235, 2.346, 1)]


def test_a_piece_begins_with_its_first_note_in_order_of_onset_and_pitch() -> None:
    notes = [Note(72, 5.0, 5.5, 9), Note(60, 5.0, 6.0, 7), Note(64, 4.5, 5.0, 8)]
    assert pack_notes(notes).tolist() == [(0, 500, 64, 8), (500, 1000, 60, 7), (500, 500, 72, 9)]
    assert np.array_equal(pack_notes(shift_notes(notes, 3.25)), pack_notes(notes))


def test_the_shortest_and_the_longest_notes_fit() -> None:
    packed = pack_notes([Note(21, 0.0, 0.0001, 1), Note(108, 0.0, 300.0, 127)])
    assert packed["duration"].tolist() == [1, 65535]
    assert [note.duration for note in unpack_notes(packed)] == pytest.approx([0.001, 65.535])


def test_a_piece_of_ten_hours_fits() -> None:
    packed = pack_notes([Note(60, 0.0, 1.0, 64), Note(60, 36_000.0, 36_001.0, 64)])
    assert unpack_notes(packed)[1] == Note(60, 36_000.0, 36_001.0, 64)


def test_no_notes_are_an_empty_piece() -> None:
    assert pack_notes([]).shape == (0,)
    assert unpack_notes(pack_notes([])) == []


def test_tunes_survive(store: NoteStore) -> None:
    back = store.notes(store.pieces[1])
    for note, original in zip(back, tune(7, 1), strict=True):
        assert (note.pitch, note.velocity) == (original.pitch, original.velocity)
        assert (note.start, note.end) == pytest.approx((original.start, original.end), abs=1e-3)


def test_pieces_are_chosen_by_split_and_composer(store: NoteStore) -> None:
    def titles(split: str, composers: list[str] | None = None) -> list[str]:
        return [piece.title for piece in store.of_split(split, composers)]

    assert titles("train") == ["Piece 0", "Piece 1", "Piece 2", "Piece 4"]
    assert titles("validation") == ["Piece 3", "Piece 5"]
    assert titles("train", ["Bach", "Debussy"]) == ["Piece 0", "Piece 1", "Piece 4"]
    assert titles("train", ["Satie"]) == []
    assert titles("test") == []


def test_all_pieces_on_disk_are_at_hand_at_any_time(store: NoteStore) -> None:
    chosen = store.of_split("train")
    assert list(store.at_hand(chosen, step=3, process=1, seed=2)) == chosen


def test_released_memory_is_read_again(tmp_path: Path) -> None:
    pieces = write(tmp_path, 5000)
    store = NoteStore(tmp_path)
    for _ in range(2):
        assert np.array_equal(store.packed(store.pieces[0]), pieces[0])
        store.release()


def write_long(folder: Path, n_pieces: int) -> NoteStore:
    """Returns a store of pieces of 4.4 MB each, two hundred times as long as real ones."""
    writer = StoreWriter(folder, "extend", "Tunes", "CC0 1.0")
    packed = np.zeros(550_000, dtype=NOTE)
    packed["pitch"], packed["velocity"], packed["duration"] = 60, 64, 100
    for i in range(n_pieces):
        writer.add(packed, composer="C", title=f"T{i}", split="train", path=f"{i}")
    writer.close()
    return NoteStore(folder)


def resident_bytes_of(file: Path) -> int:
    """Returns how much of a mapped file this process holds in memory (Linux)."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.endswith(str(file)))
    rss = next(line for line in lines[start:] if line.startswith("Rss:"))
    return int(rss.split()[1]) * 1024


def test_notes_are_mapped_and_not_read_at_once(tmp_path: Path) -> None:
    store = write_long(tmp_path, 6)
    assert resident_bytes_of(tmp_path / "notes.bin") == 0
    assert store.packed(store.pieces[3], 1000, 10)["pitch"].tolist() == [60] * 10
    # The system may map up to 2 MB around what is read.
    assert 0 < resident_bytes_of(tmp_path / "notes.bin") < 4.4e6


def test_each_piece_in_turn_gives_its_memory_back(tmp_path: Path) -> None:
    store = write_long(tmp_path, 6)
    file = tmp_path / "notes.bin"
    held = []
    # As `each` does, less the hundred thousands of `Note` that would only take time.
    for piece in store.pieces:
        store.packed(piece)["onset"].sum()
        held.append(resident_bytes_of(file))
        store.release()
    assert 0 < max(held) < 3 * 4.4e6
    assert resident_bytes_of(file) == 0


def test_each_yields_the_pieces_in_turn_and_lets_go_of_them(store: NoteStore) -> None:
    chosen = store.of_split("train")
    turns = store.each(chosen)
    for piece in chosen:
        assert next(turns) == store.notes(piece)
    assert next(turns, None) is None


def test_an_unfinished_store_leaves_the_one_before(tmp_path: Path) -> None:
    pieces = write(tmp_path, 20)
    writer = StoreWriter(tmp_path, "extend", "Tunes", "CC0 1.0")
    packed = pack_notes(tune(1))
    writer.add(packed, composer="C", title="T", split="test", path="p")
    before = NoteStore(tmp_path)
    assert np.array_equal(before.packed(before.pieces[0]), pieces[0])
    writer.close()
    after = NoteStore(tmp_path)
    assert (after.sustain, len(after.pieces)) == ("extend", 1)
    assert after.pieces[0].length == len(packed)


def test_a_folder_without_a_store_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no prepared data .*prepare_data\.py first"):
        NoteStore(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"sustain": "extend", "pieces": []}',
        '{"sustain": "extend", "data": "D", "licence": "L", "pieces": [1]}',
    ],
)
def test_a_damaged_table_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, 20)
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(ValueError, match="holds no prepared data"):
        NoteStore(tmp_path)


def test_a_store_of_another_form_is_refused(tmp_path: Path) -> None:
    """As an earlier release wrote it: rolls, whose table knows frames."""
    write(tmp_path, 20)
    table = json.loads((tmp_path / "store.json").read_text())
    table["pieces"][0]["n_notes"] = table["pieces"][0].pop("seconds")
    (tmp_path / "store.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match="holds no prepared data .*n_notes"):
        NoteStore(tmp_path)


def test_a_cut_off_file_of_notes_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 20)
    raw = (tmp_path / "notes.bin").read_bytes()
    (tmp_path / "notes.bin").write_bytes(raw[:-8])
    with pytest.raises(ValueError, match="must hold 20 notes, got 19; run .* again"):
        NoteStore(tmp_path)
    (tmp_path / "notes.bin").write_bytes(raw[:-1])
    with pytest.raises(ValueError, match="holds no prepared data"):
        NoteStore(tmp_path)


def test_a_table_that_points_outside_the_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 20, 20)
    table = json.loads((tmp_path / "store.json").read_text())
    table["pieces"][1]["start"] = 25
    (tmp_path / "store.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match="do not lie one after the other"):
        NoteStore(tmp_path)
