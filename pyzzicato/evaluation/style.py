"""Style: which composer do these notes sound like?

A classifier learned the composers of MAESTRO from some 400 works and is tested on others; its file
holds how often it was right. It is no oracle: it confuses neighbours (Haydn and Mozart more than
Bach and Debussy), and it always names one of its own composers, whatever it gets. Read the share of
continuations taken for the seed's composer beside the same share for real continuations, which
is the most that can be expected, and never alone.

The model is softmax regression on the features of `style_features`: standardised, cut off at four
deviations, weighed and turned into probabilities whose temperature was set on works it had not
learned. It is scored in numpy alone. `train/train_style.py` makes the file.
"""

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..notes import Note, cut_notes, shift_notes
from .arrays import Floats
from .style_features import N_FEATURES, style_features

FORMAT = 1
"""Version of the file; to be raised whenever what it holds, or a feature, changes."""
BUNDLED = Path(__file__).with_name("style.npz")
MIN_NOTES = 8
"""Fewer notes are no music to judge: all composers get the same probability."""
WINDOW_S = 60.0
"""The classifier learned excerpts of 20 to 60 s; a longer piece is read in such windows."""
MIN_WINDOW_S = 20.0
CLIP = 4.0
"""Standardised features are cut off here, so that nothing odd can outvote all the rest."""
MAX_FILE_BYTES = 4 * 2**20

# What numpy, zipfile and json raise on reading a file that is not what it should be.
_DAMAGE = (
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    EOFError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
)
_ARRAYS = ("mean", "scale", "weights", "bias")


