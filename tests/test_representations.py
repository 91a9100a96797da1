"""Crops: the steps of the whole piece, changed as notes would be."""

from pathlib import Path

import numpy as np
import pytest
from conftest import tiny_config, tune
from random_music import random_music

from pyzzicato.notes import Note, separate_strokes, stretch_notes, transpose_notes
from pyzzicato.representations import Representation, representation_of
from pyzzicato.representations.event_bins import ONSET_TICKS, TICK_S, encode_events
from pyzzicato.representations.note_events import NoteEvents
from pyzzicato.representations.passages import Change
from pyzzicato.representations.pianoroll import notes_to_roll
from pyzzicato.representations.roll import PianoRoll
from pyzzicato.representations.roll_passages import transpose_frames
from pyzzicato.training.held_out import middle_crops
from pyzzicato.training.store import NoteStore, StoreWriter, pack_notes

FS = 20


def store_of(folder: Path, *pieces: list[Note]) -> NoteStore:
    """Returns a store of the pieces."""
    writer = StoreWriter(folder, "extend", "Tunes", "CC0 1.0")
    for notes in pieces:
        writer.add(pack_notes(notes), composer="C", title="T", split="train", path="p")
    writer.close()
    return NoteStore(folder)


def long_notes(n: int, seed: int) -> list[Note]:
    """Returns notes of up to 4 s, each key struck now and then while it sounds, as pianists do."""
    rng = np.random.default_rng(seed)
    onsets = np.sort(rng.integers(0, n * 2, n)) / 10
    lengths = rng.integers(1, 40, n) / 10
    notes = [
        Note(int(rng.integers(50, 70)), float(a), float(a + b), 64)
        for a, b in zip(onsets, lengths, strict=True)
    ]
    return separate_strokes(notes)[0]


def test_the_representation_is_the_configs() -> None:
    assert representation_of(tiny_config(fs=25)) == PianoRoll(25)
    assert representation_of(tiny_config(representation="events", head="notes")) == NoteEvents()


def test_rolls_and_events_are_encoded_as_elsewhere() -> None:
    roll = PianoRoll(FS).encode(tune())
    assert np.array_equal(roll, notes_to_roll(tune()) > 0)
    assert roll.max() == 1
    assert np.array_equal(NoteEvents().encode(tune()), encode_events(tune()))


def test_change_by_hand() -> None:
    packed = pack_notes([Note(60, 0.0, 1.0, 9), Note(62, 0.5, 3.0, 8), Note(107, 2.0, 2.5, 7)])
    # From 1 s on the first has ended and the second goes on.
    assert Change().apply(packed, 1.0) == [Note(62, 0.0, 2.0, 8), Note(107, 1.0, 1.5, 7)]
    assert Change(stretch=2.0).apply(packed, 1.0) == [Note(62, 0.0, 4.0, 8), Note(107, 2.0, 3.0, 7)]
    assert Change(semitones=1).apply(packed, 2.0) == [Note(63, 0.0, 1.0, 8), Note(108, 0.0, 0.5, 7)]
    # Off the keyboard it is dropped.
    assert Change(semitones=2).apply(packed, 2.0) == [Note(64, 0.0, 1.0, 8)]


def test_an_unchanged_passage_from_0_is_the_piece(store: NoteStore) -> None:
    for piece in store.pieces:
        assert Change().apply(store.packed(piece), 0.0) == store.notes(piece)


@pytest.mark.parametrize("seed", [0, 1])
def test_a_crop_of_a_roll_is_cut_from_the_whole_roll(tmp_path: Path, seed: int) -> None:
    notes = long_notes(300, seed)
    store = store_of(tmp_path, notes)
    (piece,) = store.pieces
    steps = PianoRoll(FS)
    whole = steps.encode(store.notes(piece))
    assert steps.room(piece, 100) == len(whole) - 100 + 1
    for place in (0, 1, 137, 500, len(whole) - 100):
        crop = steps.crop(store, piece, place, 100, Change())
        assert crop.shape == (100, 88) and crop.dtype == np.uint8
        expected = whole[place : place + 100]
        # At the cut itself the gap before a new stroke may be a frame or two off.
        assert np.array_equal(crop[2:-1], expected[2:-1])
        assert np.mean(crop != expected) < 1e-3


