"""Train the composer classifier that `pyzzicato.evaluation.style` judges style with.

    python train/train_style.py --data-dir MAESTRO --out runs/style.npz --limit 40       # a taste
    python train/train_style.py --data-dir MAESTRO --out runs/style.npz
    python train/train_style.py --data-dir MAESTRO --extra-dir EXTRA \
        --out pyzzicato/evaluation/style.npz                                             # bundled

MAESTRO is the unpacked official folder, version 2 or 3. EXTRA is a folder of more piano music with
a `manifest.csv` (see `style_data.extra_sources`); it doubles the number of works to learn from. The
composers are the most played of MAESTRO of whom there are enough works.

Learned are MAESTRO's training pieces and the extra folder's; never a work that has a validation
piece. Two kinds of figures are printed and kept in the file, each for excerpts of a minute and for
whole pieces, for all composers and for three of them alone:

- `held_out`: validation pieces, and for composers without any the extra folder's performances of
  works that MAESTRO does not hold.
- `cross_validation`: MAESTRO's training pieces, each judged by one of five classifiers that have
  not learned its work. More works and therefore the more honest figure.

`held_out_varied` counts parts of 20 to 60 s of the held-out excerpts in other keys.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import StratifiedGroupKFold  # type: ignore[import-untyped]
from style_data import (
    FileFeatures,
    extra_sources,
    group_works,
    hold_out_new,
    maestro_sources,
    read_all,
)

from pyzzicato.evaluation.style import CLIP, Confusion, StyleClassifier
from pyzzicato.training.catalogue import CHOPIN, DEBUSSY, most_played, read_catalogue

BACH = "Johann Sebastian Bach"
THREE = (CHOPIN, DEBUSSY, BACH)
FOLDS = 5
SMALL_SCALE = 0.2
"""Features that hardly vary are divided by this part of the median deviation at least, or a rare
chord would count like a whole register."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class StyleConfig:
    """One training run: see `--help` for each field."""

    data_dir: Path
    extra_dir: Path | None
    out: Path
    n_composers: int
    min_works: int
    penalty: float
    limit: int | None
    processes: int


@dataclass(frozen=True, eq=False)
class Excerpts:
    """E excerpts of all files.

    Attributes:
        features: `(E, D)`.
        composer: `(E,)` index of the composer.
        work: `(E,)` number of the work.
        piece: `(E,)` number of the file.
        varied: `(E,)` whether the excerpt is a shorter part in another key.
    """

    features: Floats
    composer: Ints
    work: Ints
    piece: Ints
    varied: Flags

    def where(self, chosen: Flags) -> "Excerpts":
        """Returns the chosen excerpts."""
        return Excerpts(
            self.features[chosen],
            self.composer[chosen],
            self.work[chosen],
            self.piece[chosen],
            self.varied[chosen],
        )


