"""Distribution: how far a set of pieces lies from a set of real ones, feature by feature.

Each piece becomes a few features; the distances between the pieces of the real set (intra-set) are
held against the distances from real pieces to the others (inter-set). If the others could be real
pieces, both have the same distribution. Two halves of a real set give the ceiling.

Features are of notes in reading order (see `arrays`). Two of them, `note_count` and `pitch_count`,
grow with a piece's length: compare pieces of one length. Undefined values are None, never NaN.

Source: L.-C. Yang and A. Lerch, "On the evaluation of generative models in music", Neural Computing
and Applications 32, 2020. Their toolbox (mgeval) reads one track of a score in bars; performances
have no bars, and each function says where it differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from ..notes import Note
from .arrays import Floats, Ints, NoteArrays, note_arrays, pitch_class_counts, sounding_seconds

if TYPE_CHECKING:
    from scipy.stats import gaussian_kde

N_LENGTHS = 12
SHORTEST_S = 0.06
LENGTH_EDGES_S: Floats = SHORTEST_S * np.sqrt(2.0) ** np.arange(N_LENGTHS - 1)
"""`(11,)` limits of the note-length classes: below 60 ms, then half octaves, to 1.92 s and above.
They avoid whole frames of a roll of 20 a second, which rounding would throw to either side."""
MIN_PIECES = 3
"""Three pieces have three distances, the fewest a density can be estimated from with any sense."""

_DIATONIC = (0, 2, 4, 5, 7, 9, 11)
_BINS = 1000
_GRID = 400
_SAME = 1e-9
_LARGEST_RATIO = 1e12


@dataclass(frozen=True, eq=False)
class Features:
    """What one piece is like; every field is a feature of `compare_sets`.

    Attributes:
        pitch_count: different pitches.
        pitch_class_histogram: `(12,)` share of the notes in each pitch class, C first. mgeval
            weighs by duration. None without notes.
        pitch_class_transitions: `(12, 12)` share of successive pairs of notes that go from the
            row's pitch class to the column's; sums to 1 (mgeval: plain counts). None below two
            notes.
        pitch_range: highest minus lowest pitch, semitones. None without notes (muspy: 0).
        mean_pitch_interval: mean distance of successive notes, semitones. None below two notes.
        note_count: notes.
        mean_inter_onset_s: mean time between successive onsets, 0 within a chord. None below two
            notes.
        note_length_histogram: `(12,)` share of the notes in each class of `LENGTH_EDGES_S` (mgeval:
            note values of a bar). None without notes.
        note_length_transitions: `(12, 12)` the same for successive pairs. None below two notes.
        polyphony: keys that sound at once, mean over the time in which any does: 2.0 for a held
            chord of two notes. None without notes. muspy's `polyphony` is the same on a grid; its
            `polyphony_rate` counts only more than two and is 0 for that chord.
        scale_consistency: largest share of the notes that one diatonic scale holds, 0.583 (all
            twelve alike) to 1. Major and natural minor scales of one key signature are one set, so
            there are 12. None without notes (muspy: NaN).
        velocity_sd: standard deviation of the velocities. None without notes.
    """

    pitch_count: int
    pitch_class_histogram: Floats | None
    pitch_class_transitions: Floats | None
    pitch_range: int | None
    mean_pitch_interval: float | None
    note_count: int
    mean_inter_onset_s: float | None
    note_length_histogram: Floats | None
    note_length_transitions: Floats | None
    polyphony: float | None
    scale_consistency: float | None
    velocity_sd: float | None


@dataclass(frozen=True, slots=True)
class FeatureDistance:
    """One feature of two sets. All but the counts are None if too few pieces have the feature.

    Attributes:
        kl: Kullback-Leibler divergence in nats from the reference's intra-set distances to the
            inter-set distances; 0 if alike, at most 27.6. None if only one of the two has any
            spread.
        oa: overlapped area of the two densities, 0 to 1 (alike).
        reference_distance: mean distance between two pieces of the reference.
        other_distance: mean distance between two pieces of the other set: far below
            `reference_distance` if they are all alike. None for fewer than two.
        between_distance: mean distance from a piece of the reference to one of the other set.
        n_reference: pieces of the reference that have the feature.
        n_other: pieces of the other set that have it. The rest is left out here; stability and
            `note_count` show empty pieces.
    """

    kl: float | None
    oa: float | None
    reference_distance: float | None
    other_distance: float | None
    between_distance: float | None
    n_reference: int
    n_other: int


@dataclass(frozen=True, slots=True)
class SetComparison:
    """All features of two sets.

    Attributes:
        features: by the names of `Features`.
        mean_kl: mean over the features that have one; None if none has. One feature without any
            spread (all notes equally loud) can outweigh all others: prefer `mean_oa`.
        mean_oa: mean over the features that have one; None if none has.
    """

    features: dict[str, FeatureDistance]
    mean_kl: float | None
    mean_oa: float | None


def measure_features(notes: Sequence[Note]) -> Features:
    """Returns the features of one piece.

    Args:
        notes: the notes in any order, on any clock.
    """
    a = note_arrays(notes)
    classes = a.pitches % 12
    lengths = np.searchsorted(LENGTH_EDGES_S, a.ends - a.starts, side="right")
    some, pairs = len(a) >= 1, len(a) >= 2
    return Features(
        pitch_count=len(np.unique(a.pitches)),
        pitch_class_histogram=_histogram(classes, 12) if some else None,
        pitch_class_transitions=_transitions(classes, 12) if pairs else None,
        pitch_range=int(np.ptp(a.pitches)) if some else None,
        mean_pitch_interval=float(np.abs(np.diff(a.pitches)).mean()) if pairs else None,
        note_count=len(a),
        mean_inter_onset_s=float(np.ptp(a.starts)) / (len(a) - 1) if pairs else None,
        note_length_histogram=_histogram(lengths, N_LENGTHS) if some else None,
        note_length_transitions=_transitions(lengths, N_LENGTHS) if pairs else None,
        polyphony=_polyphony(a) if some else None,
        scale_consistency=_scale_consistency(a) if some else None,
        velocity_sd=float(a.velocities.std()) if some else None,
    )


def compare_sets(reference: Sequence[Features], other: Sequence[Features]) -> SetComparison:
    """Returns how far another set of pieces lies from a reference set.

    Args:
        reference: features of real pieces, three or more.
        other: features of the pieces to judge, one or more; or of other real pieces, for the
            ceiling. Not the same pieces: each would lie at distance 0 from itself.

    Raises:
        ValueError: if a set has too few pieces.
    """
    if len(reference) < MIN_PIECES or not other:
        raise ValueError(
            f"the reference must have {MIN_PIECES} pieces or more and the other set 1 or more, got "
            f"{len(reference)} and {len(other)}; measure more pieces"
        )
    features = {
        f.name: _compare(_matrix(reference, f.name), _matrix(other, f.name))
        for f in fields(Features)
    }
    return SetComparison(
        features,
        _mean([distance.kl for distance in features.values()]),
        _mean([distance.oa for distance in features.values()]),
    )


def density_distance(a: Floats, b: Floats) -> tuple[float | None, float]:
    """Returns the KL divergence from `a` to `b` (nats) and the overlapped area of their densities.

    Densities are Gaussian kernel estimates with Scott's bandwidth, as in mgeval. Both are taken on
    one grid that follows both samples, so that samples that lie apart differ; mgeval takes each on
    a grid of its own for the KL, which compares shapes wherever they lie.

    A sample without any spread has no density. Two such samples at one place are alike: `(0, 1)`.
    Two at different places, or one of them beside a sample with spread, share no area: `(None, 0)`.

    Args:
        a: `(N,)` distances, two or more unless all are alike.
        b: `(M,)` distances, likewise.
    """
    if a.std() <= _SAME or b.std() <= _SAME:
        alike = max(a.std(), b.std(), abs(a.mean() - b.mean())) <= _SAME
        return (0.0, 1.0) if alike else (None, 0.0)
    from scipy.special import rel_entr

    estimates = _density(a), _density(b)
    grid = np.unique(np.concatenate([_grid(kde) for kde in estimates]))
    p, q = (density / np.trapezoid(density, grid) for density in (kde(grid) for kde in estimates))
    # Far from all of b its density is 0 to the machine: no point may make the divergence infinite.
    divergence = np.trapezoid(rel_entr(p, np.maximum(q, p / _LARGEST_RATIO)), grid)
    return max(0.0, float(divergence)), float(np.trapezoid(np.minimum(p, q), grid))


def _density(sample: Floats) -> "gaussian_kde":
    """Returns the kernel estimate of a sample with Scott's bandwidth.

    The sample is first rounded to a thousandth of its range, far below the bandwidth, and equal
    values are taken together: ten thousand distances cost no more than a thousand.
    """
    # Here: it takes long to import, and measuring a single piece does without.
    from scipy.stats import gaussian_kde

    n, step = len(sample), float(np.ptp(sample)) / _BINS
    values, counts = np.unique(np.round(sample / step), return_counts=True)
    # scipy takes weights for certainties and widens the variance by 1 / (1 - sum of squares); these
    # are counts, which want n / (n - 1).
    certainty = 1 - float(((counts / n) ** 2).sum())
    scott = n**-0.2 * float(np.sqrt(certainty * n / (n - 1)))
    return gaussian_kde(values * step, bw_method=scott, weights=counts)


def _grid(kde: "gaussian_kde") -> Floats:
    """Returns points over the whole of a density, its tails included."""
    margin = 4 * float(np.sqrt(kde.covariance[0, 0]))
    points: Floats = np.linspace(kde.dataset.min() - margin, kde.dataset.max() + margin, _GRID)
    return points


def _compare(reference: Floats, other: Floats) -> FeatureDistance:
    """Returns the distances of two sets of `(pieces, values)` of one feature."""
    n_reference, n_other = len(reference), len(other)
    if n_reference < MIN_PIECES or not n_other:
        return FeatureDistance(None, None, None, None, None, n_reference, n_other)
    from scipy.spatial.distance import cdist, pdist

    intra = pdist(reference)
    inter = cdist(reference, other).ravel()
    kl, oa = density_distance(intra, inter)
    own = float(pdist(other).mean()) if n_other > 1 else None
    return FeatureDistance(
        kl, oa, float(intra.mean()), own, float(inter.mean()), n_reference, n_other
    )


def _matrix(pieces: Sequence[Features], name: str) -> Floats:
    """Returns one feature of the pieces that have it, `(pieces, values)`."""
    values = [getattr(piece, name) for piece in pieces]
    rows = [np.ravel(np.asarray(v, dtype=np.float64)) for v in values if v is not None]
    return np.stack(rows) if rows else np.zeros((0, 1))


def _mean(values: Sequence[float | None]) -> float | None:
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None


def _histogram(classes: Ints, n: int) -> Floats:
    return np.bincount(classes, minlength=n) / len(classes)


def _transitions(classes: Ints, n: int) -> Floats:
    return _histogram(classes[:-1] * n + classes[1:], n * n).reshape(n, n)


def _polyphony(a: NoteArrays) -> float:
    """Returns keys sounding at once; notes that overlap on one key are one key."""
    keys = (a.pitches == pitch for pitch in np.unique(a.pitches))
    of_keys = sum(sounding_seconds(a.starts[key], a.ends[key]) for key in keys)
    return of_keys / sounding_seconds(a.starts, a.ends)


def _scale_consistency(a: NoteArrays) -> float:
    counts = pitch_class_counts(a.pitches)
    scale = np.isin(np.arange(12), _DIATONIC)
    return max(float(counts[np.roll(scale, tonic)].sum()) for tonic in range(12)) / len(a)
