"""The settings of a run on a benchmark: defaults, a recipe, a backbone's table, by hand."""

import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from ..checks import MAX_WHOLE, check_number, check_one_of, check_whole
from ..models.architecture import BACKBONES, HEADS, check_choices
from .precision import PRECISIONS

SEQUENCE_LIMITS = ("max_steps", "max_minutes", "patience")
"""Settings that may change when a run goes on."""


@dataclass(frozen=True)
class SequenceSettings:
    """One run.

    Attributes:
        model: arguments of `PyzzicatoConfig`.
        max_steps: updates at the most.
        max_minutes: the run stops after so much wall time, resumes included.
        batch_frames: frames an update, padding included.
        crop_frames: longer pieces are cut into parts of at most so many frames, cut elsewhere in
            each epoch.
        learning_rate: after a linear warm-up.
        rate_decay: the rate is multiplied by it after each look that brought no better loss, above
            0 to 1.
        warmup_steps: updates of the warm-up.
        weight_decay: AdamW's, on matrices only.
        clip_norm: gradients longer than this are shortened to it.
        transpose: parts are transposed by up to so many semitones at random.
        transpose_share: share of the parts that are; the others stay in the key that the test
            pieces are in. 0 to 1.
        averaging: what the weights' average keeps of itself at each update, 0 to below 1.
        eval_every: updates between two looks at the validation pieces.
        patience: the run ends when so many looks in a row brought no better loss.
        precision: "no" (float32) or "bf16", where the machine has it (see `precision_here`).
        seed: of the weights, the order of the parts and dropout.

    Raises:
        ValueError: if a value is out of its range.
    """

    model: Mapping[str, Any] = field(default_factory=dict)
    max_steps: int = 20000
    max_minutes: float = 60.0
    batch_frames: int = 2048
    crop_frames: int = 256
    learning_rate: float = 1e-3
    rate_decay: float = 1.0
    warmup_steps: int = 100
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    transpose: int = 5
    transpose_share: float = 1.0
    averaging: float = 0.998
    eval_every: int = 200
    patience: int = 10
    precision: str = "no"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_steps", "batch_frames", "crop_frames", "eval_every", "patience"):
            check_whole(name, getattr(self, name), 1, MAX_WHOLE)
        for name in ("max_minutes", "learning_rate", "clip_norm"):
            check_number(name, getattr(self, name), 0, above=True)
        check_whole("warmup_steps", self.warmup_steps, 0, MAX_WHOLE)
        check_whole("seed", self.seed, 0, MAX_WHOLE)
        check_number("weight_decay", self.weight_decay, 0)
        check_whole("transpose", self.transpose, 0, 11, "it is in semitones")
        check_number("transpose_share", self.transpose_share, 0, 1)
        check_number("rate_decay", self.rate_decay, 0, 1, above=True)
        check_number("averaging", self.averaging, 0, 1, below=True)
        check_one_of("precision", self.precision, PRECISIONS)
        check_choices(self.model)

    def as_dict(self) -> dict[str, Any]:
        """Returns the settings as plain JSON values."""
        return asdict(self)


def read_sequence_settings(
    recipe: Path, backbone: str, head: str, **by_hand: Any
) -> SequenceSettings:
    """Returns the settings a recipe holds for a backbone and a head.

    The file's own values hold for all, the table `[BACKBONE]` goes on top, then the table `[HEAD]`,
    then what is given by hand. A name that is not a setting of the run is one of `PyzzicatoConfig`.

    Args:
        recipe: TOML file.
        backbone: one of `pyzzicato.models.config.BACKBONES`.
        head: a head on rolls.
        by_hand: as in the file; None leaves a value as it is.

    Raises:
        ValueError: if the file cannot be read, holds an unknown table, or a value out of range.
    """
    try:
        settings = tomllib.loads(recipe.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise ValueError(f"recipe {recipe} cannot be read: {error}") from error
    tables = {
        name: settings.pop(name) for name, value in [*settings.items()] if isinstance(value, dict)
    }
    unknown = sorted(set(tables) - {*BACKBONES, *HEADS["roll"]})
    if unknown:
        raise ValueError(f"{recipe.name}: unknown table [{unknown[0]}]; check its spelling")
    settings |= tables.get(backbone, {}) | tables.get(head, {})
    settings |= {name: value for name, value in by_hand.items() if value is not None}
    run = {f.name for f in fields(SequenceSettings)} - {"model"}
    model = {name: value for name, value in settings.items() if name not in run}
    return SequenceSettings(
        model={**model, "backbone": backbone, "head": head},
        **{name: value for name, value in settings.items() if name in run},
    )
