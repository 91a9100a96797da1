"""A model at the keys: hears its seed, plays on, and comes back to the seed if it goes astray."""

from dataclasses import replace

import numpy as np

from .guard import STUCK, Guard, Rescue
from .models import PyzzicatoModel, SamplingRule, Stepper
from .notes import Note
from .pacemaker import Pacemaker
from .players import Player, Steps
from .threads import one_thread

# Numbers the stream of random draws, beside those that use the same `rng` for other ends.
_DRAWS = 1
# As much of a long seed is heard again, so that a rescue takes a tenth of a second at the most.
_RECALLED_STEPS = 400
# So often a step is drawn anew that would strike the key first which was stuck.
_TRIES = 20
ROUNDING_S = 1e-9
"""Less than any step, more than sums of times are wrong by."""


class Performer:
    """Plays one piece.

    Args:
        model: who plays; its weights must not change meanwhile.
        player: turns the model's steps into notes, and has the seed.
        rule: how steps are drawn. By a threshold nothing is drawn, and what goes astray is left so:
            from the same seed it would again.
        composer: number of whom to play as, 0 for nobody in particular.
        density: notes a second that are meant, above 0.
        rng: number of the random draw.
    """

    def __init__(
        self,
        model: PyzzicatoModel,
        player: Player,
        rule: SamplingRule,
        composer: int,
        density: float,
        rng: int,
    ) -> None:
        self._model = model
        self._player = player
        self._rule = rule
        self._views = [composer, 0][: rule.n_views]
        self._density = density
        self._draws = np.random.default_rng([rng, _DRAWS])
        self._guard = Guard()
        self._pacemaker = self._new_pacemaker()
        self._avoided: int | None = None
        self._stepper = self._hear(player.steps)

    @property
    def rescues(self) -> list[Rescue]:
        """Returns the returns to the seed so far, on the player's clock."""
        return self._guard.rescues

    def play(self, until_s: float) -> list[Note]:
        """Plays on to a second of the player's clock; returns the new notes that ended by then."""
        player, ended = self._player, []
        # Not for longer: a stream must not leave its limit on while it waits for its listener.
        with one_thread():
            while player.seconds < until_s - ROUNDING_S:
                step = self._draw()
                self._stepper.take(step)
                ended += player.play(step)
                if self._rule.threshold is not None:
                    continue
                self._pacemaker.hear(player.seconds, len(player.struck))
                if self._is_astray():
                    ended += player.let_go(player.seconds)
                    is_stuck = self.rescues[-1].reason == STUCK
                    self._avoided = self._guard.last_key if is_stuck else None
                    self._stepper = self._hear(player.end_of_seed(_RECALLED_STEPS, self._avoided))
                    self._pacemaker = self._new_pacemaker()
        return ended

    def _draw(self) -> Steps:
        """Returns the next step.

        A seed that has led to one key again and again is likely to do so once more: after a rescue
        the first stroke is of another key, if it can be.
        """
        rule, push = self._rule, self._pacemaker.pacing
        if push:
            rule = replace(rule, pacing=rule.pacing + push)
        for _ in range(_TRIES):
            step = self._stepper.draw(rule, self._draws, self._player.at_least)
            if self._avoided is None:
                break
            strikes = self._player.strikes_of(step)
            if not strikes:
                break
            if strikes[0] != self._avoided:
                self._avoided = None
                break
        return step

    def _new_pacemaker(self) -> Pacemaker:
        return Pacemaker(self._density, self._model.config.representation)

    def _is_astray(self) -> bool:
        player = self._player
        return self._guard.is_astray(player.seconds, player.struck, player.n_sounding)

    def _hear(self, seed: np.ndarray) -> Stepper:
        """Returns the model when it has heard the seed, and nothing else."""
        number = self._model.config.density_number(self._density)
        stepper = self._model.stepper(self._views, number)
        with one_thread():
            stepper.hear(seed)
        return stepper
