"""Models with nothing to learn in time: what a network must beat to have learnt anything.

On rolls they give nats a frame, summed over the 88 keys, on note events nats a note, summed over
its four numbers, like the networks' own losses.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..representations.event_bins import SIZES, Events

Frames = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Baselines:
    """Counted on training frames; both smoothed by adding one to each count.

    Attributes:
        key_chances: `(88,)` how often each key sounds.
        stay_chance: chance that a sounding key sounds in the next frame too.
        start_chance: chance that a silent key sounds in the next frame.
    """

    key_chances: NDArray[np.float64]
    stay_chance: float
    start_chance: float

    def frequency_nll(self, pieces: Iterable[Frames]) -> float:
        """Returns nats a frame of the all-keys-by-frequency model: each key by its own share."""
        return _mean_nll((p[1:], np.broadcast_to(self.key_chances, p[1:].shape)) for p in pieces)

    def copy_nll(self, pieces: Iterable[Frames]) -> float:
        """Returns nats a frame of the copy-the-last-frame model.

        A bare copy has infinite loss at its first mistake; this one is as sure of its copy as the
        training frames allow: a sounding key goes on with `stay_chance`, a silent one sounds with
        `start_chance`.
        """
        return _mean_nll(
            (p[1:], np.where(p[:-1] > 0, self.stay_chance, self.start_chance)) for p in pieces
        )


def count_baselines(pieces: Iterable[Frames]) -> Baselines:
    """Returns the baselines of `(T, 88)` training pieces, read one at a time."""
    sounding = np.zeros(88)
    n_frames = 0
    stays = starts = befores = cells = 0
    for piece in pieces:
        on = piece > 0
        sounding += on.sum(axis=0)
        n_frames += len(on)
        stays += int((on[1:] & on[:-1]).sum())
        starts += int((on[1:] & ~on[:-1]).sum())
        befores += int(on[:-1].sum())
        cells += on[:-1].size
    return Baselines(
        key_chances=(sounding + 1) / (n_frames + 2),
        stay_chance=(stays + 1) / (befores + 2),
        start_chance=(starts + 1) / (cells - befores + 2),
    )


@dataclass(frozen=True, slots=True)
class EventBaselines:
    """Counted on training notes; all smoothed by adding one to each count.

    Attributes:
        chances: for each of the four numbers `(V,)`, how often it takes each value.
        after: for each of the four numbers `(V, V)`, the same after each value of the note before.
    """

    chances: tuple[NDArray[np.float64], ...]
    after: tuple[NDArray[np.float64], ...]

    def frequency_nll(self, pieces: Iterable[Events]) -> float:
        """Returns nats a note of each number by its own share of all notes."""
        return _mean_note_nll(
            pieces, lambda before, now: [c[now[:, i]] for i, c in enumerate(self.chances)]
        )

    def markov_nll(self, pieces: Iterable[Events]) -> float:
        """Returns nats a note of each number given the same number of the note before."""
        return _mean_note_nll(
            pieces,
            lambda before, now: [c[before[:, i], now[:, i]] for i, c in enumerate(self.after)],
        )


def count_event_baselines(pieces: Iterable[Events]) -> EventBaselines:
    """Returns the baselines of `(N, 4)` training pieces, read one at a time."""
    counts = [np.ones((size, size)) for size in SIZES]
    for piece in pieces:
        for i, count in enumerate(counts):
            np.add.at(count, (piece[:-1, i], piece[1:, i]), 1)
    return EventBaselines(
        tuple(count.sum(axis=0) / count.sum() for count in counts),
        tuple(count / count.sum(axis=1, keepdims=True) for count in counts),
    )


def _mean_note_nll(
    pieces: Iterable[Events],
    chances_of: Callable[[Events, Events], list[NDArray[np.float64]]],
) -> float:
    total, n_notes = 0.0, 0
    for piece in pieces:
        for chances in chances_of(piece[:-1], piece[1:]):
            total -= float(np.log(chances).sum())
        n_notes += len(piece) - 1
    if n_notes <= 0:
        raise ValueError("no note to measure on; the pieces must have at least two notes")
    return total / n_notes


def _mean_nll(pairs: Iterable[tuple[Frames, NDArray[np.float64]]]) -> float:
    total, n_frames = 0.0, 0
    for frames, chances in pairs:
        total -= float(np.log(np.where(frames > 0, chances, 1 - chances)).sum())
        n_frames += len(frames)
    if n_frames == 0:
        raise ValueError("no frame to measure on; the pieces must have at least two frames")
    return total / n_frames
