"""Heads that draw the next step of one piece, in numpy.

Each is given the hidden vectors of a piece's views (one, or with and without the composer; see
`SamplingRule`) and the past, which all views share.
"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import nn

from .backbone_steps import Dense, Vector, as_array, by_columns
from .heads import IndependentHead
from .joint_head import JointHead
from .note_head import NoteHead
from .pitch import N_KEYS
from .pitch_steps import EventPast, PitchStep, RollPast, by_interval
from .rules import SamplingRule

Step = NDArray[np.uint8]


class Draw(Protocol):
    """A head that draws."""

    def __call__(
        self, views: Sequence[Vector], rule: SamplingRule, rng: np.random.Generator, at_least: int
    ) -> Step:
        """Returns the next step, `(A,)`.

        Args:
            views: `(C,)` hidden vectors.
            rule: how to draw.
            rng: of the draws.
            at_least: the lowest onset step allowed, the draw being conditioned on it; a roll has
                none.
        """
        ...


class IndependentDraw:
    """`IndependentHead`: each key for itself."""

    def __init__(self, head: IndependentHead, past: RollPast) -> None:
        self._out = Dense(head.out)
        self._stay = as_array(head.stay)
        self._past = past
        self._net: PitchStep | None = None
        if head.net is not None:
            self._net = PitchStep(head.net)
            self._by_key = _KeyLogOdds(head.mix, head.key)

    def __call__(
        self, views: Sequence[Vector], rule: SamplingRule, rng: np.random.Generator, at_least: int
    ) -> Step:
        """Returns the next frame, `(88,)`."""
        stay = self._stay * self._past.present
        heard = [self._out(hidden) + stay for hidden in views]
        if self._net is not None:
            sums = self._past.sums()
            heard = [
                x + self._by_key(self._net(sums, hidden))
                for x, hidden in zip(heard, views, strict=True)
            ]
        log_odds = rule.guide(heard)
        return (log_odds > rule.cuts(self._past.present, rng)).astype(np.uint8)


class JointDraw:
    """`JointHead`: the keys of a frame, each given those below it, drawn exactly.

    One number is drawn for each key beforehand; the frame is then the one in which every key, given
    the keys below it, does what its number says. It is found by trying: a frame is proposed, at
    first the present one, all keys are decided at once as if the proposal were right, and what they
    decided is proposed next, until they decide what was proposed. After n tries at least the n
    lowest keys are right, so the search ends; as most keys go on doing what they did, it ends after
    two or three tries.
    """

    def __init__(self, head: JointHead, past: RollPast) -> None:
        self._past = past
        self._net = PitchStep(head.net)
        self._own = Dense(head.own)
        self._by_key = _KeyLogOdds(head.mix, head.out)
        self._out_bias = float(as_array(head.out.bias)[0])
        self._stay = float(as_array(head.stay))
        below = as_array(head.below)  # (2, 87, H)
        higher = np.zeros((2, 2 * N_KEYS - 1, below.shape[2]), dtype=np.float32)
        higher[0, N_KEYS:] = below[0]
        # A key newly struck says both at once.
        higher[1, N_KEYS:] = below[0] + below[1]
        self._held, self._struck = (by_interval(kernel) for kernel in higher)

    def __call__(
        self, views: Sequence[Vector], rule: SamplingRule, rng: np.random.Generator, at_least: int
    ) -> Step:
        """Returns the next frame, `(88,)`."""
        present = self._past.present
        sums = self._past.sums()
        alone = [self._net(sums, hidden) for hidden in views]
        stay = np.float32(self._stay) * present + np.float32(self._out_bias)
        rest = [self._own(hidden) + stay for hidden in views]
        cuts = rule.cuts(present, rng)
        proposed = present.astype(bool)
        while True:
            heard = self._heard(proposed, present)
            log_odds = rule.guide(
                [self._by_key(z + heard) + r for z, r in zip(alone, rest, strict=True)]
            )
            decided = log_odds > cuts
            if decided.tobytes() == proposed.tobytes():
                return decided.astype(np.uint8)
            proposed = decided

    def _heard(self, frame: NDArray[np.bool_], present: Step) -> NDArray[np.float32]:
        """Returns what the keys of a frame say to those above them, `(88, H)`."""
        said = np.add.reduce(self._held[(frame & present).nonzero()[0]])
        struck = (frame > present).nonzero()[0]
        if len(struck):
            said += np.add.reduce(self._struck[struck])
        heard: NDArray[np.float32] = said.reshape(N_KEYS, -1)
        return heard


class NoteDraw:
    """`NoteHead`: onset step, pitch, duration and velocity, each given those before it."""

    def __init__(self, head: NoteHead, past: EventPast) -> None:
        self._past = past
        self._onset = Dense(head.onset)
        self._net = PitchStep(head.net)
        self._key = as_array(head.key.weight)[0]
        self._own = Dense(head.own)
        self._duration = _DenseTwice(head.duration)
        self._velocity = _DenseTwice(head.velocity)
        tables = (head.after_onset, head.after_pitch, head.after_duration)
        self._after = [as_array(table.weight) for table in tables]

    def __call__(
        self, views: Sequence[Vector], rule: SamplingRule, rng: np.random.Generator, at_least: int
    ) -> Step:
        """Returns the next note, `(4,)`."""
        sums = self._past.sums()
        after_onset, after_pitch, after_duration = self._after
        onsets = rule.pace(rule.guide([self._onset(h) for h in views]))
        onset = rule.choose(onsets, rng, at_least)
        views = [h + after_onset[onset] for h in views]
        pitches = rule.guide([self._pitch(h, sums) for h in views])
        pitch = rule.choose(pitches, rng, tempering=rule.tempering)
        views = [h + after_pitch[pitch] for h in views]
        durations = rule.hold(rule.guide([self._duration(h) for h in views]))
        duration = rule.choose(durations, rng)
        views = [h + after_duration[duration] for h in views]
        velocity = rule.choose(rule.guide([self._velocity(h) for h in views]), rng)
        return np.array((onset, pitch, duration, velocity), dtype=np.uint8)

    def _pitch(self, hidden: Vector, sums: NDArray[np.float32]) -> Vector:
        units = self._net(sums, hidden)
        np.maximum(units, 0, out=units)
        logits: Vector = units.dot(self._key)
        return logits + self._own(hidden)


class _KeyLogOdds:
    """From the units of each key to its log-odds, but for the last layer's bias."""

    def __init__(self, mix: nn.Linear, out: nn.Linear) -> None:
        self._mix = by_columns(as_array(mix.weight))
        self._mix_bias = as_array(mix.bias)
        self._out = as_array(out.weight)[0]

    def __call__(self, z: NDArray[np.float32]) -> Vector:
        """Returns `(88,)` for units before their ReLU `(88, H)`, which are used up."""
        np.maximum(z, 0, out=z)
        units = z.dot(self._mix)
        units += self._mix_bias
        np.maximum(units, 0, out=units)
        log_odds: Vector = units.dot(self._out)
        return log_odds


class _DenseTwice:
    """Two linear layers with a ReLU between them."""

    def __init__(self, layers: nn.Sequential) -> None:
        first, _, second = layers
        assert isinstance(first, nn.Linear) and isinstance(second, nn.Linear)
        self._first, self._second = Dense(first), Dense(second)

    def __call__(self, x: Vector) -> Vector:
        return self._second(np.maximum(self._first(x), 0))
