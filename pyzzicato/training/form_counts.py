"""How music returns to what it has said: counted in prepared data, see `decoding/form.py`."""

import numpy as np

from ..models.architecture import Architecture
from ..playing.decoding.form import FormTable, count_form
from ..representations import representation_of
from ..representations.passages import Change
from .store import NoteStore

_PASSAGES = 1500
_NOTES = 1025


def measure_form(store: NoteStore, config: Architecture, seed: int = 0) -> FormTable:
    """Returns the chances with which a model's `returns` follow each other in its training music.

    Passages are drawn by the length of the pieces, as long as training's crops are; shorter pieces
    are taken whole.

    Args:
        store: prepared data with pieces to train on.
        config: of the model, with `returns`.
        seed: of the draw.
    """
    representation = representation_of(config)
    rng = np.random.default_rng(seed)
    pieces = store.at_hand(store.of_split("train"), 0, 0, seed)
    lengths = np.array([piece.length for piece in pieces], dtype=float)
    passages = []
    for i in rng.choice(len(pieces), _PASSAGES, p=lengths / lengths.sum()):
        place = int(rng.integers(representation.room(pieces[i], _NOTES)))
        steps = representation.crop(store, pieces[i], place, _NOTES, Change(0, 1.0))
        passages.append(config.return_numbers(representation.coming_returns(steps)))
    store.release()
    return count_form(passages, len(config.returns or []))
