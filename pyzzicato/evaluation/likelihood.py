"""How well a model foresees held-out music: nats a frame, bits a note, nats a second.

Likelihood is what a model was trained for: minus the log of the chance it gave to what the composer
wrote next, summed over a piece. Three units of the same total:

    nats a frame    total / frames scored; only rolls of one frame rate compare
    bits a note     total / (log 2 * onsets scored)
    nats a second   total / seconds scored

The last two do not depend on the representation: a model that takes one step a note and one that
takes twenty frames a second are measured in the same coin, as long as both pay for the same things:
pitch, onset and length. A model of note events foresees velocities too; what it pays for these is
left out. It places onsets to 10 ms, a roll to 50 ms: for the same knowledge it pays up to
log2(5) = 2.3 bits a note more.

The first step of a piece is seen and not scored, nor are its onsets and its duration: no model here
claims to know how a piece begins. Where nothing is to divide by (no frame, no onset) the value is
None, never NaN.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..models.model import PyzzicatoModel
from ..models.note_head import NoteHead
from ..notes import Note, sort_notes
from ..representations import representation_of
from ..representations.pianoroll import check_roll, notes_to_roll
from ..training.baselines import count_baselines
from .markov import Frames, count_markov, frame_nats

Nats = NDArray[np.float64]
RollNats = Callable[[Frames], Nats]


@dataclass(frozen=True, slots=True)
class Likelihood:
    """What a model paid for some music, and how much music that was; adds up over pieces.

    Attributes:
        nats: total negative log-likelihood.
        seconds: music scored.
        n_notes: onsets scored.
        n_frames: frames scored; None for a representation without frames.

    Raises:
        ValueError: if `nats` is not finite.
    """

    nats: float
    seconds: float
    n_notes: int
    n_frames: int | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.nats):
            raise ValueError(f"nats must be finite, got {self.nats}; is the model damaged?")

    @property
    def nats_a_frame(self) -> float | None:
        """Returns nats a frame summed over the keys; None without a frame."""
        return self.nats / self.n_frames if self.n_frames else None

    @property
    def bits_a_note(self) -> float | None:
        """Returns bits an onset; None without an onset."""
        return self.nats / (math.log(2) * self.n_notes) if self.n_notes else None

    @property
    def nats_a_second(self) -> float | None:
        """Returns nats a second of music; None for no music."""
        return self.nats / self.seconds if self.seconds > 0 else None

    def as_dict(self) -> dict[str, float | None]:
        """Returns the three rates and what they were measured on, as plain JSON values."""
        return {
            "nats_a_frame": self.nats_a_frame,
            "bits_a_note": self.bits_a_note,
            "nats_a_second": self.nats_a_second,
            "n_frames": self.n_frames,
            "n_notes": self.n_notes,
            "seconds": self.seconds,
        }


def total_likelihood(parts: Iterable[Likelihood]) -> Likelihood:
    """Returns the likelihood of all the parts together; each weighs as much as it is long.

    `n_frames` is None as soon as one part has none.
    """
    parts = list(parts)
    frames = [p.n_frames for p in parts if p.n_frames is not None]
    return Likelihood(
        nats=math.fsum(p.nats for p in parts),
        seconds=math.fsum(p.seconds for p in parts),
        n_notes=sum(p.n_notes for p in parts),
        n_frames=sum(frames) if len(frames) == len(parts) else None,
    )


def count_onsets(frames: Frames) -> int:
    """Returns how many keys begin to sound after the first frame of a `(T, 88)` roll."""
    on = frames > 0
    return int((on[1:] & ~on[:-1]).sum())


def roll_likelihood(nats: Nats, frames: Frames, fs: int) -> Likelihood:
    """Returns the likelihood of a `(T, 88)` roll from its `(T - 1,)` nats a frame."""
    n_frames = max(0, len(frames) - 1)
    return Likelihood(float(nats.sum()), n_frames / fs, count_onsets(frames), n_frames)


def step_nats(
    model: PyzzicatoModel,
    sequences: Iterable[NDArray[Any]],
    *,
    chunk_steps: int = 2000,
    batch_size: int = 8,
    velocities: bool = True,
) -> Iterator[Nats]:
    """Yields the nats of each step but the first, `(T - 1,)`, sequence by sequence.

    Works on any representation. Whole sequences are run with a carried state in chunks, a few
    sequences side by side, so that memory does not grow with their length or number; neither
    changes the values beyond rounding. Neighbours of like length waste the least time.

    Args:
        model: on any device; left in evaluation mode.
        sequences: `(T, A)` steps of the model's representation, `(T, 88)` on rolls.
        chunk_steps: steps run at a time, 1 or more.
        batch_size: sequences run side by side, 1 or more.
        velocities: whether a model of note events pays for these too.

    Raises:
        ValueError: if `chunk_steps` or `batch_size` is below 1.
    """
    if chunk_steps < 1 or batch_size < 1:
        raise ValueError(
            f"chunk_steps and batch_size must be 1 or more, got {chunk_steps} and {batch_size}"
        )
    model.eval()
    waiting = iter(sequences)
    while group := list(islice(waiting, batch_size)):
        yield from _group_nats(model, group, chunk_steps, velocities)


def _group_nats(
    model: PyzzicatoModel, group: list[NDArray[Any]], chunk_steps: int, velocities: bool
) -> list[Nats]:
    """Returns the nats of sequences run side by side, the shorter ones padded at their end."""
    n_targets = [max(0, len(sequence) - 1) for sequence in group]
    parts: list[Nats] = [np.empty((len(group), 0))]
    state = model.start(len(group))
    for first in range(0, max(n_targets), chunk_steps):
        last = min(first + chunk_steps, max(n_targets))
        rows = [sequence[first : last + 1] for sequence in group]
        padded = np.stack([_pad(row, last + 1 - first) for row in rows])
        steps = torch.from_numpy(padded).to(model.device)
        # No grad mode may stay on while a generator waits, so it is entered here, chunk by chunk.
        with torch.inference_mode():
            hidden, state = model.hidden(steps[:, :-1], state)
            if velocities or not isinstance(model.head, NoteHead):
                nll = model.head.nll(hidden, steps[:, 1:])
            else:
                nll = model.head.attribute_nll(hidden, steps[:, 1:])[..., :3].sum(-1)
            parts.append(nll.cpu().double().numpy())
    nats = np.concatenate(parts, axis=1)
    return [row[:n] for row, n in zip(nats, n_targets, strict=True)]


def _pad(steps: NDArray[Any], length: int) -> NDArray[Any]:
    return np.pad(steps, ((0, length - len(steps)), (0, 0)))


def model_likelihoods(
    model: PyzzicatoModel,
    pieces: Sequence[Frames],
    *,
    chunk_frames: int = 2000,
    batch_size: int = 8,
) -> list[Likelihood]:
    """Returns the likelihood of each `(T, 88)` piece under a model on rolls.

    Args:
        model: its config's `fs` says how long a frame lasts.
        pieces: rolls at that `fs`; above 0 where a key sounds.
        chunk_frames: see `step_nats`.
        batch_size: see `step_nats`.

    Raises:
        ValueError: if a piece is not `(T, 88)`.
    """
    nats = step_nats(model, _binary(pieces), chunk_steps=chunk_frames, batch_size=batch_size)
    return [
        roll_likelihood(n, piece, model.config.fs) for n, piece in zip(nats, pieces, strict=True)
    ]


def piece_likelihood(model: PyzzicatoModel, notes: Sequence[Note]) -> Likelihood:
    """Returns the likelihood of a piece's notes under a model of any representation.

    Velocities are not paid for.

    Args:
        model: on rolls or note events.
        notes: of one piece, the pedal treated as the model wants it.
    """
    ordered = sort_notes(notes)
    representation = representation_of(model.config)
    if "keys" in representation.numbers:
        return model_likelihoods(model, [notes_to_roll(ordered, fs=model.config.fs)])[0]
    events = representation.encode(ordered, start_s=ordered[0].start if ordered else 0.0)
    (nats,) = step_nats(model, [events], velocities=False)
    seconds = ordered[-1].start - ordered[0].start if ordered else 0.0
    return Likelihood(float(nats.sum()), seconds, len(nats))


def _binary(pieces: Sequence[Frames]) -> Iterator[Frames]:
    for piece in pieces:
        check_roll(piece)
        yield (piece > 0).astype(np.uint8)


def baseline_nats(training_pieces: Sequence[Frames]) -> dict[str, RollNats]:
    """Returns what the baselines pay for each frame but the first, counted on training pieces.

    Returns:
        "frequency" (each key by its share of all frames), "copy" (the last frame again, as surely
        as the training pieces allow; one chance for all keys) and "markov" (the same with chances
        of its own for each key); each takes a `(T, 88)` roll and returns `(T - 1,)` nats.
    """
    counted, markov = count_baselines(training_pieces), count_markov(training_pieces)

    def copy(piece: Frames) -> Nats:
        chances = np.where(piece[:-1] > 0, counted.stay_chance, counted.start_chance)
        return frame_nats(piece[1:], chances)

    return {
        "frequency": lambda piece: frame_nats(piece[1:], counted.key_chances),
        "copy": copy,
        "markov": markov.nll,
    }
