"""Adversary: can a classifier tell what a system plays from what composers wrote?

Measures one by one may all be right while music is wrong. An adversary looks for whatever differs:
a classifier learns to tell made passages from real ones and is tested on other pieces. Its AUC is
the chance that it finds a made passage more suspicious than a real one: 0.5 if it cannot tell, 1 if
it always can.

Both sides must come in one form. Put real passages through the system's representation (encode and
decode) before they are judged, or the adversary learns to know the grid.

This one is gradient boosting on the figures of `adversary_features`, cross-validated by piece:
no fold is tested on a piece it learned from. Figures can be left out, to see which ones matter.
`adversary_network` has another one, which looks at the notes themselves.

Source: a classifier as a two-sample test: D. Lopez-Paz and M. Oquab, "Revisiting classifier
two-sample tests", ICLR 2017. Histogram gradient boosting: scikit-learn's, after G. Ke et al.,
"LightGBM", NeurIPS 2017.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from . import adversary_features as features
from .arrays import Floats
from .passage_folders import Passage

N_FOLDS = 5
N_RESAMPLES = 1000
MIN_PIECES = 2 * N_FOLDS
"""With fewer real or made pieces an AUC says next to nothing: none is given."""

_INTERVALS = (features.CHORDS, features.VOICES)
_TIMING = (features.DENSITY, features.RHYTHM, features.LENGTHS, features.LOUDNESS)
VIEWS: dict[str, tuple[str, ...]] = {
    "all figures": features.GROUPS,
    "without recurrence": tuple(g for g in features.GROUPS if g != features.RECURRENCE),
    "without recurrence and intervals": tuple(
        g for g in features.GROUPS if g not in (features.RECURRENCE, *_INTERVALS)
    ),
    "timing, length and loudness alone": _TIMING,
    "recurrence alone": (features.RECURRENCE,),
}
"""What the classifier is shown: groups of figures by the view's name."""
NETWORK = "network"
"""Name of the network's verdict beside those of `VIEWS`."""

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well an adversary tells made from real.

    Attributes:
        auc: area under the ROC curve, 0 to 1; 0.5 cannot tell.
        low: lower end of its 95 % interval, by resampling of pieces.
        high: upper end.
        n_real: real passages judged.
        n_made: made passages judged.
        n_pieces: pieces they are from, real and made together.
        n_learnt: passages it learned from, real and made together; None if cross-validated.
    """

    auc: float
    low: float
    high: float
    n_real: int
    n_made: int
    n_pieces: int
    n_learnt: int | None = None


def judge_features(
    real: Sequence[Passage], made: Sequence[Passage], views: Collection[str] = tuple(VIEWS)
) -> dict[str, Verdict]:
    """Returns how well figures of a passage tell made from real, by view.

    Passages need notes to be judged: those with fewer than two are left out on both sides.

    Args:
        real: passages in the system's representation.
        made: what the system played, passages of the same length.
        views: of `VIEWS`.

    Returns:
        The verdicts; none at all if real or made passages are from fewer than `MIN_PIECES` pieces.

    Raises:
        ValueError: if lengths differ, or there is no such view.
    """
    if not set(views) <= set(VIEWS):
        raise ValueError(f"views must be of {', '.join(VIEWS)}; got {', '.join(views)}")
    if len({passage.seconds for passage in (*real, *made)}) > 1:
        raise ValueError("all passages must be of one length; cut the longer ones")
    sides = [[p for p in side if len(p.notes) > 1] for side in (real, made)]
    if any(len({p.piece for p in side}) < MIN_PIECES for side in sides):
        return {}
    passages = [*sides[0], *sides[1]]
    is_made = np.arange(len(passages)) >= len(sides[0])
    pieces = _numbers([p.piece for p in passages])
    rows = [features.passage_features(p.notes, p.seconds) for p in passages]
    table = np.array([np.concatenate(list(row.values())) for row in rows])
    found = {}
    for view in views:
        shown = table[:, features.feature_columns(VIEWS[view])]
        found[view] = verdict(cross_validated_scores(shown, is_made, pieces), is_made, pieces)
    return found


def cross_validated_scores(
    table: Floats, is_made: Flags, pieces: NDArray[np.int64], n_folds: int = N_FOLDS
) -> Floats:
    """Returns how suspicious each row looks to a classifier that has not learned from its piece.

    Args:
        table: `(N, F)` figures, NaN where undefined.
        is_made: `(N,)` which rows are made.
        pieces: `(N,)` number of the piece each row is from, `n_folds` different ones at least.
        n_folds: the pieces are dealt into so many parts.

    Returns:
        `(N,)` log-odds of being made.
    """
    order = np.random.default_rng(0).permutation(int(pieces.max()) + 1)
    folds = order[pieces] % n_folds
    scores = np.zeros(len(table))
    for fold in range(n_folds):
        tested = folds == fold
        booster = HistGradientBoostingClassifier(
            max_iter=150,
            learning_rate=0.06,
            max_leaf_nodes=8,
            max_bins=32,
            l2_regularization=1.0,
            min_samples_leaf=5,
            max_features=0.3,
            early_stopping=False,
            random_state=0,
        )
        # Of what no passage has nothing is learnt; the booster would stop at it.
        shown = table[:, ~np.isnan(table[~tested]).all(0)]
        # On tables as small as these threads wait for each other longer than they work.
        with threadpool_limits(1):
            booster.fit(shown[~tested], is_made[~tested])
            scores[tested] = booster.decision_function(shown[tested])
    return scores


def verdict(
    scores: Floats, is_made: Flags, pieces: NDArray[np.int64], n_learnt: int | None = None
) -> Verdict:
    """Returns the AUC of some scores, with an interval from resampling whole pieces.

    Passages of one piece are alike, so pieces are drawn, not passages (bootstrap, percentiles).

    Args:
        scores: `(N,)` the higher, the more suspicious; equal ones count half.
        is_made: `(N,)` which are made; some must be and some not.
        pieces: `(N,)` number of the piece each is from, from 0.
        n_learnt: see `Verdict`.

    Raises:
        ValueError: if all are made or none is.
    """
    if is_made.all() or not is_made.any():
        raise ValueError("there must be real and made passages to tell apart, got one kind alone")
    made, real = scores[is_made][:, None], scores[~is_made]
    wins = (made > real) + 0.5 * (made == real)
    n_pieces = int(pieces.max()) + 1
    # (pieces of the made, pieces of the real): sums over the pairs of passages of two pieces.
    sums = np.zeros((n_pieces, n_pieces))
    np.add.at(sums, np.ix_(pieces[is_made], pieces[~is_made]), wins)
    n_made, n_real = (np.bincount(pieces[kind], minlength=n_pieces) for kind in (is_made, ~is_made))
    drawn = np.random.default_rng(0).integers(0, n_pieces, (N_RESAMPLES, n_pieces))
    weights = np.stack([np.bincount(row, minlength=n_pieces) for row in drawn])
    totals = (weights @ n_made) * (weights @ n_real)
    aucs = np.einsum("rp,pq,rq->r", weights, sums, weights, optimize=True)[totals > 0]
    low, high = np.percentile(aucs / totals[totals > 0], (2.5, 97.5))
    return Verdict(
        auc=float(wins.mean()),
        low=float(low),
        high=float(high),
        n_real=len(real),
        n_made=len(made),
        n_pieces=len(np.unique(pieces)),
        n_learnt=n_learnt,
    )


def write_verdicts(verdicts: Mapping[str, Mapping[str, Verdict]], path: Path) -> None:
    """Writes verdicts by system and adversary as JSON; those of other systems in it stay."""
    known = read_verdicts(path) if path.exists() else {}
    for system, found in verdicts.items():
        known[system] = {**known.get(system, {}), **found}
    table = {s: {n: asdict(v) for n, v in found.items()} for s, found in known.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(table, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_verdicts(path: Path) -> dict[str, dict[str, Verdict]]:
    """Returns the verdicts that `write_verdicts` wrote.

    Raises:
        ValueError: if the file cannot be read or holds something else.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        return {s: {n: Verdict(**v) for n, v in found.items()} for s, found in table.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} must hold verdicts of adversaries, got {error!r}; run adversary.py judge"
        ) from error


def _numbers(names: Sequence[str]) -> NDArray[np.int64]:
    return np.unique(names, return_inverse=True)[1].astype(np.int64)
