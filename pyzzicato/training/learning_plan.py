"""How long, how fast and how closely watched a model learns, by how much music there is.

A bundled model knows the piano; what it is to learn is a manner. Each step of the music is learnt
from so often at the most, in other keys and tempos, and weights are averaged as they move, so that
learning may end at any look.
"""

from typing import Any

from ..hub import model_info
from ..hub.checkpoints import read_config
from ..models.architecture import COMPOSERS, Architecture
from ..representations import representation_of
from .store import NoteStore
from .train_settings import TrainSettings

LOOK_SECONDS = 20.0
"""A look at the held-out pieces follows at least so often."""
LEAST_APART, SHARE_APART = 3, 0.1
"""Pieces kept apart for validation; more give a surer figure, and leave fewer to learn from."""
_MOST_APART = 0.34
_PASSES = 60
_UPDATES = 100, 4000
_BATCH = 8
_CROP_STEPS = {"note": 256, "frame": 512}
_LOOKED_AT = 12_000
_LONGEST_LOOK = 2000
_PATIENCE = 6


def validation_share(n_pieces: int) -> float:
    """Returns the share of so many pieces that is kept apart to judge by."""
    return max(SHARE_APART, min(_MOST_APART, LEAST_APART / max(1, n_pieces)))


def full_name(style: str) -> str:
    """Returns what the pieces of a style are filed under in a store."""
    return COMPOSERS.get(style, style)


def styles_with(base: Architecture, style: str) -> list[str]:
    """Returns the styles that a model knows when one is added, those of the base first.

    A base that knows none stays so: all it plays is in its one style.
    """
    known = list(base.composers or [])
    return known if style in known or not known else [*known, style]


def choose_settings(store: NoteStore, start_from: str, style: str) -> TrainSettings:
    """Returns the settings of a run that goes on from a model with other music.

    Args:
        store: the music, with "train" and "validation" pieces.
        start_from: name or folder of the model.
        style: short name of whose music it is.

    Raises:
        ValueError: if there is no such model.
    """
    base = read_config(model_info(start_from).folder)
    representation = representation_of(base)
    crop_steps = _CROP_STEPS[representation.unit]
    n_steps = sum(representation.room(piece, 1) for piece in store.of_split("train"))
    n_updates = round(_PASSES * n_steps / (_BATCH * crop_steps))
    n_held_out = len(store.of_split("validation"))
    styles = styles_with(base, style)
    model: dict[str, Any] = {"composers": styles}
    if representation.steps_are_notes:
        # A model that has not heard ends yet learns to on the way; it says nothing new at first.
        model["hears_ends"] = True
    return TrainSettings(
        model=model,
        max_steps=min(max(n_updates, _UPDATES[0]), _UPDATES[1]),
        batch_size=_BATCH,
        crop_steps=crop_steps,
        learning_rate=1e-3,
        # As it is to the end: the average of the weights settles by itself.
        decay_steps=1,
        warmup_steps=10,
        averaging=0.95,
        noise=0.004,
        detours=0.01,
        crowds=0.03,
        stutters=0.01,
        eval_every=_UPDATES[1],
        eval_seconds=LOOK_SECONDS,
        eval_composer=style if style in styles else "",
        eval_steps=min(max(_LOOKED_AT // max(1, n_held_out), 200), _LONGEST_LOOK),
        patience=_PATIENCE,
        precision="bf16",
        start_from=start_from,
    )
