"""The store: packed rolls on disk, read by memory map."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import tune

from pyzzicato.pianoroll import notes_to_roll, pack_roll
from pyzzicato.training.store import RollStore, StoreWriter


def write(folder: Path, *lengths: int) -> list[np.ndarray]:
    """Writes a store of random pieces; returns their `(T, 88)` rolls."""
    rng = np.random.default_rng(0)
    rolls = [(rng.random((n, 88)) < 0.1).astype(np.uint8) for n in lengths]
    writer = StoreWriter(folder, fs=20, sustain="ignore")
    for i, roll in enumerate(rolls):
        writer.add(
            pack_roll(roll), composer="C", title=f"T{i}", split="train", path=f"{i}", n_notes=i
        )
    writer.close()
    return rolls


def test_pieces_come_back_as_they_were(tmp_path: Path) -> None:
    rolls = write(tmp_path / "new" / "store", 30, 1, 55)
    store = RollStore(tmp_path / "new" / "store")
    assert (store.fs, store.sustain) == (20, "ignore")
    assert [piece.length for piece in store.pieces] == [30, 1, 55]
    assert [piece.start for piece in store.pieces] == [0, 30, 31]
    assert [piece.n_notes for piece in store.pieces] == [0, 1, 2]
    for piece, roll in zip(store.pieces, rolls, strict=True):
        assert np.array_equal(store.frames(piece), roll)
    assert not list((tmp_path / "new" / "store").glob("*.part"))


def test_a_part_of_a_piece_never_reaches_into_the_next(tmp_path: Path) -> None:
    rolls = write(tmp_path, 30, 40)
    store = RollStore(tmp_path)
    first = store.pieces[0]
    assert np.array_equal(store.frames(first, 5, 10), rolls[0][5:15])
    assert np.array_equal(store.frames(first, 25, 10), rolls[0][25:])
    assert np.array_equal(store.frames(first, 29), rolls[0][29:])


def test_pieces_are_chosen_by_split_and_composer(store: RollStore) -> None:
    def titles(split: str, composers: list[str] | None = None) -> list[str]:
        return [piece.title for piece in store.of_split(split, composers)]

    assert titles("train") == ["Piece 0", "Piece 1", "Piece 2", "Piece 4"]
    assert titles("validation") == ["Piece 3", "Piece 5"]
    assert titles("train", ["Bach", "Debussy"]) == ["Piece 0", "Piece 1", "Piece 4"]
    assert titles("train", ["Satie"]) == []
    assert titles("test") == []


def test_released_memory_is_read_again(tmp_path: Path) -> None:
    rolls = write(tmp_path, 5000)
    store = RollStore(tmp_path)
    for _ in range(2):
        assert np.array_equal(store.frames(store.pieces[0]), rolls[0])
        store.release()


def write_long(folder: Path, n_pieces: int) -> RollStore:
    """Returns a store of silent pieces of 4.4 MB each."""
    writer = StoreWriter(folder, fs=20, sustain="extend")
    for i in range(n_pieces):
        packed = np.zeros((400_000, 11), np.uint8)
        writer.add(packed, composer="C", title=f"T{i}", split="train", path=f"{i}", n_notes=0)
    writer.close()
    return RollStore(folder)


def resident_bytes_of(file: Path) -> int:
    """Returns how much of a mapped file this process holds in memory (Linux)."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    start = next(i for i, line in enumerate(lines) if line.endswith(str(file)))
    rss = next(line for line in lines[start:] if line.startswith("Rss:"))
    return int(rss.split()[1]) * 1024


def test_frames_are_mapped_and_not_read_at_once(tmp_path: Path) -> None:
    store = write_long(tmp_path, 6)
    assert resident_bytes_of(tmp_path / "frames.bin") == 0
    store.frames(store.pieces[3], 1000, 10)
    # The system may map up to 2 MB around what is read.
    assert 0 < resident_bytes_of(tmp_path / "frames.bin") < 4.4e6


def test_each_piece_in_turn_gives_its_memory_back(tmp_path: Path) -> None:
    store = write_long(tmp_path, 6)
    held = [resident_bytes_of(tmp_path / "frames.bin") for _ in store.each(store.pieces)]
    assert len(held) == 6
    assert 0 < max(held) < 3 * 4.4e6


def test_an_unfinished_store_leaves_the_one_before(tmp_path: Path) -> None:
    rolls = write(tmp_path, 20)
    writer = StoreWriter(tmp_path, fs=10, sustain="extend")
    packed = pack_roll(notes_to_roll(tune(1)))
    writer.add(packed, composer="C", title="T", split="test", path="p", n_notes=5)
    assert np.array_equal(RollStore(tmp_path).frames(RollStore(tmp_path).pieces[0]), rolls[0])
    writer.close()
    after = RollStore(tmp_path)
    assert (after.fs, after.sustain, len(after.pieces)) == (10, "extend", 1)
    assert after.pieces[0].length == len(packed)


def test_a_folder_without_a_store_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no prepared data .*prepare_data\.py first"):
        RollStore(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"fs": 20, "sustain": "extend", "pieces": [1]}'])
def test_a_damaged_table_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, 20)
    (tmp_path / "store.json").write_text(text)
    with pytest.raises(ValueError, match="holds no prepared data"):
        RollStore(tmp_path)


def test_a_cut_off_frames_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 20)
    frames = (tmp_path / "frames.bin").read_bytes()
    (tmp_path / "frames.bin").write_bytes(frames[:-11])
    with pytest.raises(ValueError, match="must hold 20 frames, got 19; run .* again"):
        RollStore(tmp_path)
    (tmp_path / "frames.bin").write_bytes(frames[:-1])
    with pytest.raises(ValueError, match="holds no prepared data"):
        RollStore(tmp_path)


def test_a_table_that_points_outside_the_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path, 20, 20)
    table = json.loads((tmp_path / "store.json").read_text())
    table["pieces"][1]["start"] = 25
    (tmp_path / "store.json").write_text(json.dumps(table))
    with pytest.raises(ValueError, match="do not lie one after the other"):
        RollStore(tmp_path)
