"""Settings of a stage in which a model learns from its own playing."""

from dataclasses import asdict, dataclass
from typing import Any

from ..checks import check_number, check_one_of, check_whole, show_value
from ..hub import model_info
from ..hub.checkpoints import read_config
from ..models.config import PyzzicatoConfig
from .precision import PRECISIONS

_MAX_WHOLE = 2**31 - 1
FEWEST_SEEDS = 20
"""With fewer an adversary learns nothing."""


@dataclass(frozen=True)
class PreferenceSettings:
    """One stage of learning from own playing, see `preference.py`.

    Attributes:
        seeds: places in training pieces that are carried on, 20 or more.
        takes: how often each, 2 to 64; the best and the worst make a pair.
        seconds: length of a take.
        seed_seconds: length of a seed.
        strength: how much a pair's log-likelihood ratio counts, above 0 (beta of DPO).
        likelihood: weight of the nats of the composers' own continuations, 0 or more.
        max_steps: updates.
        batch_size: pairs a batch, of each process.
        gradient_accumulation: batches an update.
        most_steps: of a seed and its take; what is longer is cut.
        learning_rate: see `TrainSettings`, as of `decay_steps` and `warmup_steps`.
        decay_steps: updates in which the rate falls to 0 in the end; 0 for a cosine.
        warmup_steps: updates of the warm-up.
        clip_norm: gradients longer than this are shortened to it.
        eval_steps: steps from the middle of each validation piece that are looked at in the end.
        precision: "no" (float32), "bf16" or "fp16", where the machine has it.
        start_from: name or folder of the model that learns; in a recipe that of the stage before.
        seed: of the places, the draws and the order of the pairs.

    Raises:
        ValueError: if a value is of the wrong type or out of its range, naming both.
    """

    seeds: int = 180
    takes: int = 4
    seconds: float = 60.0
    seed_seconds: float = 10.0
    strength: float = 0.05
    likelihood: float = 1.0
    max_steps: int = 140
    batch_size: int = 1
    gradient_accumulation: int = 4
    most_steps: int = 900
    learning_rate: float = 5e-5
    decay_steps: int = 40
    warmup_steps: int = 10
    clip_norm: float = 1.0
    eval_steps: int = 1200
    precision: str = "no"
    start_from: str = ""
    seed: int = 0

    def __post_init__(self) -> None:
        check_whole("seeds", self.seeds, FEWEST_SEEDS, 1_000_000)
        check_whole("takes", self.takes, 2, 64)
        for name in ("max_steps", "batch_size"):
            check_whole(name, getattr(self, name), 1, _MAX_WHOLE)
        check_whole("gradient_accumulation", self.gradient_accumulation, 1, 4096)
        for name in ("warmup_steps", "decay_steps", "seed"):
            check_whole(name, getattr(self, name), 0, _MAX_WHOLE)
        for name in ("most_steps", "eval_steps"):
            check_whole(name, getattr(self, name), 2, _MAX_WHOLE)
        check_number("seconds", self.seconds, 1, 600)
        check_number("seed_seconds", self.seed_seconds, 1, 600)
        for name in ("strength", "learning_rate", "clip_norm"):
            check_number(name, getattr(self, name), 0, above=True)
        check_number("likelihood", self.likelihood, 0)
        check_one_of("precision", self.precision, PRECISIONS)
        if not isinstance(self.start_from, str):
            raise ValueError(
                f"start_from must be a name or a folder, got {show_value(self.start_from)}"
            )

    @property
    def composers(self) -> tuple[str, ...]:
        """Returns full names of the composers to learn from: all, so none is named."""
        return ()

    @property
    def steps_a_batch(self) -> int:
        """Returns how many steps a batch has at the most: three sequences a pair."""
        return 3 * self.batch_size * self.most_steps

    @property
    def batch_in_words(self) -> str:
        """Returns what a batch is made of, after how many."""
        return f"pairs of takes of {self.seconds:g} s"

    def model_config(self, sustain: str) -> PyzzicatoConfig:
        """Returns the config of the model that learns; the pedal is the prepared data's choice."""
        start = read_config(model_info(self.start_from).folder)
        return PyzzicatoConfig(**{**start.choices(), "sustain": sustain})

    def as_dict(self) -> dict[str, Any]:
        """Returns the settings as plain JSON values."""
        return asdict(self)
