"""Settings of a training run."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..checks import MAX_WHOLE, check_number, check_one_of, check_whole, show_value
from ..hub import model_info
from ..hub.checkpoints import read_config
from ..models.architecture import check_choices
from ..models.config import PyzzicatoConfig
from .precision import PRECISIONS

OPTIMIZERS = ("adamw", "muon")
LIMITS = ("max_steps", "decay_steps", "eval_every", "eval_seconds", "patience", "precision")
"""Settings that may change when a run goes on."""


@dataclass(frozen=True)
class TrainSettings:
    """One run. Numbers are for each process; a step is a frame of a roll or a note.

    Attributes:
        model: arguments of `PyzzicatoConfig`; those not given are as in the model of `start_from`.
        composers: full names of the composers to train on; empty for all. Which of them the model
            can be asked for is in `model`.
        max_steps: updates at the most.
        batch_size: crops an update.
        gradient_accumulation: batches whose gradients are averaged for an update.
        crop_steps: steps a crop (512 frames are 25.6 s, 512 notes about 50 s).
        optimizer: "adamw", or "muon" for the matrices and convolutions of the backbone and AdamW
            for the rest.
        learning_rate: after a linear warm-up; it then falls along a cosine to a tenth of it.
        decay_steps: if above 0 the rate stays as it is instead and falls to 0 in the last so many
            updates: a run can then go on for as long as is wished, and be ended at any time.
        warmup_steps: updates of the warm-up.
        weight_decay: AdamW's.
        clip_norm: gradients longer than this are shortened to it.
        averaging: what the average of the weights keeps of itself at each update, 0 to below 1; the
            average is what is looked at and kept. 0 for the weights themselves.
        transpose: crops are transposed by up to so many semitones at random.
        stretch: the tempo of crops is changed by up to so much, either way, at random: 0.1 makes
            them up to a tenth slower or faster. 0 to 1.
        tempos: share of the crops that are played at another tempo altogether, up to three times
            slower or faster, so that the model learns to keep the tempo of its piece. 0 to 1.
        noise: share of the steps seen that have a mistake in them, so that the model learns to go
            on after its own. 0 to 0.5.
        detours: share of the steps seen that lie in passages played in another key by mistake, so
            that the model learns to come back to its own. 0 to 0.5.
        crowds: share of the steps seen that lie in passages with more notes or fewer by mistake, so
            that the model learns to come back to how dense the music was. 0 to 0.5.
        stutters: share of the steps seen that lie in passages that stick to one key by mistake, so
            that the model learns to strike others. 0 to 0.5; of note events a seventh of it.
        openings: share of the crops that begin like a piece from a single note or chord, so that a
            model of rolls learns to make music of little. 0 to 1; of note events all crops do.
        evenness: how much alike the composers that the model knows are drawn, 0 to 1: at 0 each by
            his share of all music, at 1 each as often as any other, and all unknown ones as one.
        composer_dropout: share of the crops without their composer. 0 to 1.
        density_dropout: share of the crops without their density. 0 to 1.
        endings_dropout: share of the crops without how much is left of theirs. 0 to 1.
        eval_every: updates between two looks at the validation split.
        eval_seconds: if above 0 a look also follows when so much time has passed since the last
            one; of one process alone.
        eval_composer: short name of whose music the looks take the pieces for; empty for nobody's.
        eval_steps: steps from the middle of each validation piece that are looked at.
        patience: the run ends when so many looks in a row brought no better loss.
        precision: "no" (float32), "bf16" or "fp16", where the machine has it (`precision_here`).
        start_from: name or folder of a model whose config and weights the run begins with; empty to
            begin anew.
        only_new: only those parts learn that the model of `start_from` does not have; what it has
            stays as it is, with all that it does.
        seed: of the weights, the crops and dropout.

    Raises:
        ValueError: if a value is of the wrong type or out of its range, naming both.
    """

    model: Mapping[str, Any] = field(default_factory=dict)
    composers: tuple[str, ...] = ()
    max_steps: int = 2000
    batch_size: int = 16
    gradient_accumulation: int = 1
    crop_steps: int = 512
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    decay_steps: int = 0
    warmup_steps: int = 100
    weight_decay: float = 0.01
    clip_norm: float = 1.0
    averaging: float = 0.0
    transpose: int = 5
    stretch: float = 0.1
    tempos: float = 0.0
    noise: float = 0.0
    detours: float = 0.0
    crowds: float = 0.0
    stutters: float = 0.0
    openings: float = 0.0
    evenness: float = 0.0
    composer_dropout: float = 0.2
    density_dropout: float = 0.2
    endings_dropout: float = 0.5
    eval_every: int = 250
    eval_seconds: float = 0.0
    eval_composer: str = ""
    eval_steps: int = 1200
    patience: int = 8
    precision: str = "no"
    start_from: str = ""
    only_new: bool = False
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("max_steps", "batch_size", "crop_steps", "eval_every", "patience"):
            check_whole(name, getattr(self, name), 1, MAX_WHOLE)
        check_whole("gradient_accumulation", self.gradient_accumulation, 1, 4096)
        check_whole("warmup_steps", self.warmup_steps, 0, MAX_WHOLE)
        check_whole("decay_steps", self.decay_steps, 0, MAX_WHOLE)
        check_whole("eval_steps", self.eval_steps, 2, MAX_WHOLE)
        check_whole("transpose", self.transpose, 0, 11)
        check_whole("seed", self.seed, 0, MAX_WHOLE)
        check_number("learning_rate", self.learning_rate, 0, above=True)
        check_number("clip_norm", self.clip_norm, 0, above=True)
        check_number("weight_decay", self.weight_decay, 0)
        check_number("eval_seconds", self.eval_seconds, 0)
        check_number("averaging", self.averaging, 0, 1, below=True)
        shares = {
            "stretch": 1.0,
            "tempos": 1.0,
            "noise": 0.5,
            "detours": 0.5,
            "crowds": 0.5,
            "stutters": 0.5,
            "openings": 1.0,
            "evenness": 1.0,
            "composer_dropout": 1.0,
            "density_dropout": 1.0,
            "endings_dropout": 1.0,
        }
        for name, highest in shares.items():
            check_number(name, getattr(self, name), 0, highest)
        check_one_of("optimizer", self.optimizer, OPTIMIZERS)
        check_one_of("precision", self.precision, PRECISIONS)
        check_choices(self.model)
        for name, kind in (("start_from", "a name or a folder"), ("eval_composer", "a name")):
            if not isinstance(getattr(self, name), str):
                raise ValueError(f"{name} must be {kind}, got {show_value(getattr(self, name))}")
        if not isinstance(self.only_new, bool):
            raise ValueError(f"only_new must be true or false, got {show_value(self.only_new)}")
        is_list = isinstance(self.composers, list | tuple)
        if not is_list or not all(isinstance(name, str) for name in self.composers):
            raise ValueError(f"composers must be a list of names, got {show_value(self.composers)}")

    @property
    def steps_a_batch(self) -> int:
        """Returns how many steps a batch has."""
        return self.batch_size * self.crop_steps

    @property
    def batch_in_words(self) -> str:
        """Returns what a batch is made of, after how many."""
        return f"crops of {self.crop_steps} steps"

    def model_config(self, sustain: str) -> PyzzicatoConfig:
        """Returns the model's config; how the pedal is treated is the prepared data's choice.

        Raises:
            ValueError: if the config is bad, or there is no model to start from.
        """
        inherited: dict[str, Any] = {}
        if self.start_from:
            start = read_config(model_info(self.start_from).folder)
            inherited = start.choices()
        return PyzzicatoConfig(**{**inherited, **self.model, "sustain": sustain})

    def as_dict(self) -> dict[str, Any]:
        """Returns the settings as plain JSON values."""
        return asdict(self)