def test_a_note_held_for_long_is_let_go_when_it_was_struck_over_15_s_ago(tmp_path: Path) -> None:
    store = store_of(tmp_path, [Note(60, 0.0, 40.0, 64), Note(72, 39.0, 40.0, 64)])
    steps = PianoRoll(FS)
    held = [
        steps.crop(store, store.pieces[0], 20 * s, 20, Change())[:, 39].all() for s in (14, 15, 16)
    ]
    assert held == [True, True, False]


def test_crops_of_a_roll_end_where_the_piece_ends(tmp_path: Path) -> None:
    store = store_of(tmp_path, tune(3))
    (piece,) = store.pieces
    steps = PianoRoll(FS)
    n = len(steps.encode(tune(3)))
    assert steps.room(piece, 100) == 1
    assert np.array_equal(steps.crop(store, piece, 0, 100, Change()), steps.encode(tune(3)))
    assert len(steps.crop(store, piece, n - 10, 100, Change())) == 10
    # Slower, there is more of it.
    assert len(steps.crop(store, piece, n - 10, 100, Change(stretch=2.0))) == 20


def test_a_piece_without_notes_is_a_silent_frame_or_no_note(tmp_path: Path) -> None:
    store = store_of(tmp_path, [], tune(1))
    empty = store.pieces[0]
    assert PianoRoll(FS).room(empty, 10) == NoteEvents().room(empty, 10) == 1
    assert PianoRoll(FS).crop(store, empty, 0, 10, Change()).tolist() == [[0] * 88]
    assert NoteEvents().crop(store, empty, 0, 10, Change()).shape == (0, 4)


@pytest.mark.parametrize("semitones", [-11, -1, 5])
def test_a_transposed_crop_is_a_crop_of_the_transposed_piece(
    tmp_path: Path, semitones: int
) -> None:
    # The highest keys leave the keyboard when they are moved up.
    notes = [*tune(8), Note(108, 3.0, 3.5, 64), Note(21, 4.0, 4.5, 64)]
    moved = transpose_notes(notes, semitones)
    assert len(moved) == len(notes) - 1
    store = store_of(tmp_path, notes, moved)
    steps = PianoRoll(FS)
    crops = [
        steps.crop(store, piece, 20, 100, change)
        for piece, change in zip(store.pieces, (Change(semitones), Change()), strict=True)
    ]
    assert np.array_equal(*crops)
    whole = NoteEvents().crop(store, store.pieces[0], 0, 999, Change(semitones))
    assert np.array_equal(whole, encode_events(moved))


@pytest.mark.parametrize("stretch", [0.5, 2.0])
def test_a_stretched_crop_is_a_crop_of_the_stretched_piece(tmp_path: Path, stretch: float) -> None:
    notes = long_notes(200, 2)
    store = store_of(tmp_path, notes, stretch_notes(notes, stretch))
    plain, stretched = store.pieces
    steps = PianoRoll(FS)
    for place in (0, 40, 200):
        crop = steps.crop(store, plain, place, 80, Change(stretch=stretch))
        expected = steps.crop(store, stretched, round(place * stretch), 80, Change())
        assert np.array_equal(crop[2:-1], expected[2:-1])
    events = NoteEvents().crop(store, plain, 0, 200, Change(stretch=stretch))
    assert np.array_equal(events, encode_events(store.notes(stretched)))