@dataclass(frozen=True, slots=True)
class Style:
    """Which composer a piece sounds like.

    Attributes:
        composer: the likeliest; None for fewer than `MIN_NOTES` notes in every window.
        probability: of that composer; None likewise.
        probabilities: of each composer the classifier knows, with a sum of 1; all alike where
            `composer` is None.
    """

    composer: str | None
    probability: float | None
    probabilities: dict[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class Confusion:
    """How often the classifier was right on works it had not learned.

    Attributes:
        composers: names of the rows (who wrote it) and columns (who was named).
        counts: `(C, C)` numbers of excerpts or pieces.
    """

    composers: tuple[str, ...]
    counts: np.ndarray[Any, np.dtype[np.int64]]

    @property
    def accuracy(self) -> float:
        """Returns the balanced accuracy: the mean share of right answers over the composers.

        Composers without a test piece do not count. 1 / C would be chance.
        """
        tested = self.counts.sum(axis=1) > 0
        return float((np.diag(self.counts)[tested] / self.counts[tested].sum(axis=1)).mean())

    def as_dict(self) -> dict[str, Any]:
        """Returns plain JSON values, the accuracy among them."""
        return {
            "composers": list(self.composers),
            "counts": self.counts.tolist(),
            "balanced_accuracy": round(self.accuracy, 4),
        }

    @classmethod
    def from_dict(cls, table: Mapping[str, Any]) -> "Confusion":
        """Returns the table that `as_dict` gave.

        Raises:
            ValueError: if it is not a square of whole numbers, one row a composer, or is empty.
        """
        composers = tuple(str(name) for name in table["composers"])
        counts = np.array(table["counts"])
        square = (len(composers), len(composers))
        if counts.shape != square or counts.dtype.kind != "i" or counts.min() < 0:
            raise ValueError(f"confusion must be {square} counts, got {counts.shape}")
        if not counts.sum():
            raise ValueError("confusion must count at least one answer, got none")
        return cls(composers, counts)


class StyleClassifier:
    """Says how likely each composer is, given notes.

    Attributes:
        composers: names as in MAESTRO, in alphabetical order.
        mean, scale, weights, bias: the model; see `__init__`.
        confusions: tables of right and wrong answers on works not learned, by name; see
            `train/train_style.py` for what each of them counts.
        record: how the classifier was trained: settings, command, numbers of works and excerpts.
    """

    def __init__(
        self,
        composers: Sequence[str],
        *,
        mean: Floats,
        scale: Floats,
        weights: Floats,
        bias: Floats,
        confusions: Mapping[str, Confusion] | None = None,
        record: Mapping[str, Any] | None = None,
    ) -> None:
        """Takes D = `N_FEATURES` and C composers.

        Args:
            composers: C different names.
            mean: `(D,)`, subtracted from the features.
            scale: `(D,)` above 0, by which they are then divided.
            weights: `(D, C)`.
            bias: `(C,)`.
            confusions: see the class.
            record: see the class; plain JSON values.

        Raises:
            ValueError: if a shape does not fit or a number is not finite.
        """
        self.composers = tuple(composers)
        n = len(self.composers)
        if n < 2 or len(set(self.composers)) != n:
            raise ValueError(f"composers must be two or more different names, got {composers}")
        shapes = {
            "mean": (N_FEATURES,),
            "scale": (N_FEATURES,),
            "weights": (N_FEATURES, n),
            "bias": (n,),
        }
        given = {"mean": mean, "scale": scale, "weights": weights, "bias": bias}
        for name, array in given.items():
            if array.shape != shapes[name] or not np.isfinite(array).all():
                raise ValueError(
                    f"{name} must be {shapes[name]} finite numbers, got {array.shape}; train the "
                    "classifier again"
                )
        if not (scale > 0).all():
            raise ValueError(
                f"scale must be above 0, got {scale.min()}; train the classifier again"
            )
        self.mean, self.scale, self.weights, self.bias = mean, scale, weights, bias
        self.confusions = dict(confusions or {})
        self.record = dict(record or {})

    @classmethod
    def load(cls, path: Path | None = None) -> "StyleClassifier":
        """Returns the classifier of a file, the bundled one if None.

        Raises:
            ValueError: if there is no such file, or it is damaged or of another version.
        """
        path = BUNDLED if path is None else Path(path)
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise ValueError(f"it is larger than {MAX_FILE_BYTES} bytes")
            # Read whole first: a file cut short is then found out here and not later.
            with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
                if any(entry.file_size > MAX_FILE_BYTES for entry in file.zip.infolist()):
                    raise ValueError("it unpacks to more than a classifier can be")
                arrays = {name: file[name].astype(np.float64) for name in _ARRAYS}
                record = json.loads(str(file["record"]))
            if record.pop("format") != FORMAT:
                raise ValueError("it is of another version")
            composers = record.pop("composers")
            tables = record.pop("confusions").items()
            confusions = {name: Confusion.from_dict(table) for name, table in tables}
            return cls(composers, **arrays, confusions=confusions, record=record)
        except OSError as error:
            raise ValueError(f"classifier {path.name} cannot be read: {error.strerror}") from error
        except _DAMAGE as error:
            raise ValueError(
                f"classifier {path.name} cannot be read: {error}; make it again with "
                "train/train_style.py"
            ) from error

    def save(self, path: Path) -> Path:
        """Writes the classifier as .npz without pickled objects; returns the path."""
        tables = {name: table.as_dict() for name, table in self.confusions.items()}
        record = {
            **self.record,
            "format": FORMAT,
            "composers": self.composers,
            "confusions": tables,
        }
        arrays = {name: getattr(self, name).astype(np.float32) for name in _ARRAYS}
        text = json.dumps(record, ensure_ascii=False, allow_nan=False)
        with path.open("wb") as file:
            np.savez_compressed(file, record=np.array(text), **arrays)
        return path

    def probabilities(self, notes: Sequence[Note]) -> dict[str, float]:
        """Returns how likely each composer is; the sum is 1.

        Of a piece longer than a window all windows are judged, and the probability of a composer
        is the geometric mean, scaled to a sum of 1. Fewer than `MIN_NOTES` notes, or no window with
        so many, make all composers alike.

        Args:
            notes: one piece on its own clock, as it sounds (with the sustain pedal), in any order.
        """
        logits = [self.logits(style_features(part)) for part in style_windows(notes)]
        if not logits:
            return dict.fromkeys(self.composers, 1 / len(self.composers))
        mean = _log_softmax(np.array(logits)).mean(axis=0)
        chances = np.exp(_log_softmax(mean))
        return dict(zip(self.composers, chances.tolist(), strict=True))

    def logits(self, features: Floats) -> Floats:
        """Returns `(..., C)` logits of `(..., D)` features."""
        standard = np.clip((features - self.mean) / self.scale, -CLIP, CLIP)
        logits: Floats = standard @ self.weights + self.bias
        return logits


def style_windows(notes: Sequence[Note]) -> list[list[Note]]:
    """Returns the windows of a piece that are judged, each on its own clock.

    Windows of `WINDOW_S` follow each other from the first onset; a rest shorter than `MIN_WINDOW_S`
    joins the window before it. Windows with fewer than `MIN_NOTES` notes are left out.
    """
    if len(notes) < MIN_NOTES:
        return []
    ordered = shift_notes(notes, -min(note.start for note in notes))
    last = ordered[-1].start
    n_windows = max(1, math.ceil((last - MIN_WINDOW_S) / WINDOW_S))
    windows: list[list[Note]] = [[] for _ in range(n_windows)]
    for note in ordered:
        windows[min(n_windows - 1, int(note.start / WINDOW_S))].append(note)
    found = []
    for i, window in enumerate(windows):
        if len(window) >= MIN_NOTES:
            end = math.inf if i == n_windows - 1 else (i + 1) * WINDOW_S
            found.append(cut_notes(window, i * WINDOW_S, end))
    return found


def measure_style(notes: Sequence[Note], classifier: StyleClassifier) -> Style:
    """Returns which composer the notes sound like.

    Args:
        notes: a piece or a continuation without its seed, as it sounds; see
            `StyleClassifier.probabilities`.
        classifier: `StyleClassifier.load()`.
    """
    probabilities = classifier.probabilities(notes)
    if not style_windows(notes):
        return Style(None, None, probabilities)
    composer = max(probabilities, key=probabilities.__getitem__)
    return Style(composer, probabilities[composer], probabilities)


def _log_softmax(logits: Floats) -> Floats:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    chances: Floats = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return chances
