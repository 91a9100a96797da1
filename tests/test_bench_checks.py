"""The scripts that measure the bench: what they call a gap, stuck, dissonant and closed."""

from dataclasses import replace

import check_along
import check_density
import check_ending
import check_keep
import check_redo
import check_style
import pytest
from conftest import tune

import pyzzicato
from pyzzicato.evaluation.excerpts import excerpt_at
from pyzzicato.notes import Note

BEFORE = [Note(60, 0.2 * i, 0.2 * i + 0.1, 64) for i in range(20)]
AFTER = [replace(n, start=n.start + 9, end=n.end + 9) for n in BEFORE]


def middle(first: float, last: float) -> list[Note]:
    """Returns notes a fifth of a second apart."""
    n = round((last - first) / 0.2) + 1
    return [Note(62, first + 0.2 * i, first + 0.2 * i + 0.1, 64) for i in range(n)]


def test_a_gap_is_longer_than_any_wait_around() -> None:
    assert not check_redo.has_gap(BEFORE, middle(4.1, 8.9), AFTER, 4.0, 9.0)
    assert check_redo.has_gap(BEFORE, middle(4.6, 8.9), AFTER, 4.0, 9.0)
    assert check_redo.has_gap(BEFORE, middle(4.1, 8.3), AFTER, 4.0, 9.0)
    assert check_redo.has_gap(BEFORE, [], AFTER, 4.0, 9.0)
    slow = [n for n in BEFORE if n.start < 2] + [BEFORE[-1]]
    assert not check_redo.has_gap(slow, middle(4.6, 8.3), AFTER, 4.0, 9.0)


def test_stuck_is_what_overlaps_itself_or_rings_too_long() -> None:
    new = middle(4.1, 8.9)
    assert not check_redo.has_stuck([*BEFORE, *new, *AFTER], new, 9.0, 9.0)
    ringing = [*new, Note(80, 8.0, 12.0, 64)]
    assert check_redo.has_stuck([*BEFORE, *ringing, *AFTER], ringing, 9.0, 9.0)
    assert not check_redo.has_stuck([*BEFORE, *ringing, *AFTER], ringing, 12.0, 9.0)
    again = [*new, Note(60, 8.95, 9.1, 64)]
    assert check_redo.has_stuck([*BEFORE, *again, *AFTER], again, 12.0, 9.0)


def test_the_way_from_plain_to_real() -> None:
    rows = [
        {"real": 10.0, "redone": 11.0, "plain": 13.0, "elsewhere": 14.0, "density": 1.0},
        {"real": 12.0, "redone": 13.0, "plain": 15.0, "elsewhere": 14.0, "density": 3.0},
    ]
    for by, share in (("further_", 0.25), ("other_", 0.5)):
        for row in rows:
            row |= {f"{by}real": 10.0, f"{by}plain": 14.0, f"{by}redone": 14.0 - 4 * share}
    answer = check_redo.summarise(rows)
    assert answer["way"] == pytest.approx(2 / 3) and answer["density"] == 2.0 and answer["n"] == 2
    assert (answer["further_way"], answer["other_way"]) == (0.25, 0.5)


def test_a_middle_is_judged_by_what_follows_it() -> None:
    piece = tune(60)
    judge = check_redo.Judge(pyzzicato.load_model(), piece, 20.0, 25.0)
    real = [n for n in piece if 20 <= n.start < 25]
    wrong = [replace(n, pitch=n.pitch + 6) for n in real]
    first, further = judge.bits(real)
    assert first < judge.bits(wrong)[0]
    assert judge.bits(real) == (first, further) and further > 0


def test_a_passage_from_elsewhere_is_far_from_the_span() -> None:
    piece = tune(120)
    for place in (0.0, 0.4, 0.99):
        found = check_redo.passage(piece, 50.0, 5.0, place)
        assert found and all(50 <= n.start < 55 for n in found)


def test_only_what_sounds_together_is_dissonant() -> None:
    kept = [Note(60, 0.0, 1.0, 64)]
    others = [Note(61, 0.5, 1.0, 64), Note(67, 0.5, 1.0, 64), Note(61, 0.99, 2.0, 64)]
    assert check_keep.dissonance(kept, others) == (1.428, 2)
    assert check_keep.dissonance(kept, [Note(73, 0.0, 1.0, 64)]) == (1.428, 1)
    assert check_keep.dissonance(kept, []) == (0.0, 0)


def test_shares_within_a_quarter() -> None:
    row = {"part": "top", "new": 0.2, "real": 0.1, "overlaps": 0, "wall_seconds": 1.0}
    answer = check_keep.summarise([{**row, "density": d} for d in (0.81, 1.24, 1.3, 0.7)])
    assert answer["density_within_a_quarter"] == 0.5
    assert answer["dissonance_ratio"] == pytest.approx(2.0)


def test_an_ending_in_the_key() -> None:
    scale = [Note(60 + p, i, i + 1, 64) for i, p in enumerate((0, 2, 4, 5, 7, 9, 11, 7, 4, 0))]
    last = [Note(p, 10.0, 13.0, 64) for p in (48, 64, 67)]
    assert check_ending.judge([*scale, *last]) == {"bass": 1.0, "chord": 1.0, "held_s": 3.0}
    inverted = [Note(p, 10.0, 13.0, 64) for p in (52, 60, 67)]
    assert check_ending.judge([*scale, *inverted])["bass"] == 0.0


def test_an_answer_is_held_against_its_phrase() -> None:
    facts = check_along.play(pyzzicato.load_model(), tune(4), 4.0, rng=1)
    assert facts["first_s"] < 1 and facts["waits_s"] <= 0.2
    assert 0 <= facts["kinship"] <= 1 and facts["density"] > 0
    louder = [replace(n, velocity=n.velocity + 10) for n in tune(4)]
    assert check_along.likeness(tune(4), louder, 4.0)["louder"] == pytest.approx(10.0)


def test_a_continuation_is_judged_beside_what_the_composer_wrote() -> None:
    bach = pyzzicato.load_seed("bach-prelude-c-major").notes
    excerpt = excerpt_at("a prelude", list(bach), 0.0, 10.0, 20.0)
    row = check_style.judge(pyzzicato.load_model("lstm"), excerpt, "bach", [1.0, 2.0], rng=1)
    assert list(row) == ["real", "guidance 1", "guidance 2"]
    assert set(row.values()) <= {0.0, 1.0}


def test_notes_are_counted_by_the_density_asked_for() -> None:
    bach = pyzzicato.load_seed("bach-prelude-c-major").notes
    excerpt = excerpt_at("a prelude", list(bach), 0.0, 10.0, 20.0)
    row = check_density.measure(pyzzicato.load_model("lstm-events"), excerpt, [1.0, 0.5, 2.0], 1)
    assert list(row) == [1.0, 0.5, 2.0]
    assert 0 < 2 * row[0.5] < row[2.0]
