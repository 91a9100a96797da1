"""Note density: how many notes are struck a second, how many should be, and keeping near that.

Left to itself a network tends towards the density of the music it has learnt from, whatever its
seed has, and from a single chord it swells all the time. A model that knows the condition is given
the density of its piece. (That is Performance RNN's way: Simon & Oore 2017, "Performance RNN:
Generating music with expressive timing and dynamics", magenta.tensorflow.org/performance-rnn.)
`DensityKeeper` then counts what is struck and, where that is further from the target than a
representation allows, pushes back, the more the further. On note events that is a quarter more, or
a fifth less; real pieces are as near as that to what is expected of them 47 % of the time, and
within twice or half of it 86 % (10,014 places in MAESTRO's, SUPRA's and Piano-midi.de's training
pieces, for two minutes each). On rolls it is a twentieth.
"""

import math

import numpy as np
from numpy.typing import NDArray

from ...representations import Representation, StepDecoder
from ...representations.interface import Hold
from .draw import Draw
from .parts import Part, Played

FEWEST_STROKES = 4
"""Fewer strokes say nothing of the density of the piece they are from."""
USUAL, KEPT = 9.4, 0.67
"""Notes a second that music tends to, and how far ten seconds predict what follows: the expected
logarithm of the density of the next 25 s is that of USUAL plus KEPT times how far the ten seconds'
is from it. Least squares over 4,205 places in the 1,409 training pieces of 150 s and more (MAESTRO,
SUPRA and Piano-midi.de); correlation 0.74."""
EVIDENCE_OF_S = {0.25: 0.0, 0.5: 0.37, 1.0: 0.77, 2.0: 0.92, 4.0: 1.0}
"""How much less a shorter seed predicts, as a share of KEPT, by the seconds from its first note
to its last: the same slope at 2,721 to 3,780 places of the same pieces, three a piece, where there
are `FEWEST_STROKES` (0.25 after half a second, then 0.52, 0.62, 0.66)."""
VARIETY = 0.43
"""Standard deviation of the logarithm of the density of two minutes, over the same places."""
USUAL_OF = {
    "bach": 7.0,
    "beethoven": 8.8,
    "brahms": 8.3,
    "chopin": 9.1,
    "debussy": 7.6,
    "haydn": 7.5,
    "liszt": 10.8,
    "mendelssohn": 9.6,
    "mozart": 7.7,
    "rachmaninoff": 8.5,
    "scarlatti": 8.7,
    "schubert": 8.4,
    "schumann": 8.7,
    "scriabin": 8.1,
}
"""Notes a second of a composer: geometric mean over minutes, two minutes apart, of the same data's
training pieces."""

_ASKED = math.log(1.25)
"""Further from what is usual, a density is held as one that is asked for."""
FURTHEST = math.log(6.0)
"""What is further counts as this, so that nothing is pushed beyond measure."""


def note_density(steps: NDArray[np.uint8], representation: Representation) -> float | None:
    """Returns how many notes a second are struck in a passage; None if there are too few.

    Args:
        steps: `(T, A)`, T at least 1; the first step counts as struck before it.
        representation: theirs.
    """
    n_strokes = representation.count_strokes(steps)
    seconds = representation.seconds_after_first(steps)
    return n_strokes / seconds if n_strokes >= FEWEST_STROKES and seconds > 0 else None


def seed_evidence(steps: NDArray[np.uint8], representation: Representation) -> float:
    """Returns how well a seed shows the density of its piece, 0 (not at all) to 1.

    Args:
        steps: of the seed, `(T, A)`, see `note_density`.
        representation: theirs.
    """
    if note_density(steps, representation) is None:
        return 0.0
    seconds = representation.seconds_after_first(steps)
    return float(np.interp(math.log(seconds), np.log([*EVIDENCE_OF_S]), [*EVIDENCE_OF_S.values()]))


def density_to_come(
    seed: NDArray[np.uint8],
    representation: Representation,
    composer: str | None,
    rng: np.random.Generator,
) -> float:
    """Returns how many notes a second should be struck in what follows a seed.

    Music goes on more like other music than its last ten seconds were: very dense or sparse seeds
    are carried on a little less so, and short ones hardly. Where the seed is too short to show its
    density, one is drawn as it varies over the composer's pieces.

    Args:
        seed: its steps `(T, A)`, see `note_density`.
        representation: theirs.
        composer: short name of whom the model plays as; None for nobody.
        rng: of the draw.
    """
    density = note_density(seed, representation)
    if density is not None:
        kept = KEPT * seed_evidence(seed, representation)
        return USUAL * math.exp(kept * math.log(density / USUAL))
    return USUAL_OF.get(composer or "", USUAL) * math.exp(rng.normal(scale=VARIETY))


class DensityKeeper(Part):
    """Pushes playing towards a density.

    A short seed says little of its piece, and yet the model would go on as densely. So the less the
    seed shows, the sooner and the more firmly playing is kept to the target. Whoever asks for more
    notes than usual, or fewer, means it: with as much freedom as otherwise 1.4 times as many were
    1.1 times.

    Args:
        target: notes a second to keep near, above 0.
        representation: of the steps.
        evidence: how well the seed shows its density, 0 to 1; see `seed_evidence`.
        asked: how many times as many notes as usual are asked for, which the target holds already.
    """

    name = "density"

    def __init__(
        self,
        target: float,
        representation: Representation,
        evidence: float = 1.0,
        asked: float = 1.0,
    ) -> None:
        self._target = target
        self._representation = representation
        known = _between(
            representation.density_hold,
            representation.density_hold_asked,
            min(1.0, abs(math.log(asked)) / _ASKED),
        )
        hold = _between(known, representation.density_hold_unknown, 1 - evidence)
        self._hold, self._free = hold, math.log(hold.free)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Starts counting anew, as if the density had been on target so far."""
        self._seconds = 0.0
        self._density = self._target

    def listen(self, played: Played) -> None:
        """Counts the keys struck."""
        self._density *= math.exp((self._seconds - played.seconds) / self._hold.counted_s)
        self._density += len(played.struck) / self._hold.counted_s
        self._seconds = played.seconds

    @property
    def push(self) -> float:
        """Returns the log-odds by which playing is to be made sparser, below 0 denser."""
        lowest = self._target * math.exp(-FURTHEST)
        away = min(math.log(max(self._density, lowest) / self._target), FURTHEST)
        beyond = math.copysign(max(0.0, abs(away) - self._free), away)
        most = self._hold.most
        return max(-most, min(most, self._hold.push * beyond))

    def steer(self, draw: Draw, decoder: StepDecoder) -> None:
        """Adds to the bias where playing is too far from the target."""
        if push := self.push:
            draw.bias += self._representation.sparser(push, decoder)
            self.n_acted += 1


def _between(one: Hold, other: Hold, part: float) -> Hold:
    """Returns what lies so far on the way from one to the other, 0 to 1."""
    return Hold(*((1 - part) * a + part * b for a, b in zip(one, other, strict=True)))