def stack(files: Sequence[FileFeatures], works: Ints, composers: Sequence[str]) -> Excerpts:
    """Returns the excerpts of all files, plain and varied."""
    parts = []
    for piece, (file, work) in enumerate(zip(files, works, strict=True)):
        composer = composers.index(file.source.composer)
        for varied, features in enumerate((file.plain, file.varied)):
            n = len(features)
            labels = [np.full(n, label) for label in (composer, work, piece, bool(varied))]
            parts.append((features.astype(np.float64), *labels))
    return Excerpts(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def split_works(works: Ints, held_out: Flags) -> tuple[Flags, Flags]:
    """Returns which files to learn and which to test, so that no work is in both.

    Args:
        works: `(N,)` number of the work of each file.
        held_out: `(N,)` whether the file is a validation piece. These are tested; of the others,
            those of the same works are neither learned nor tested.
    """
    return ~np.isin(works, works[held_out]), held_out.copy()


def fit(excerpts: Excerpts, composers: Sequence[str], penalty: float) -> StyleClassifier:
    """Returns softmax regression on the excerpts, penalised by the square of its weights.

    All composers weigh the same. Within a composer the works weigh by the square root of their
    excerpts: a sonata played by twenty pianists counts more than one played once, but not twenty
    times.

    Args:
        excerpts: to learn from; each composer needs one at least.
        composers: names, in the order of the indices.
        penalty: of the sum of squared weights, beside the mean loss.
    """
    mean, deviation = excerpts.features.mean(axis=0), excerpts.features.std(axis=0)
    scale = np.maximum(deviation, max(1e-6, SMALL_SCALE * float(np.median(deviation))))
    standard = np.clip((excerpts.features - mean) / scale, -CLIP, CLIP)
    weights = balance(excerpts.composer, excerpts.work)
    model = LogisticRegression(C=1 / (2 * penalty), max_iter=300, tol=1e-5)
    model.fit(standard, excerpts.composer, sample_weight=weights)
    coefficients, bias = model.coef_.T, model.intercept_
    if len(composers) == 2:  # scikit-learn keeps one column then: the logits of the second class
        coefficients = np.c_[-coefficients / 2, coefficients / 2]
        bias = np.r_[-bias / 2, bias / 2]
    return StyleClassifier(composers, mean=mean, scale=scale, weights=coefficients, bias=bias)


def balance(composer: Ints, work: Ints) -> Floats:
    """Returns the weight of each excerpt, with a sum of 1; see `fit`."""
    _, index, size = np.unique(work, return_inverse=True, return_counts=True)
    weights = 1 / np.sqrt(size[index])
    totals = np.bincount(composer, weights=weights)
    shares: Floats = weights / totals[composer] / np.count_nonzero(totals)
    return shares


def cross_validate(
    learned: Excerpts, tested: Flags, composers: Sequence[str], penalty: float
) -> Floats:
    """Returns `(E, C)` logits of the excerpts from classifiers that have not learned their works.

    Args:
        learned: all excerpts to learn from.
        tested: `(E,)` those that are judged; the rows of the others are 0.
        composers: names.
        penalty: see `fit`.
    """
    logits = np.zeros((len(learned.composer), len(composers)))
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0)
    for _, out in folds.split(learned.features, learned.composer, learned.work):
        fold = np.zeros(len(tested), dtype=bool)
        fold[out] = True
        classifier = fit(learned.where(~fold), composers, penalty)
        logits[fold & tested] = classifier.logits(learned.features[fold & tested])
    return logits


def temperature_of(logits: Floats, composer: Ints, weights: Floats) -> float:
    """Returns what to divide logits by so that the probabilities fit the truth best.

    Source: C. Guo et al., "On calibration of modern neural networks", ICML 2017.
    """

    def loss(log_temperature: float) -> float:
        scores = log_softmax(logits / np.exp(log_temperature), axis=1)
        return -float(weights @ scores[np.arange(len(composer)), composer])

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def confusions(
    name: str, logits: Floats, excerpts: Excerpts, composers: Sequence[str]
) -> dict[str, Confusion]:
    """Returns tables by excerpt and by piece, for all composers and for three of them."""
    pieces, first = np.unique(excerpts.piece, return_index=True)
    scores = log_softmax(logits, axis=1)
    by_piece = np.array([scores[excerpts.piece == piece].mean(axis=0) for piece in pieces])
    tables = {}
    for unit, table, truth in (
        ("excerpts", logits, excerpts.composer),
        ("pieces", by_piece, excerpts.composer[first]),
    ):
        tables[f"{name}_{unit}"] = count(table, truth, composers)
        three = [i for i, composer in enumerate(composers) if composer in THREE]
        theirs = np.isin(truth, three)
        if len(three) == len(THREE) and theirs.any():
            places = np.searchsorted(three, truth[theirs])
            names = [composers[i] for i in three]
            tables[f"{name}_{unit}_of_three"] = count(table[theirs][:, three], places, names)
    return tables


def count(logits: Floats, truth: Ints, composers: Sequence[str]) -> Confusion:
    """Returns how often each composer (row) was taken for each (column)."""
    n = len(composers)
    cells = np.bincount(truth * n + logits.argmax(axis=1), minlength=n * n)
    return Confusion(tuple(composers), cells.reshape(n, n))


