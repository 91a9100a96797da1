"""Note events: one step a note, the second representation.

A step is four whole numbers: how long after the note before it is struck, its pitch, how long it
sounds and how hard it is struck. Onsets lie on a grid of 10 ms, notes of one onset are in ascending
order, and each onset is counted from the one before as it will come back, so that errors do not add
up. The pedal becomes longer notes, as on a roll.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..notes import LOWEST_PITCH, N_PITCHES, Note, sort_notes

TICK_S = 0.01
"""Onsets are whole numbers of ticks."""
ONSET_TICKS = np.unique(
    np.concatenate([np.arange(11), np.round(np.geomspace(11, 400, 46)).astype(int)])
)
"""Ticks between two onsets: each tick to 0.1 s, then 46 steps in equal ratios to 4 s."""
DURATIONS_S = np.geomspace(0.03, 6.0, 48)
"""Durations in equal ratios, 0.03 to 6 s."""
VELOCITIES = np.arange(4, 128, 8)
"""Sixteen velocities, 4 to 124."""
SIZES = (len(ONSET_TICKS), N_PITCHES, len(DURATIONS_S), len(VELOCITIES))
"""Values each of the four numbers can take: onset step, pitch, duration, velocity."""

Events = NDArray[np.uint8]

_TICK_EDGES = (ONSET_TICKS[1:] + ONSET_TICKS[:-1]) / 2
_LOG_EDGES = np.log(DURATIONS_S[1:] * DURATIONS_S[:-1]) / 2


def onset_bins(ticks: ArrayLike) -> NDArray[np.intp]:
    """Returns the onset steps nearest to numbers of ticks."""
    return np.searchsorted(_TICK_EDGES, ticks)


def encode_events(notes: Iterable[Note], start_s: float = 0.0) -> Events:
    """Returns `(N, 4)` uint8: onset step, pitch, duration and velocity of each note, as bins.

    The first onset step counts from `start_s`. A silence of more than 4 s becomes one of 4 s.

    Args:
        notes: any notes struck at or after `start_s`.
        start_s: where the passage begins, seconds.
    """
    struck = sorted(
        ((_tick(note.start - start_s), note) for note in notes),
        key=lambda item: (item[0], item[1].pitch, item[1].velocity),
    )
    events = np.zeros((len(struck), 4), dtype=np.uint8)
    if not struck:
        return events
    events[:, 0], onsets = _onset_steps([tick for tick, _ in struck])
    events[:, 1] = [note.pitch - LOWEST_PITCH for _, note in struck]
    durations = np.log([note.duration for _, note in struck])
    events[:, 2] = np.searchsorted(_LOG_EDGES, durations)
    events[:, 3] = [note.velocity // 8 for _, note in struck]
    # Notes that were struck one after the other may come back together: in the order they then
    # have, what is encoded, decoded and encoded again is the same. The first keeps the step.
    order = np.lexsort((events[:, 2], events[:, 3], events[:, 1], onsets))
    events[:, 1:] = events[order, 1:]
    return events


def _onset_steps(ticks: Sequence[int]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns the onset step of each note, and when it is struck, in ticks."""
    steps = np.zeros(len(ticks), dtype=np.intp)
    onsets = np.zeros(len(ticks), dtype=np.intp)
    latest = 0
    for i, tick in enumerate(ticks):
        wanted = max(0, tick - latest)
        steps[i] = onset_bins(wanted)
        latest = tick if wanted > ONSET_TICKS[-1] else latest + int(ONSET_TICKS[steps[i]])
        onsets[i] = latest
    return steps, onsets


def decode_events(events: Events, start_s: float = 0.0) -> list[Note]:
    """Returns the notes of `(N, 4)` events; the first onset step counts from `start_s`.

    Raises:
        ValueError: if `events` is not `(N, 4)` or a number is not a bin.
    """
    check_events(events)
    onsets = start_s + TICK_S * np.cumsum(ONSET_TICKS[events[:, 0]])
    return sort_notes(
        event_note(event, float(onset)) for event, onset in zip(events, onsets, strict=True)
    )


def event_note(event: Events, onset_s: float) -> Note:
    """Returns the note of one `(4,)` event struck at `onset_s`."""
    _, key, duration, velocity = (int(value) for value in event)
    return Note(
        LOWEST_PITCH + key,
        onset_s,
        onset_s + float(DURATIONS_S[duration]),
        int(VELOCITIES[velocity]),
    )


def onset_bin_after(seconds: float) -> int:
    """Returns the shortest onset step that lasts at least so long, or the longest there is."""
    ticks = int(np.ceil(seconds / TICK_S - 1e-6))
    return min(int(np.searchsorted(ONSET_TICKS, ticks)), len(ONSET_TICKS) - 1)


def check_events(events: Events) -> None:
    """Raises ValueError unless `events` is `(N, 4)` and every number is one of its bins."""
    if events.ndim != 2 or events.shape[1] != len(SIZES):
        raise ValueError(f"events must be (N, {len(SIZES)}), got {events.shape}; rows are notes")
    for i, (name, size) in enumerate(
        zip(("onset step", "pitch", "duration", "velocity"), SIZES, strict=True)
    ):
        highest = int(events[:, i].max(initial=0))
        if highest >= size:
            raise ValueError(f"{name} must be 0 to {size - 1}, got {highest}")


def _tick(seconds: float) -> int:
    """Returns the nearest tick, halves rounded up."""
    return int(np.floor(seconds / TICK_S + 0.5))
