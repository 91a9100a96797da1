"""Originality: does a piece hold passages of the music a model was trained on?

What is shared. A passage is shared if its notes, in playing order (see `fingerprints`), have the
pitches of a passage of the training music, all moved by one interval. Rhythm, tempo and loudness do
not matter. Neighbouring notes may have changed places and single notes may differ, so that a
slightly retimed copy is still one passage (see `shared_passages.agreeing_notes`).

What counts. Scales, trills, repeated notes, broken chords and sequences are everybody's. Notes that
only go on with such a figure (`fingerprints.fresh_notes`) do not break a passage, but its length in
notes leaves them out: several octaves of a scale are 9 notes long, a trill of any length is 3.
Grams that four composers or more have written (`training_index.COMMON_COMPOSERS`) do not lead to a
passage at all.

How it was tried (`train/check_originality.py`, MAESTRO v2, index of all 962 training pieces).
Excerpts of 60 s of held-out performances, four of each of 137 files (of one sonata another movement
is in training, of no other work the title): longest passage 10 notes or 0.9 s in the median,
17 notes or 4.0 s at the 95th percentile, 20 notes at the 99th; the alarm was raised for 2 of 548
(0.4 %).
Longer music shares more by chance: it was raised for 2.9 % of whole held-out pieces (8 minutes).
Training excerpts of 20 to 60 s, 100 of each kind: the alarm was raised for all, whether exact,
transposed, stretched by up to 7 %, with onsets moved at random (sd 10 ms), or all of these at once.
Excerpts of 10 s hidden in 50 s of held-out music: for 94 of 100, exact or all at once; for all of
the 89 that have 40 notes or more. One measurement of 60 s takes some milliseconds.

What is found. A passage of `SURE_NOTES` (12) successive notes all in place is found for certain if
they hold a distinctive gram (`fingerprints.distinctive_grams`) and none of them is common to four
composers; shorter, retimed or commoner ones mostly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..notes import Note
from .fingerprints import GRAM_NOTES, playing_order
from .shared_passages import find_passages
from .training_index import TrainingIndex

__all__ = ["COPIED_NOTES", "Originality", "TrainingIndex", "measure_originality"]

COPIED_NOTES = 24
"""A shared passage of so many notes counts as copied."""
COPIED_NOTES_AT_LEAST = 16
"""In a piece of fewer than 48 notes half of its notes do, if they are at least so many."""


@dataclass(frozen=True, slots=True)
class Originality:
    """What a piece shares with the training music.

    Attributes:
        longest_notes: length of the longest shared passage in notes, those that only go on with a
            figure left out. 0 if there is none of `GRAM_NOTES` (8) notes.
        longest_seconds: from its first onset to its last, in the piece. 0.0 if there is none.
        covered_12: share of the piece's notes (0 to 1) inside shared passages of 12 notes or more,
            figures and single differing notes in them included. 0.0 without notes.
        covered_16: the same for 16 notes.
        covered_24: the same for 24 notes.
        nearest_composer: who wrote the training piece with the longest passage. None if there is
            none, as for the three that follow.
        nearest_title: its title.
        nearest_at_s: where the passage begins in the training piece, to a second or two.
        longest_at_s: where it begins in the piece measured.
        copied: the alarm: `longest_notes` is `COPIED_NOTES` (24) or more; for pieces of fewer than
            48 notes half of these, but at least `COPIED_NOTES_AT_LEAST` (16).
    """

    longest_notes: int = 0
    longest_seconds: float = 0.0
    covered_12: float = 0.0
    covered_16: float = 0.0
    covered_24: float = 0.0
    nearest_composer: str | None = None
    nearest_title: str | None = None
    nearest_at_s: float | None = None
    longest_at_s: float | None = None
    copied: bool = False

    def sentence(self) -> str:
        """Returns the longest shared passage in words."""
        if self.nearest_at_s is None:
            return f"no passage of {GRAM_NOTES} notes or more is also found in training"
        minutes, seconds = divmod(int(self.nearest_at_s), 60)
        # The notes of a chord take no time.
        lasts = f"{self.longest_seconds:.1f} s" if self.longest_seconds >= 0.05 else "a chord"
        found = (
            f"longest passage also found in training: {self.longest_notes} notes, "
            f"{lasts}, in {self.nearest_composer}, {self.nearest_title} at "
            f"{minutes}:{seconds:02d}"
        )
        return f"{found}; that counts as copied" if self.copied else found


def measure_originality(notes: Sequence[Note], index: TrainingIndex) -> Originality:
    """Returns what a piece shares with the training music.

    Args:
        notes: the piece, in any order; only onsets and pitches matter.
        index: the training music.
    """
    onsets, pitches = playing_order(notes)
    passages = find_passages(pitches, index)
    longest = int(passages.lengths.max(initial=0))
    if longest < GRAM_NOTES:
        return Originality()
    best = int(np.argmax(passages.lengths))
    inside = onsets[passages.first[best] : passages.last[best] + 1]
    composer, title, at_s = index.name_place(int(passages.places[best]))
    alarm = min(COPIED_NOTES, max(COPIED_NOTES_AT_LEAST, len(pitches) / 2))
    return Originality(
        longest_notes=longest,
        longest_seconds=float(inside.max() - inside.min()),
        covered_12=passages.covered_share(12, len(pitches)),
        covered_16=passages.covered_share(16, len(pitches)),
        covered_24=passages.covered_share(24, len(pitches)),
        nearest_composer=composer,
        nearest_title=title,
        nearest_at_s=at_s,
        longest_at_s=float(inside.min()),
        copied=longest >= alarm,
    )
