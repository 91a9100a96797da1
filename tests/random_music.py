"""Music for tests, made up: chords and single notes that wander over the keyboard."""

from dataclasses import replace

import numpy as np

from pyzzicato.notes import Note, sort_notes


def random_music(seed: int, n_onsets: int = 120, spread_s: float = 0.02) -> list[Note]:
    """Returns some two notes an onset, onsets 0.15 to 0.4 s apart, chords spread by a few ms."""
    rng = np.random.default_rng(seed)
    notes = []
    time, pitch = 0.5, 60
    for _ in range(n_onsets):
        pitch = int(np.clip(pitch + rng.integers(-7, 8), 48, 84))
        chord = {pitch} | {pitch - int(rng.integers(2, 16)) for _ in range(rng.integers(0, 3))}
        for key in chord:
            start = time + rng.uniform(0, spread_s)
            notes.append(Note(key, start, start + 0.1, 64))
        time += rng.uniform(0.15, 0.4)
    return sort_notes(notes)


def jittered(notes: list[Note], seed: int, sd_s: float = 0.01) -> list[Note]:
    """Returns the notes with onsets moved at random."""
    moves = np.random.default_rng(seed).normal(0, sd_s, len(notes)).tolist()
    starts = [max(0.0, note.start + move) for note, move in zip(notes, moves, strict=True)]
    return sort_notes(
        replace(note, start=start, end=start + 0.1)
        for note, start in zip(notes, starts, strict=True)
    )


def line(pitches: list[int], step_s: float = 0.2) -> list[Note]:
    """Returns the pitches one after another."""
    return [Note(key, i * step_s, i * step_s + 0.1, 64) for i, key in enumerate(pitches)]
