"""Distribution: features by hand, densities against plain scipy, and sets that must lie apart."""

import dataclasses
import math

import numpy as np
import pytest
from scipy.special import rel_entr
from scipy.stats import gaussian_kde

from pyzzicato.evaluation.distribution import (
    LENGTH_EDGES_S,
    Features,
    compare_sets,
    density_distance,
    measure_features,
)
from pyzzicato.notes import Note

NAMES = [field.name for field in dataclasses.fields(Features)]


def melody() -> list[Note]:
    """Returns C, E, G, C: 0.5, 0.5, 0.5 and 1.0 s long, one after another, louder and louder."""
    return [
        Note(60, 0.0, 0.5, 50),
        Note(64, 0.5, 1.0, 60),
        Note(67, 1.0, 1.5, 70),
        Note(72, 1.5, 2.5, 80),
    ]


def random_piece(rng: np.random.Generator, tonal: bool = True) -> list[Note]:
    """Returns 20 s of one key, tempo and share of foreign notes, all drawn; or in no key at all."""
    tonic, tempo = int(rng.integers(12)), rng.uniform(3, 10)
    foreign = rng.uniform(0, 0.2) if tonal else 1.0
    chances = np.tile([1.0 if s in (0, 2, 4, 5, 7, 9, 11) else foreign for s in range(12)], 4)
    starts = np.sort(rng.uniform(0, 19, int(20 * tempo)))
    pitches = rng.choice(np.arange(48) + 36 + tonic, len(starts), p=chances / chances.sum())
    return [
        Note(int(p), float(s), float(s + rng.exponential(0.4) + 0.03), int(v))
        for p, s, v in zip(pitches, starts, rng.integers(30, 90, len(starts)), strict=True)
    ]


def pieces(seed: int, n: int = 25, tonal: bool = True) -> list[Features]:
    """Returns the features of `n` random pieces."""
    rng = np.random.default_rng(seed)
    return [measure_features(random_piece(rng, tonal)) for _ in range(n)]


# Features by hand -----------------------------------------------------------------------------


def test_single_values_by_hand() -> None:
    found = measure_features(melody())
    assert (found.pitch_count, found.note_count, found.pitch_range) == (4, 4, 12)
    assert found.mean_pitch_interval == pytest.approx((4 + 3 + 5) / 3)
    assert found.mean_inter_onset_s == pytest.approx(0.5)
    assert found.polyphony == pytest.approx(1.0)
    assert found.scale_consistency == 1.0
    assert found.velocity_sd == pytest.approx(math.sqrt(125))


def test_pitch_class_histogram_and_transitions() -> None:
    found = measure_features(melody())
    assert found.pitch_class_histogram is not None
    assert found.pitch_class_transitions is not None
    assert found.pitch_class_histogram[[0, 4, 7]].tolist() == [0.5, 0.25, 0.25]
    assert found.pitch_class_transitions.shape == (12, 12)
    for before, after in ((0, 4), (4, 7), (7, 0)):
        assert found.pitch_class_transitions[before, after] == pytest.approx(1 / 3)
    assert found.pitch_class_transitions.sum() == pytest.approx(1.0)


def test_note_lengths_fall_into_half_octaves() -> None:
    found = measure_features(melody())
    half, one = (int(np.searchsorted(LENGTH_EDGES_S, s)) for s in (0.5, 1.0))
    assert LENGTH_EDGES_S[half - 1] == pytest.approx(0.48)
    assert LENGTH_EDGES_S[one - 1] == pytest.approx(0.96)
    assert found.note_length_histogram is not None
    assert found.note_length_transitions is not None
    assert found.note_length_histogram[[half, one]].tolist() == [0.75, 0.25]
    assert found.note_length_transitions[half, half] == pytest.approx(2 / 3)
    assert found.note_length_transitions[half, one] == pytest.approx(1 / 3)


@pytest.mark.parametrize(("length", "place"), [(0.01, 0), (0.07, 1), (1.95, 11), (30.0, 11)])
def test_the_outer_length_classes(length: float, place: int) -> None:
    found = measure_features([Note(60, 0.0, length, 64)]).note_length_histogram
    assert found is not None
    assert int(found.argmax()) == place


