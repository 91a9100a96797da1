"""How far a run has come."""

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Progress:
    """How far a run has come; saved with each checkpoint.

    Attributes:
        step: updates done.
        best_loss: lowest validation loss so far, nats a step.
        best_step: when that was.
        looks_without_gain: validation looks since then.
        seconds: wall time spent in training, over all resumes.
        looked_at: the wall time of the last validation look.
        processes: how many share each update; 0 before the first.
        curve: one entry a validation look: step, seconds, training loss, validation loss.
    """

    step: int = 0
    best_loss: float = math.inf
    best_step: int = 0
    looks_without_gain: int = 0
    seconds: float = 0.0
    looked_at: float = 0.0
    processes: int = 0
    curve: list[dict[str, float]] = field(default_factory=list)

    def note_look(self, training: float, validation: float) -> None:
        """Takes the losses of a look at the validation pieces."""
        self.looked_at = self.seconds
        self.curve.append(
            {
                "step": self.step,
                "seconds": round(self.seconds, 1),
                "training": training,
                "validation": validation,
            }
        )
        if validation < self.best_loss:
            self.best_loss, self.best_step = validation, self.step
            self.looks_without_gain = 0
        else:
            self.looks_without_gain += 1

    def state_dict(self) -> dict[str, Any]:
        """Returns the fields, for accelerate to save."""
        return dict(vars(self))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Takes over saved fields."""
        vars(self).update(state)
