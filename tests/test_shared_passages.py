import numpy as np
import pytest
from random_music import line, random_music

from pyzzicato.evaluation import shared_passages
from pyzzicato.evaluation.fingerprints import fresh_notes, playing_order
from pyzzicato.evaluation.shared_passages import Passages, agreeing_notes, find_passages
from pyzzicato.evaluation.training_index import REST, TrainingIndex
from pyzzicato.notes import Note, shift_notes, sort_notes, transpose_notes

Found = set[tuple[int, int, int, int]]


def as_set(found: Passages, at_least: int) -> Found:
    rows = zip(found.first, found.last, found.lengths, found.places, strict=True)
    return {tuple(int(value) for value in row) for row in rows if row[2] >= at_least}


def slow_passages(pitches: np.ndarray, index: TrainingIndex, at_least: int) -> Found:
    """Returns the passages on every diagonal there is, note by note."""
    n_places = index.n_notes + 8 * (len(index.labels) + 1)
    training = index.pitches_at(np.arange(n_places)).tolist()
    keys = pitches.tolist()
    fresh = fresh_notes(pitches)

    def partner(place: int) -> int:
        return training[place] if 0 <= place < n_places else REST

    found = set()
    for shift in range(-len(keys) + 1, n_places):
        pairs = [partner(i + shift) - key for i, key in enumerate(keys)]
        for semitones in {pair for pair in pairs if pair > -60}:
            run: list[int] = []
            for i, key in enumerate([*keys, None, None]):
                if key is not None and _agrees(keys, i, shift, semitones, partner):
                    run.append(i)
                elif run and i - run[-1] > 1:
                    length = int(sum(fresh[run]))
                    if length >= at_least:
                        found.add((run[0], run[-1], length, run[0] + shift))
                    run = []
    return found


def _agrees(keys: list[int], i: int, shift: int, semitones: int, partner: object) -> bool:
    def is_at(note: int, place: int) -> bool:
        return 0 <= note < len(keys) and partner(place) == keys[note] + semitones

    here = i + shift
    if is_at(i, here):
        return True
    return any(is_at(i, here + d) and not is_at(i + d, here + d) for d in (-1, 1))


def collage(*parts: list[Note]) -> list[Note]:
    """Returns parts one after another, a second apart."""
    whole: list[Note] = []
    for part in parts:
        at = whole[-1].start + 1 if whole else 0.0
        whole += shift_notes(part, at - part[0].start)
    return sort_notes(whole)


def test_passages_are_those_of_a_search_everywhere() -> None:
    training = [random_music(i, 22) for i in range(2)]
    index = TrainingIndex.build([("A", str(i), notes) for i, notes in enumerate(training)])
    piece = collage(
        random_music(10, 5),
        transpose_notes(training[1][:20], 4),
        random_music(11, 5),
        training[0][:15],
        transpose_notes(training[0][5:30], -3),
        training[1][-13:],
    )
    pitches = playing_order(piece)[1]
    found = as_set(find_passages(pitches, index), 12)
    everywhere = slow_passages(pitches, index, 12)
    assert found <= everywhere
    assert max(length for _, _, length, _ in found) == max(n for _, _, n, _ in everywhere)
    # One place to the left or right all notes of a passage agree as well, and perhaps one more.
    assert len(covered(everywhere) - covered(found)) <= 2
    assert len(found) >= 4


def covered(found: Found) -> set[int]:
    return {note for first, last, _, _ in found for note in range(first, last + 1)}


@pytest.fixture(scope="module")
def copied() -> tuple[np.ndarray, TrainingIndex]:
    """Returns 60 notes, one after another, and an index that holds them from place 8 on."""
    keys = np.random.default_rng(0).permutation(np.arange(25, 105))[:60].tolist()
    index = TrainingIndex.build([("A", "a", line(keys))])
    return np.array(keys, dtype=np.int16), index


def test_a_whole_piece_is_one_passage(copied: tuple[np.ndarray, TrainingIndex]) -> None:
    assert as_set(find_passages(*copied), 1) == {(0, 59, 60, 8)}


def test_neighbours_may_change_places(copied: tuple[np.ndarray, TrainingIndex]) -> None:
    pitches, index = copied
    swapped = pitches.copy()
    swapped[[30, 31, 0, 1, 58, 59]] = swapped[[31, 30, 1, 0, 59, 58]]
    assert as_set(find_passages(swapped, index), 1) == {(0, 59, 60, 8)}


def test_one_note_may_differ_but_not_two(copied: tuple[np.ndarray, TrainingIndex]) -> None:
    pitches, index = copied
    one, two = pitches.copy(), pitches.copy()
    one[30] = 21
    two[30:32] = 21
    assert as_set(find_passages(one, index), 1) == {(0, 59, 59, 8)}
    assert as_set(find_passages(two, index), 1) == {(0, 29, 30, 8), (32, 59, 28, 40)}


def test_a_note_agrees_with_one_partner_only(copied: tuple[np.ndarray, TrainingIndex]) -> None:
    pitches, index = copied
    doubled = pitches.copy()
    doubled[30] = doubled[31]
    notes = np.arange(60)
    agree = agreeing_notes(doubled, index, notes, np.full(60, 8), np.zeros(60, np.int64))
    assert np.flatnonzero(~agree).tolist() == [30]


def test_one_note_may_be_added_or_left_out_but_not_two(
    copied: tuple[np.ndarray, TrainingIndex],
) -> None:
    pitches, index = copied
    added = find_passages(np.insert(pitches, 30, 21), index)
    assert (added.first.tolist(), added.last.tolist()) == ([0, 0], [60, 60])
    assert set(added.lengths) == {60}
    left_out = find_passages(np.delete(pitches, 30), index)
    assert (left_out.first.tolist(), left_out.last.tolist()) == ([0, 0], [58, 58])
    assert set(left_out.lengths) == {59}
    two = as_set(find_passages(np.insert(pitches, 30, [21, 22]), index), 20)
    assert two == {(0, 29, 30, 8), (32, 61, 30, 38)}


def test_blocks_do_not_change_what_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    training = [random_music(i) for i in range(5)]
    index = TrainingIndex.build([("A", str(i), notes) for i, notes in enumerate(training)])
    pitches = playing_order(collage(*training[::-1]))[1]
    at_once = as_set(find_passages(pitches, index), 1)
    monkeypatch.setattr(shared_passages, "_BLOCK_NOTES", 50)
    assert as_set(find_passages(pitches, index), 1) == at_once
    assert len(at_once) >= 5


@pytest.mark.parametrize("n", [0, 1, 7, 30])
def test_nothing_shared_is_no_passage(n: int) -> None:
    index = TrainingIndex.build([("A", "a", random_music(1))])
    pitches = playing_order(random_music(2)[:n])[1]
    found = find_passages(pitches, index)
    assert as_set(found, 1) == set()
    assert found.covered_share(12, n) == 0.0


def test_covered_share_counts_overlapping_notes_once() -> None:
    found = Passages(
        first=np.array([0, 5, 30]),
        last=np.array([9, 19, 34]),
        lengths=np.array([10, 12, 5]),
        places=np.array([0, 0, 0]),
    )
    shares = [found.covered_share(n, 40) for n in (1, 6, 12, 13)]
    assert shares == [25 / 40, 20 / 40, 15 / 40, 0.0]