def read_files(config: StyleConfig) -> tuple[list[FileFeatures], list[str]]:
    """Returns the features of all files of the composers, and prints what could not be read."""
    catalogue = read_catalogue(config.data_dir)
    names = [name for name, _ in most_played(catalogue, config.n_composers)]
    sources = maestro_sources(catalogue, config.data_dir, set(names))
    if config.extra_dir is not None:
        sources += extra_sources(config.extra_dir, set(names))
    sources = hold_out_new(sources)
    if config.limit is not None:
        # Spread over the catalogue, so that a taste meets all composers.
        sources = sources[:: max(1, len(sources) // config.limit)]
    files, broken = read_all(sources, config.processes)
    print(f"{len(files)} files read, {len(broken)} broken")
    for reason in broken:
        print(f"  {reason}")
    return files, names


def train(files: list[FileFeatures], names: Sequence[str], config: StyleConfig) -> StyleClassifier:
    """Returns the classifier of the files, with its figures.

    Args:
        files: all files.
        names: composers to choose from; those with too few works are left out.
        config: the run.

    Raises:
        ValueError: if fewer than two composers have enough works.
    """
    works = group_works([h.source for h in files], [h.runs for h in files])
    learn, test = split_works(works, np.array([h.source.split != "train" for h in files]))
    n_works = {
        name: len({w for h, w, yes in zip(files, works, learn, strict=True)
                   if yes and h.source.composer == name})
        for name in names
    }  # fmt: skip
    composers = sorted(name for name in names if n_works[name] >= config.min_works)
    if len(composers) < 2:
        raise ValueError(
            f"two composers must have {config.min_works} works or more, got {composers} of "
            f"{n_works}; take more pieces or a smaller --min-works"
        )
    kept = np.array([h.source.composer in composers for h in files])
    excerpts = stack([h for h, k in zip(files, kept, strict=True) if k], works[kept], composers)
    maestro = np.array([h.source.kind == "maestro" for h in files])[kept][excerpts.piece]
    learned = excerpts.where(learn[kept][excerpts.piece])
    tested = excerpts.where(test[kept][excerpts.piece])

    judged = maestro[learn[kept][excerpts.piece]] & ~learned.varied
    logits = cross_validate(learned, judged, composers, config.penalty)[judged]
    crossed = learned.where(judged)
    temperature = temperature_of(logits, crossed.composer, balance(crossed.composer, crossed.work))
    tables = confusions("cross_validation", logits, crossed, composers)
    raw = fit(learned, composers, config.penalty)
    for name, varied in (("held_out", False), ("held_out_varied", True)):
        part = tested.where(tested.varied == varied)
        if len(part.composer):
            tables |= confusions(name, raw.logits(part.features), part, composers)
    record = describe(config, temperature, learned, tested, {n: n_works[n] for n in composers})
    return StyleClassifier(
        composers,
        mean=raw.mean,
        scale=raw.scale,
        weights=raw.weights / temperature,
        bias=raw.bias / temperature,
        confusions=tables,
        record=record,
    )


def describe(
    config: StyleConfig,
    temperature: float,
    learned: Excerpts,
    tested: Excerpts,
    n_works: dict[str, int],
) -> dict[str, Any]:
    """Returns how the classifier was made; nothing of the machine it was made on."""
    extra = " --extra-dir EXTRA" if config.extra_dir is not None else ""
    return {
        "command": f"python train/train_style.py --data-dir MAESTRO{extra} --out FILE",
        "penalty": config.penalty,
        "temperature": round(temperature, 4),
        "folds": FOLDS,
        "works_learned": n_works,
        "pieces_learned": len(np.unique(learned.piece)),
        "excerpts_learned": len(learned.composer),
        "pieces_tested": len(np.unique(tested.piece)),
        "works_tested": len(np.unique(tested.work)),
    }


def print_figures(classifier: StyleClassifier) -> None:
    """Prints the accuracies and the confusion of the composers."""
    for name, table in classifier.confusions.items():
        print(f"{name:36} {table.accuracy:6.1%} of {table.counts.sum()}")
    table = classifier.confusions["cross_validation_excerpts"]
    print("\ncross_validation_excerpts, rows: who wrote it, columns: who was named")
    for composer, row in zip(table.composers, table.counts, strict=True):
        print(f"{composer:24} " + " ".join(f"{n:4}" for n in row))


def main(config: StyleConfig) -> None:
    """Trains, tests and writes one classifier."""
    files, names = read_files(config)
    classifier = train(files, names, config)
    config.out.parent.mkdir(parents=True, exist_ok=True)
    classifier.save(config.out)
    print_figures(classifier)
    print(f"\n{config.out.stat().st_size / 1e3:.0f} kB in {config.out}")


def parse_args() -> StyleConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data-dir", type=Path, required=True, help="MAESTRO's folder")
    add("--extra-dir", type=Path, help="folder of more music with a manifest.csv")
    add("--out", type=Path, required=True, help="file to write, .npz")
    add("--n-composers", type=int, default=14, help="the so many most played of MAESTRO")
    add("--min-works", type=int, default=5, help="composers with fewer works are left out")
    add("--penalty", type=float, default=0.03, help="of the squared weights")
    add("--limit", type=int, help="only about so many files, spread over all")
    add("--processes", type=int, default=os.cpu_count() or 1)
    return StyleConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
