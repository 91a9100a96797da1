import numpy as np
import pytest
from random_music import line, random_music

from pyzzicato.evaluation.fingerprints import (
    FIGURE_INTERVALS,
    FIGURE_MEMORY_NOTES,
    GRAM_NOTES,
    PAIR_MEMORY_NOTES,
    SURE_NOTES,
    WINDOW_GRAMS,
    distinctive_grams,
    fresh_notes,
    gram_hashes,
    playing_order,
    winnow,
)
from pyzzicato.notes import Note, stretch_notes, transpose_notes

MAJOR = [48 + 12 * (i // 7) + (0, 2, 4, 5, 7, 9, 11)[i % 7] for i in range(29)]
FIGURES = {
    "scale": (MAJOR, 9),
    "chromatic scale": (list(range(40, 90)), 5),
    "scale in octaves": ([key for low in MAJOR for key in (low, low + 12)], 10),
    "trill": ([72, 74] * 20, 3),
    "repeated note": ([60] * 30, 2),
    "Alberti bass": ([48, 55, 52, 55] * 10, 5),
    "broken triad": ([36 + 12 * (i // 3) + (0, 4, 7)[i % 3] for i in range(16)], 7),
    "broken seventh": ([36 + 12 * (i // 4) + (0, 4, 7, 10)[i % 4] for i in range(20)], 8),
}


def pitches_of(seed: int, low: int = 40, high: int = 80, n: int = 200) -> np.ndarray:
    return np.random.default_rng(seed).integers(low, high, n).astype(np.int16)


def as_pitches(keys: list[int]) -> np.ndarray:
    return np.array(keys, dtype=np.int16)


def test_playing_order_reads_chords_from_low_to_high() -> None:
    struck = [(67, 0.03), (60, 0.01), (64, 0.0), (72, 0.065), (50, 0.11), (49, 0.16)]
    onsets, pitches = playing_order([Note(key, start, 1.0, 64) for key, start in struck])
    # 0, 10, 30 and 65 ms: each less than 40 ms after the one before; then gaps of 45 and 50 ms.
    assert pitches.tolist() == [60, 64, 67, 72, 50, 49]
    assert onsets.tolist() == [0.01, 0.0, 0.03, 0.065, 0.11, 0.16]


def test_playing_order_of_nothing_and_of_one_note() -> None:
    assert [part.tolist() for part in playing_order([])] == [[], []]
    assert [part.tolist() for part in playing_order(line([60]))] == [[0.0], [60]]


def test_hashes_do_not_change_with_key_or_tempo() -> None:
    notes = random_music(0)
    hashes = gram_hashes(playing_order(notes)[1])
    moved = stretch_notes(transpose_notes(notes, 5), 1.07)
    assert np.array_equal(gram_hashes(playing_order(moved)[1]), hashes)
    assert len(hashes) == len(notes) - GRAM_NOTES + 1


def test_hashes_differ_where_a_note_differs() -> None:
    pitches = pitches_of(1)
    changed = pitches.copy()
    changed[100] += 1
    differ = np.flatnonzero(gram_hashes(pitches) != gram_hashes(changed))
    assert differ.tolist() == list(range(100 - GRAM_NOTES + 1, 101))


@pytest.mark.parametrize("n", range(GRAM_NOTES))
def test_too_few_notes_have_no_grams_and_are_all_looked_at(n: int) -> None:
    pitches = pitches_of(2, n=n)
    assert len(gram_hashes(pitches)) == len(distinctive_grams(pitches)) == 0
    assert len(winnow(gram_hashes(pitches), distinctive_grams(pitches))) == 0
    assert len(fresh_notes(pitches)) == n


@pytest.mark.parametrize(("low", "high"), [(60, 65), (58, 70), (40, 80)])
def test_distinctive_grams_equal_the_slow_count(low: int, high: int) -> None:
    pitches = pitches_of(3, low, high, 500)
    expected = []
    for i in range(len(pitches) - GRAM_NOTES + 1):
        gram = pitches[i : i + GRAM_NOTES].tolist()
        steps = [b - a for a, b in zip(gram, gram[1:], strict=False)]
        repeats = any(steps[period:] == steps[:-period] for period in (1, 2, 3))
        classes = {key % 12 for key in gram}
        expected.append(len(classes) >= 4 and len(set(steps)) >= 3 and not repeats)
    assert distinctive_grams(pitches).tolist() == expected
    assert any(expected)


@pytest.mark.parametrize(
    "name", [name for name in FIGURES if name not in ("scale in octaves", "broken seventh")]
)
def test_plain_figures_are_no_fingerprints(name: str) -> None:
    assert not distinctive_grams(as_pitches(FIGURES[name][0])).any()


def test_winnowing_keeps_the_last_smallest_of_each_window() -> None:
    hashes = np.array([5, 3, 9, 3, 7, 8, 9, 9, 6, 2], dtype=np.uint32)
    # Windows of five: 5 3 9 3 7 | 3 9 3 7 8 | 9 3 7 8 9 | 3 7 8 9 9 | 7 8 9 9 6 | 8 9 9 6 2
    assert winnow(hashes, np.ones(10, dtype=bool)).tolist() == [3, 8, 9]
    without = np.ones(10, dtype=bool)
    without[[3, 8]] = False
    assert winnow(hashes, without).tolist() == [1, 4, 9]
    assert winnow(hashes, np.zeros(10, dtype=bool)).tolist() == []


def test_winnowed_pieces_meet_in_every_shared_run() -> None:
    one, other = pitches_of(4, 60, 72, 300), pitches_of(5, 60, 72, 300)
    for at in range(0, 280, 20):
        shared = one[at : at + SURE_NOTES] + 3
        whole = np.concatenate([other[:50], shared, other[50:]])
        kept = [winnow(gram_hashes(p), distinctive_grams(p)) for p in (one, whole)]
        places = [set(kept[0] - at), set(kept[1] - 50)]
        inside = {i for i in range(WINDOW_GRAMS) if distinctive_grams(shared)[i]}
        assert not inside or places[0] & places[1] & inside


def test_winnowing_keeps_about_a_third() -> None:
    pitches = pitches_of(6, n=20_000)
    kept = winnow(gram_hashes(pitches), distinctive_grams(pitches))
    assert len(kept) / 20_000 == pytest.approx(2 / (WINDOW_GRAMS + 1), rel=0.05)


@pytest.mark.parametrize(("low", "high"), [(60, 63), (60, 66), (40, 80)])
def test_fresh_notes_equal_the_slow_search(low: int, high: int) -> None:
    keys = pitches_of(7, low, high, 400).tolist()
    steps = [b - a for a, b in zip(keys, keys[1:], strict=False)]
    expected = []
    for i in range(len(keys)):
        figure = steps[i - FIGURE_INTERVALS : i] if i >= FIGURE_INTERVALS else None
        since = max(FIGURE_INTERVALS, i - FIGURE_MEMORY_NOTES)
        figures = [steps[j - FIGURE_INTERVALS : j] for j in range(since, i)]
        pairs = [keys[j - 1 : j + 1] for j in range(max(1, i - PAIR_MEMORY_NOTES), i)]
        pair = keys[i - 1 : i + 1] if i else None
        expected.append(figure not in figures and pair not in pairs)
    assert fresh_notes(as_pitches(keys)).tolist() == expected
    assert sum(expected) > 0


@pytest.mark.parametrize(("keys", "left"), FIGURES.values(), ids=FIGURES)
def test_a_figure_soon_brings_nothing_new(keys: list[int], left: int) -> None:
    assert fresh_notes(as_pitches(keys)).sum() == left


def test_a_trill_under_a_melody_does_not_count_but_the_melody_does() -> None:
    melody = [84, 79, 86, 77, 88, 76, 89, 74]
    keys = [key for top in melody for key in (top, 62, 64, 62, 64)]
    fresh = fresh_notes(as_pitches(keys))
    assert fresh[::5].all()
    assert not fresh[7::5].any()
    assert not fresh[8::5].any()
