"""One piece as it is played: a seed is fed, steps are drawn, and the parts of decoding steer."""

import copy
import math
from collections.abc import Mapping

import numpy as np

from ..grid import Grid
from ..notes import Note
from ..representations import StepDecoder, Steps
from ..representations.roll import RollDecoder
from .decoding.density import DensityKeeper, seed_evidence
from .decoding.draw import Draw, Numbers
from .decoding.guard import Guard, Rescue
from .decoding.lengths import LengthKeeper
from .decoding.parts import Part, Parts, Played, Temperature, Threshold, TopA
from .graph import GraphRun
from .loaded_model import Model
from .settings import GenerationSettings

ROUNDING_S = 1e-9
"""Less than any step, more than sums of times are wrong by."""

# As much of a long seed is fed again, so that a rescue takes a tenth of a second at the most.
_FED_AGAIN_STEPS = 400


class Performer:
    """Plays one piece.

    Args:
        model: who plays.
        decoder: turns its steps into notes, and has the seed.
        settings: how to play.
        composer: number of whom to play as, 0 for nobody in particular.
        density: notes a second to keep near, above 0.
        rng: of the draws.
        grid: where new notes are to be struck; None for anywhere.
        run: the network where it has taken the seed already; None to feed it.
        ends_at_s: when the piece is to end, from where the seed does: a model that knows endings is
            given how much is left at each step. None for no end.
    """

    def __init__(
        self,
        model: Model,
        decoder: StepDecoder,
        settings: GenerationSettings,
        composer: int,
        density: float,
        rng: np.random.Generator,
        grid: Grid | None = None,
        run: GraphRun | None = None,
        ends_at_s: float | None = None,
    ) -> None:
        self._grid = grid
        self._by_threshold = settings.threshold is not None
        self.highest = -math.inf
        """By a threshold, the highest log-odds that a key which did not sound has had."""
        self.model = model
        self.decoder = decoder
        self._rng = rng
        guidance = settings.guidance if composer else 1.0  # Nobody cannot be exaggerated.
        self._composers, self._weights = [composer], [1.0]
        if guidance != 1.0:
            # Classifier-free guidance (Ho & Salimans 2022, arXiv:2207.12598), on logits.
            self._composers, self._weights = [composer, 0], [guidance, 1 - guidance]
        is_given = "density" not in settings.without
        self._density = model.config.density_number(density if is_given else None)
        self._guard: Guard | None = None
        self.n_steps = 0
        self.ends_at_s = ends_at_s
        self.parts = Parts(self._choose_parts(settings, density))
        self.run = self._feed(decoder.seed_steps) if run is None else run

    def fork(self, rng: np.random.Generator) -> "Performer":
        """Returns the same piece again, to be carried on in another way.

        Args:
            rng: of its draws.
        """
        shared = {id(one): one for one in (self.model, self._grid)}
        return copy.deepcopy(self, {**shared, id(self._rng): rng})

    @property
    def rescues(self) -> list[Rescue]:
        """Returns the returns to the seed so far, on the continuation's clock."""
        return [] if self._guard is None else self._guard.rescues

    @property
    def acted(self) -> Mapping[str, int]:
        """Returns how many steps each part of decoding has changed the draw of."""
        return self.parts.acted

    def play(self, until_s: float) -> list[Note]:
        """Plays on to a second of the continuation; returns the new notes that ended by then."""
        decoder, ended = self.decoder, []
        while decoder.seconds < until_s - ROUNDING_S:
            ended += self.take(self.draw())
            if self._guard is not None and self._guard.take_rescue():
                ended += decoder.let_go(decoder.seconds)
                seed = decoder.end_of_seed(_FED_AGAIN_STEPS, self._guard.avoided)
                self.run = self._feed(seed)
                self.parts.begin_anew()
        return ended

    def draw(self, bias: Numbers | None = None) -> Steps:
        """Returns the next step `(A,)`, drawn and moved to the grid; `take` plays it.

        Args:
            bias: `(L,)`, to add to the parts' own.
        """
        decoder = self.decoder
        draw = self._next_draw()
        if bias is not None:
            draw.bias += bias
        step, logits = self.run.draw(draw)
        if self._by_threshold:
            assert isinstance(decoder, RollDecoder)  # No other has a threshold.
            silent = decoder.present == 0
            self.highest = max(self.highest, float(logits[0][silent].max(initial=-math.inf)))
        if self._grid is not None:
            step = decoder.on_grid(step, self._grid.onset)
            self.run.replace_latest(step)
        return step

    def take(self, step: Steps) -> list[Note]:
        """Plays a step that was drawn; returns the new notes that ended with it."""
        decoder = self.decoder
        self.n_steps += 1
        ended = decoder.play(step)
        values = decoder.seconds, decoder.struck, decoder.n_sounding, decoder.lengths
        self.parts.listen(Played(*values))
        return ended

    def _choose_parts(self, settings: GenerationSettings, density: float) -> list[Part]:
        model, values = self.model, self.model.decoding
        steps, seed = model.representation, self.decoder.seed_steps
        if settings.threshold is not None:
            # Nothing is drawn, and what goes astray is left so: from the same seed it would again.
            return [Threshold(settings.threshold)]
        self._guard = Guard(steps)
        parts: list[Part] = [
            Temperature(settings.temperature, steps.temperature_powers),
            TopA(values.row_of_top_a(steps)),
            DensityKeeper(density, steps, seed_evidence(seed, steps), settings.density),
            LengthKeeper(seed, steps),
            self._guard,
        ]
        if "guard" in settings.without:
            self._guard = None
        return [part for part in parts if part.name not in settings.without]

    def _next_draw(self) -> Draw:
        if self.ends_at_s is not None:
            self.run.condition("ending", self._ending(self.ends_at_s - self.decoder.seconds))
        graph = self.model.graph
        draw = Draw.neutral(graph.size("uniform"), graph.size("temperature"), graph.size("bias"))
        draw.uniform = self._rng.random(len(draw.uniform)).astype(np.float32)
        self.parts.steer(draw, self.decoder)
        if self.decoder.impossible is not None:
            draw.bias += self.decoder.impossible
        return draw

    def _ending(self, left_s: float) -> list[int]:
        """Returns the number of how much is left, for each view."""
        number = self.model.config.ending_numbers(np.array(max(0.0, left_s)))
        return [int(number)] * len(self._composers)

    def _feed(self, seed: Steps) -> GraphRun:
        """Returns the network when it has taken the seed, and nothing else."""
        densities = [self._density] * len(self._composers)
        conditions = {"composer": self._composers, "density": densities}
        run = self.model.start(conditions, self._weights)
        if self.ends_at_s is None:
            run.feed(seed)
            return run
        steps = self.model.representation
        left_s = self.ends_at_s - self.decoder.seconds + steps.seconds_after_first(seed)
        for n in range(len(seed)):
            run.feed(seed[n : n + 1])
            # For when the network takes this step, which is with the next.
            run.condition("ending", self._ending(left_s - steps.seconds_after_first(seed[: n + 1])))
        return run
