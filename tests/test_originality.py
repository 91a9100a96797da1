import random
import subprocess
import sys
from pathlib import Path

import pytest
from random_music import jittered, line, random_music

from pyzzicato.evaluation.originality import (
    COPIED_NOTES,
    Originality,
    TrainingIndex,
    measure_originality,
)
from pyzzicato.notes import (
    Note,
    cut_notes,
    shift_notes,
    sort_notes,
    stretch_notes,
    transpose_notes,
)

NOTHING = Originality(0, 0.0, 0.0, 0.0, 0.0, None, None, None, None, False)
SCALE = [48 + 12 * (i // 7) + (0, 2, 4, 5, 7, 9, 11)[i % 7] for i in range(22)]
FIGURES = {
    "scales": SCALE + SCALE[::-1] + SCALE,
    "scale in octaves": [key for low in SCALE for key in (low, low + 12)],
    "trill": [72, 74] * 60,
    "trill under a melody": [
        key for top in (84, 79, 86, 77, 88, 76, 89) for key in (top, *[62, 64] * 8)
    ],
    "repeated note": [60] * 120,
    "repeated chords": [48, 55, 64, 72] * 30,
    "Alberti bass": [48, 55, 52, 55] * 30,
    "broken seventh": [36 + 12 * (i // 4) + (0, 4, 7, 10)[i % 4] for i in range(20)] * 3,
    "sequence": [key + i // 4 * 2 for i, key in enumerate([50, 57, 54, 53] * 12)],
}
TRAINING = [
    ("Frédéric Chopin", "Ballade No. 1", random_music(1, 600)),
    ("Claude Debussy", "Rêverie", random_music(2, 600)),
    ("Nobody", "Exercises", [n for f in FIGURES.values() for n in line(f)]),
    *((f"Composer {i}", "Study", line(f)) for i, f in enumerate(FIGURES.values())),
]


@pytest.fixture(scope="module")
def index() -> TrainingIndex:
    return TrainingIndex.build(TRAINING)


@pytest.fixture(scope="module")
def passage() -> list[Note]:
    """Returns 30 s of the first training piece, from 0:40 on."""
    return cut_notes(TRAINING[0][2], 40, 70)


def test_training_music_is_all_copied(index: TrainingIndex) -> None:
    for composer, title, notes in TRAINING[:2]:
        found = measure_originality(notes, index)
        assert found.longest_notes > 0.9 * len(notes)
        assert found.longest_seconds == pytest.approx(notes[-1].start - notes[0].start)
        assert (found.covered_12, found.covered_16, found.covered_24) == (1.0, 1.0, 1.0)
        assert (found.nearest_composer, found.nearest_title) == (composer, title)
        assert found.nearest_at_s == pytest.approx(notes[0].start, abs=0.1)
        assert found.longest_at_s == notes[0].start
        assert found.copied


@pytest.mark.parametrize("semitones", [-7, 1, 6])
def test_a_transposed_excerpt_is_found_as_well(
    semitones: int, index: TrainingIndex, passage: list[Note]
) -> None:
    plain = measure_originality(passage, index)
    assert measure_originality(transpose_notes(passage, semitones), index) == plain
    assert plain.nearest_at_s == pytest.approx(40, abs=2)
    assert plain.copied


@pytest.mark.parametrize("factor", [0.93, 1.07])
def test_a_retimed_excerpt_is_found(
    factor: float, index: TrainingIndex, passage: list[Note]
) -> None:
    retimed = jittered(transpose_notes(stretch_notes(passage, factor), 3), seed=0)
    found = measure_originality(retimed, index)
    assert found.copied
    assert found.covered_12 > 0.8
    assert (found.nearest_composer, found.nearest_title) == TRAINING[0][:2]


def test_a_short_excerpt_amid_other_music_is_found(index: TrainingIndex) -> None:
    music, copy = random_music(7, 200), cut_notes(TRAINING[1][2], 60, 70)
    whole = [
        *cut_notes(music, 0, 20),
        *shift_notes(transpose_notes(jittered(copy, 1), 5), 21),
        *shift_notes(cut_notes(music, 20, 50), 32),
    ]
    found = measure_originality(sort_notes(whole), index)
    assert found.copied
    assert found.covered_12 == pytest.approx(len(copy) / len(whole), abs=0.05)
    assert found.nearest_title == "Rêverie"
    assert 20.9 < (found.longest_at_s or 0) < 31
    assert 59 < (found.nearest_at_s or 0) < 71


def test_a_looped_excerpt_is_found(index: TrainingIndex) -> None:
    seed = cut_notes(TRAINING[0][2], 10, 20)
    loop = [note for i in range(6) for note in shift_notes(seed, 10.5 * i)]
    assert measure_originality(loop, index).copied


def test_a_short_piece_that_is_mostly_copied_counts_as_copied(index: TrainingIndex) -> None:
    piece = TRAINING[0][2][100:120]
    found = measure_originality(piece, index)
    assert found.longest_notes < COPIED_NOTES
    assert found.covered_16 == 1.0
    assert found.copied
    more = measure_originality([*piece, *shift_notes(random_music(8, 40), 100)], index)
    assert more.longest_notes == found.longest_notes
    assert not more.copied


def test_other_music_is_not_copied(index: TrainingIndex) -> None:
    for seed in range(10, 20):
        found = measure_originality(random_music(seed, 200), index)
        assert not found.copied
        assert found.longest_notes < 12


def test_white_noise_shares_nothing(index: TrainingIndex) -> None:
    rng = random.Random(0)
    noise = [Note(rng.randint(21, 108), rng.uniform(0, 60), 61.0, 64) for _ in range(600)]
    assert measure_originality(noise, index) == NOTHING


@pytest.mark.parametrize("keys", FIGURES.values(), ids=FIGURES)
def test_figures_belong_to_everybody(keys: list[int], index: TrainingIndex) -> None:
    # The training music holds each of them note by note.
    found = measure_originality(line(keys, 0.1), index)
    assert not found.copied
    assert found.covered_24 == 0.0


@pytest.mark.parametrize("n", [0, 1, 2, 7])
def test_hardly_any_notes_share_nothing(n: int, index: TrainingIndex) -> None:
    assert measure_originality(TRAINING[0][2][:n], index) == NOTHING


def test_an_empty_index_shares_nothing() -> None:
    assert measure_originality(TRAINING[0][2], TrainingIndex.build([])) == NOTHING


def test_order_of_the_notes_given_does_not_matter(
    index: TrainingIndex, passage: list[Note]
) -> None:
    shuffled = random.Random(0).sample(passage, len(passage))
    assert measure_originality(shuffled, index) == measure_originality(passage, index)


def test_the_longest_passage_in_words() -> None:
    found = Originality(
        longest_notes=9,
        longest_seconds=1.13,
        nearest_composer="Frédéric Chopin",
        nearest_title="Ballade No. 1",
        nearest_at_s=123.9,
    )
    words = (
        "longest passage also found in training: 9 notes, 1.1 s, in Frédéric Chopin, "
        "Ballade No. 1 at 2:03"
    )
    assert found.sentence() == words
    assert Originality(**{**_fields(found), "copied": True}).sentence() == (
        f"{words}; that counts as copied"
    )
    assert NOTHING.sentence() == "no passage of 8 notes or more is also found in training"


def _fields(found: Originality) -> dict[str, object]:
    return {name: getattr(found, name) for name in Originality.__slots__}


def test_measuring_does_not_load_the_networks() -> None:
    code = "import sys, pyzzicato.evaluation.originality; sys.exit('torch' in sys.modules)"
    root = Path(__file__).resolve().parents[1]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
