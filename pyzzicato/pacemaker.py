"""Keeps how dense playing is near what it should be.

A model hears itself: where it has played a little denser than meant, it goes on denser still, and
from a single chord it swells all the time. The pacemaker hears how many notes have been struck of
late and, where these are a quarter more than meant, or a fifth fewer, eases off or urges on, the
more the further. It pushes and does not force: real pieces are as near as that to what `density.py`
foretells of them 47 % of the time, and within twice or half of it 86 % (10,014 places in MAESTRO's,
SUPRA's and Piano-midi.de's training pieces, for two minutes each).
"""

import math

HEARD_S = 15.0
"""Strokes count for less the longer ago they are, 1/e after this time."""
FREE = math.log(1.25)
"""So far from what is meant, as a ratio either way, playing is left to itself."""
FURTHEST = math.log(6.0)
"""What is further counts as this, so that nothing is urged beyond measure."""
EASE = {"roll": 0.4, "events": 6.0}
"""Log-odds of `SamplingRule.pacing` by which playing is eased off, for each e-fold too many. On a
roll what sounds feeds itself, so that little does much: there a pace of 0.1 takes a quarter of the
notes, of note events a twentieth (`train/calibrate.py`). With these, half or twice as many notes
asked for gave 0.54 and 2.2 times as many by `lstm`, 0.67 and 1.3 times by `lstm-events`."""


class Pacemaker:
    """Listens to the strokes of one piece.

    Args:
        density: notes a second that are meant, above 0.
        representation: the model's.
    """

    def __init__(self, density: float, representation: str) -> None:
        self._meant = density
        self._ease = EASE[representation]
        self._heard_s = 0.0
        self._density = density

    def hear(self, seconds: float, n_struck: int) -> None:
        """Takes a step.

        Args:
            seconds: length of the piece so far.
            n_struck: keys struck at its end.
        """
        self._density *= math.exp((self._heard_s - seconds) / HEARD_S)
        self._density += n_struck / HEARD_S
        self._heard_s = seconds

    @property
    def pacing(self) -> float:
        """Returns the log-odds by which playing is to be made calmer; below 0 livelier."""
        lowest = self._meant * math.exp(-FURTHEST)
        away = min(math.log(max(self._density, lowest) / self._meant), FURTHEST)
        return self._ease * math.copysign(max(0.0, abs(away) - FREE), away)
