"""Shared passages: where a piece and the training music go together note by note.

Laid on the training music at some place (the shift) and moved by some interval (the
transposition), a piece's notes pair off; such a pairing is called a diagonal here. Fingerprints say
which of the countless diagonals are worth looking at; along these every note is compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from .fingerprints import (
    GRAM_NOTES,
    Flags,
    Pitches,
    Places,
    distinctive_grams,
    fresh_notes,
    gram_hashes,
)
from .training_index import TrainingIndex

REACH_NOTES = 64
"""How far before and after a fingerprint notes are compared. A passage reaches on from fingerprint
to fingerprint; where it holds none for so long it is looked at no further."""
GAP_NOTES = 1
"""Successive notes that may differ within a passage."""
_NO_NOTE = 1000
_BLOCK_NOTES = 2**18


@dataclass(frozen=True, eq=False)
class Passages:
    """P shared passages, each `(P,)`.

    Attributes:
        first: number of the first note in the piece, in playing order.
        last: number of the last note.
        lengths: notes between them, both included, that agree and do not just go on with a figure.
        places: where the first note's partner is in the index.
    """

    first: Places
    last: Places
    lengths: Places
    places: Places

    def covered_share(self, at_least: int, n_notes: int) -> float:
        """Returns the share of a piece's notes inside passages of some length; 0.0 for no notes.

        Args:
            at_least: least length of a passage.
            n_notes: notes of the piece.
        """
        long = self.lengths >= at_least
        edges = np.zeros(n_notes + 1, dtype=np.int64)
        np.add.at(edges, self.first[long], 1)
        np.add.at(edges, self.last[long] + 1, -1)
        return float((np.cumsum(edges) > 0).sum() / max(n_notes, 1))


@dataclass(frozen=True, eq=False)
class _Stretches:
    """S parts of diagonals to look at, each `(S,)`: from note `start`, `length` notes long."""

    start: Places
    length: Places
    shift: Places
    transposition: Places

    def blocks(self) -> Iterator["_Stretches"]:
        """Yields the stretches a few at a time, so that memory stays bounded."""
        block = np.cumsum(self.length) // _BLOCK_NOTES
        for cut in np.split(np.arange(len(block)), np.flatnonzero(np.diff(block)) + 1):
            yield _Stretches(
                self.start[cut], self.length[cut], self.shift[cut], self.transposition[cut]
            )


def find_passages(pitches: Pitches, index: TrainingIndex) -> Passages:
    """Returns the passages a piece shares with the training music, in no special order.

    A passage is a run of notes that agree (`agreeing_notes`) with at most `GAP_NOTES` others
    between two of them, that holds a fingerprint or lies within `REACH_NOTES` of one on its
    diagonal. Passages on different diagonals may overlap in the piece.

    Args:
        pitches: `(N,)` in playing order.
        index: the training music.
    """
    fresh = fresh_notes(pitches)
    stretches = _stretches(pitches, index)
    found = [_passages(block, pitches, fresh, index) for block in stretches.blocks()]
    return Passages(
        first=np.concatenate([p.first for p in found]),
        last=np.concatenate([p.last for p in found]),
        lengths=np.concatenate([p.lengths for p in found]),
        places=np.concatenate([p.places for p in found]),
    )


def agreeing_notes(
    pitches: Pitches, index: TrainingIndex, notes: Places, shifts: Places, transpositions: Places
) -> Flags:
    """Returns which notes of a piece agree with the training music on given diagonals `(M,)`.

    A note agrees if its partner has its pitch, transposed; or if the partner's neighbour has, and
    that neighbour does not already agree with its own partner. So neighbours may have changed
    places, as a slight retiming does to fast notes and to hands that are not together, and a
    passage goes on after one note more or one note less than in the training music.

    Args:
        pitches: `(N,)` of the piece, in playing order.
        index: the training music.
        notes: `(M,)` numbers of notes of the piece.
        shifts: `(M,)` place in the index less number in the piece.
        transpositions: `(M,)` semitones from the piece to the training music.
    """
    padded = np.concatenate([[_NO_NOTE], pitches, [_NO_NOTE]])
    before, here, after = (
        index.pitches_at(notes + shifts + step) - transpositions for step in (-1, 0, 1)
    )
    wanted = padded[notes + 1]
    agree = here == wanted
    agree |= (after == wanted) & (after != padded[notes + 2])
    agree |= (before == wanted) & (before != padded[notes])
    return np.asarray(agree)


def _stretches(pitches: Pitches, index: TrainingIndex) -> _Stretches:
    """Returns the parts of diagonals within reach of a fingerprint."""
    grams, places = index.find(gram_hashes(pitches), distinctive_grams(pitches))
    shifts = places - grams
    transpositions = index.pitches_at(places).astype(np.int64) - pitches[grams]
    order = np.lexsort((grams, transpositions, shifts))
    grams, shifts, transpositions = grams[order], shifts[order], transpositions[order]
    new = np.ones(len(grams) + 1, dtype=np.bool_)
    new[1:-1] = (np.diff(shifts) != 0) | (np.diff(transpositions) != 0)
    new[1:-1] |= np.diff(grams) > 2 * REACH_NOTES
    first, last = np.flatnonzero(new)[:-1], np.flatnonzero(new)[1:] - 1
    start = np.maximum(grams[first] - REACH_NOTES, 0)
    end = np.minimum(grams[last] + GRAM_NOTES + REACH_NOTES, len(pitches))
    return _Stretches(start, end - start, shifts[first], transpositions[first])


def _passages(
    stretches: _Stretches, pitches: Pitches, fresh: Flags, index: TrainingIndex
) -> Passages:
    """Returns the passages on some stretches."""
    of = np.repeat(np.arange(len(stretches.length)), stretches.length)
    begins = np.cumsum(stretches.length) - stretches.length
    notes = np.arange(len(of)) - begins[of] + stretches.start[of]
    shifts = stretches.shift[of]
    agree = agreeing_notes(pitches, index, notes, shifts, stretches.transposition[of])
    at = np.flatnonzero(agree)
    new = np.ones(len(at) + 1, dtype=np.bool_)
    new[1:-1] = (np.diff(at) > GAP_NOTES + 1) | (np.diff(of[at]) != 0)
    first, last = np.flatnonzero(new)[:-1], np.flatnonzero(new)[1:] - 1
    counted = np.concatenate([[0], np.cumsum(fresh[notes[at]])])
    return Passages(
        first=notes[at[first]],
        last=notes[at[last]],
        lengths=counted[last + 1] - counted[first],
        places=(notes + shifts)[at[first]],
    )
