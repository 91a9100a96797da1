"""MIDI files <-> notes: one parser, one pairing, bounds first.

    bytes -> chunks -> track_events -> strokes, pedalling -> performance
    notes -> writing -> bytes

No MIDI library takes part; pretty_midi and its objects are taken and given at the edge alone.
"""

from .limits import MidiLimits
from .performance import Part, Performance, Sustain
from .reading import read_midi
from .timing import KeySignature, Metre, Tempo, Timing
from .writing import midi_bytes, write_midi

__all__ = [
    "KeySignature",
    "Metre",
    "MidiLimits",
    "Part",
    "Performance",
    "Sustain",
    "Tempo",
    "Timing",
    "midi_bytes",
    "read_midi",
    "write_midi",
]
