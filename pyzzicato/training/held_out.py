"""The crops that held-out losses are measured on."""

from collections.abc import Iterable

from ..representations import Representation, Steps
from ..representations.passages import Change
from .store import NoteStore, StoredPiece


def middle_crops(
    store: NoteStore, pieces: Iterable[StoredPiece], representation: Representation, n_steps: int
) -> list[Steps]:
    """Returns the middle `n_steps` of each piece, `(T, A)`; whole pieces where shorter.

    Held-out losses are measured on these, the same at each evaluation and for each model. The
    middle, because openings and ends are slower and quieter than the rest.
    """
    return [
        representation.crop(store, p, (representation.room(p, n_steps) - 1) // 2, n_steps, Change())
        for p in pieces
    ]