def test_no_whole_frame_lies_on_a_limit() -> None:
    frames = np.arange(1, 60) / 20
    assert np.abs(frames[:, None] - LENGTH_EDGES_S).min() > 0.002


@pytest.mark.parametrize(
    ("notes", "polyphony"),
    [
        ([Note(60, 0.0, 2.0, 64), Note(64, 0.0, 2.0, 64)], 2.0),
        ([Note(60, 0.0, 2.0, 64), Note(64, 0.0, 1.0, 64)], 1.5),
        ([Note(60, 0.0, 1.0, 64), Note(64, 3.0, 4.0, 64)], 1.0),
        ([Note(60, 0.0, 2.0, 64), Note(60, 1.0, 3.0, 64)], 1.0),
    ],
    ids=["held chord of two", "half of it", "silence between", "one key twice"],
)
def test_polyphony(notes: list[Note], polyphony: float) -> None:
    assert measure_features(notes).polyphony == pytest.approx(polyphony)


def test_scale_consistency_finds_the_best_scale() -> None:
    d_major = [62, 64, 66, 67, 69, 71, 73]
    notes = [Note(p, 0.1 * i, 0.1 * i + 0.1, 64) for i, p in enumerate([*d_major, 60])]
    assert measure_features(notes).scale_consistency == pytest.approx(7 / 8)
    chromatic = [Note(60 + i, 0.1 * i, 0.1 * i + 0.1, 64) for i in range(12)]
    assert measure_features(chromatic).scale_consistency == pytest.approx(7 / 12)


# Edges ----------------------------------------------------------------------------------------


def test_no_notes() -> None:
    found = dataclasses.asdict(measure_features([]))
    assert (found.pop("pitch_count"), found.pop("note_count")) == (0, 0)
    assert set(found.values()) == {None}


def test_one_note() -> None:
    found = measure_features([Note(60, 0.0, 1.0, 64)])
    assert (found.pitch_count, found.note_count, found.pitch_range) == (1, 1, 0)
    assert (found.polyphony, found.scale_consistency, found.velocity_sd) == (1.0, 1.0, 0.0)
    for name in (
        "pitch_class_transitions",
        "mean_pitch_interval",
        "mean_inter_onset_s",
        "note_length_transitions",
    ):
        assert getattr(found, name) is None


def test_the_clock_and_the_order_do_not_matter() -> None:
    later = [Note(n.pitch, n.start + 3, n.end + 3, n.velocity) for n in reversed(melody())]
    before, after = measure_features(melody()), measure_features(later)
    for name in NAMES:
        assert np.allclose(getattr(before, name), getattr(after, name))


# Densities ------------------------------------------------------------------------------------


def test_densities_agree_with_plain_scipy() -> None:
    rng = np.random.default_rng(0)
    a, b = np.abs(rng.normal(0, 3, 600)), np.abs(rng.normal(2, 4, 900)).round()
    grid = np.linspace(-8, 20, 10_000)
    p, q = gaussian_kde(a)(grid), gaussian_kde(b)(grid)
    kl, oa = density_distance(a, b)
    assert kl == pytest.approx(np.trapezoid(rel_entr(p, q), grid), abs=2e-3)
    assert oa == pytest.approx(np.trapezoid(np.minimum(p, q), grid), abs=2e-3)


def test_divergence_of_two_normal_samples() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(0, 1, 20_000), rng.normal(1, 1, 20_000)
    kl, oa = density_distance(a, b)
    # Between N(0, 1) and N(1, 1): 1/2 nat, and twice the tail beyond 1/2.
    assert kl == pytest.approx(0.5, abs=0.05)
    assert oa == pytest.approx(math.erfc(0.5 / math.sqrt(2)), abs=0.03)


def test_identity_and_disjoint_samples() -> None:
    a = np.random.default_rng(2).normal(0, 1, 500)
    assert density_distance(a, a) == (pytest.approx(0.0, abs=1e-12), pytest.approx(1.0))
    kl, oa = density_distance(a, a + 1000)
    assert oa == pytest.approx(0.0, abs=1e-9)
    assert kl == pytest.approx(math.log(1e12), rel=0.01)