def test_a_crop_of_events_is_cut_from_the_whole_piece(tmp_path: Path) -> None:
    # On ticks and never more than 0.1 s apart, where each step is its own bin.
    rng = np.random.default_rng(0)
    ticks = np.cumsum(rng.integers(0, 11, 200))
    notes = [Note(21 + i % 88, int(t) / 100, int(t) / 100 + 0.2, 64) for i, t in enumerate(ticks)]
    store = store_of(tmp_path, notes)
    (piece,) = store.pieces
    steps = NoteEvents()
    whole = encode_events(store.notes(piece))
    assert steps.room(piece, 50) == 151
    for place in (0, 1, 77, 150):
        crop = steps.crop(store, piece, place, 50, Change())
        # A chord that is cut may have its first note's step on another of its notes.
        assert np.array_equal(crop[:, 0], whole[place : place + 50, 0])
        assert np.array_equal(crop[:, 1:], whole[place : place + 50, 1:])


def test_a_crop_of_events_keeps_time_in_any_music(tmp_path: Path) -> None:
    store = store_of(tmp_path, random_music(4))
    (piece,) = store.pieces
    steps = NoteEvents()
    notes = store.notes(piece)
    for place in (1, 60, piece.length - 30):
        crop = steps.crop(store, piece, place, 30, Change())
        onsets = np.cumsum(ONSET_TICKS[crop[:, 0]]) * TICK_S
        true = np.array([n.start for n in notes[place : place + 30]]) - notes[place - 1].start
        # Half a tick for where the passage begins, half a bin of a step of up to 0.4 s.
        assert np.abs(onsets - true).max() < 0.03
        assert sorted(crop[:, 1]) == sorted(n.pitch - 21 for n in notes[place : place + 30])


def test_crops_of_events_at_the_ends_of_a_piece(tmp_path: Path) -> None:
    store = store_of(tmp_path, tune(2), tune(2, 1))
    piece = store.pieces[1]
    steps = NoteEvents()
    assert steps.room(piece, 500) == 1
    assert len(steps.crop(store, piece, 0, 500, Change())) == piece.length
    assert steps.crop(store, piece, 0, 1, Change())[0, 0] == 0
    assert len(steps.crop(store, piece, piece.length - 3, 500, Change())) == 3


@pytest.mark.parametrize("steps", [PianoRoll(FS), NoteEvents()], ids=lambda steps: steps.unit)
def test_middle_crops_are_the_middle_or_the_whole(steps: Representation, store: NoteStore) -> None:
    pieces = store.of_split("validation")
    whole = [steps.encode(store.notes(piece)) for piece in pieces]
    n = len(whole[1]) + 6
    crops = middle_crops(store, pieces, steps, n)
    first = (len(whole[0]) - n) // 2
    assert first > 0
    assert len(crops[0]) == n
    # Frame by frame, or the pitches of note by note: the steps between onsets may be a bin off.
    columns = slice(1, 2) if steps.unit == "note" else slice(None)
    expected = whole[0][first : first + n]
    assert np.array_equal(crops[0][2:-1, columns], expected[2:-1, columns])
    assert np.array_equal(crops[1], whole[1])


@pytest.mark.parametrize("semitones", [-11, -1, 0, 1, 11])
def test_transposed_frames_are_those_of_transposed_notes(semitones: int) -> None:
    roll = notes_to_roll(tune(3))
    moved = notes_to_roll(transpose_notes(tune(3), semitones))
    assert np.array_equal(transpose_frames(roll, semitones), moved)


def test_keys_that_leave_the_keyboard_fall_silent() -> None:
    frames = np.zeros((1, 88), np.uint8)
    frames[0, [0, 87]] = 1
    assert np.flatnonzero(transpose_frames(frames, 3)).tolist() == [3]
    assert np.flatnonzero(transpose_frames(frames, -3)).tolist() == [84]


def test_transposed_events_stay_on_the_keyboard() -> None:
    events = np.array([[3, 40, 5, 6], [4, 2, 7, 8], [5, 86, 9, 1]], dtype=np.uint8)
    down, up = (NoteEvents().transpose(events, by) for by in (-5, 5))
    assert down[:, 1].tolist() == [35, 9, 81]
    assert up[:, 1].tolist() == [45, 7, 79]
    assert np.array_equal(down[:, [0, 2, 3]], events[:, [0, 2, 3]])