def test_samples_without_spread() -> None:
    point, spread = np.full(10, 3.0), np.linspace(0, 6, 10)
    assert density_distance(point, point.copy()) == (0.0, 1.0)
    assert density_distance(point, point + 1) == (None, 0.0)
    assert density_distance(point, spread) == (None, 0.0)
    assert density_distance(spread, point) == (None, 0.0)


# Sets -----------------------------------------------------------------------------------------


def test_distances_by_hand() -> None:
    def chords(*sizes: int) -> list[Features]:
        chord = [[Note(60 + i, 0.0, 1.0, 64) for i in range(size)] for size in sizes]
        return [measure_features(notes) for notes in chord]

    found = compare_sets(chords(1, 2, 4), chords(6, 8)).features["note_count"]
    assert found.reference_distance == pytest.approx((1 + 3 + 2) / 3)
    assert found.other_distance == pytest.approx(2.0)
    assert found.between_distance == pytest.approx((5 + 7 + 4 + 6 + 2 + 4) / 6)
    assert (found.n_reference, found.n_other) == (3, 2)


def test_histograms_are_compared_by_euclidean_distance() -> None:
    notes = [[Note(p, 0.0, 1.0, 64)] for p in (60, 60, 61)]
    reference = [measure_features(n) for n in notes]
    found = compare_sets(reference, reference[2:]).features["pitch_class_histogram"]
    assert found.reference_distance == pytest.approx(2 * math.sqrt(2) / 3)
    assert found.other_distance is None


def test_two_halves_of_one_kind_are_near() -> None:
    found = compare_sets(pieces(1), pieces(2))
    assert list(found.features) == NAMES
    assert found.mean_oa is not None
    assert found.mean_kl is not None
    assert found.mean_oa > 0.85
    assert found.mean_kl < 0.1


def test_noise_lies_apart_in_what_is_about_pitch() -> None:
    real = pieces(1)
    near, far = compare_sets(real, pieces(2)), compare_sets(real, pieces(3, tonal=False))
    for name in ("pitch_class_histogram", "scale_consistency"):
        near_oa, far_oa = near.features[name].oa, far.features[name].oa
        assert near_oa is not None
        assert far_oa is not None
        assert far_oa < 0.5 < near_oa


def test_pieces_all_alike_show_in_their_own_distances() -> None:
    one = pieces(4, n=1)[0]
    found = compare_sets(pieces(1), [one] * 10)
    for distance in found.features.values():
        assert distance.other_distance == pytest.approx(0.0)
        assert distance.reference_distance is not None
        assert distance.reference_distance > 0


def test_one_note_repeated_shares_little_with_music() -> None:
    stuck = [Note(60, 0.25 * i, 0.25 * i + 0.2, 64) for i in range(80)]
    found = compare_sets(pieces(1), [measure_features(stuck)] * 5)
    assert found.mean_oa is not None
    assert found.mean_oa < 0.5


def test_pieces_without_a_feature_are_left_out_and_counted() -> None:
    found = compare_sets(pieces(1), [*pieces(2, n=5), measure_features([])])
    assert found.features["polyphony"].n_other == 5
    assert found.features["note_count"].n_other == 6


def test_a_set_of_silence_is_judged_by_its_counts() -> None:
    found = compare_sets(pieces(1), [measure_features([])] * 4)
    assert found.features["polyphony"].oa is None
    assert found.features["polyphony"].kl is None
    count = found.features["note_count"]
    assert count.kl is not None
    assert count.kl > 1
    silent = compare_sets([measure_features([])] * 3, [measure_features([])])
    assert (silent.mean_kl, silent.mean_oa) == (0.0, 1.0)


@pytest.mark.parametrize(("n_reference", "n_other"), [(2, 5), (5, 0)])
def test_too_few_pieces_are_refused(n_reference: int, n_other: int) -> None:
    with pytest.raises(ValueError, match=f"got {n_reference} and {n_other}"):
        compare_sets(pieces(1, n=n_reference), pieces(2, n=n_other))


def test_no_figure_is_ever_nan() -> None:
    found = compare_sets(pieces(1, n=5), [*pieces(2, n=2), measure_features([])])
    for distance in found.features.values():
        for value in dataclasses.asdict(distance).values():
            assert value is None or math.isfinite(value)
