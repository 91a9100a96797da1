"""How much a MIDI file may hold."""

from dataclasses import dataclass

from ..checks import show_value


@dataclass(frozen=True, slots=True)
class MidiLimits:
    """What a MIDI file may hold. The defaults keep reading within some 2 seconds and 500 MB.

    Attributes:
        max_bytes: size of the file.
        max_tracks: tracks, empty ones too.
        max_events: events of all kinds in all tracks.
        max_notes: note-ons.
        max_tempos: tempo changes.
        max_seconds: length of the music, from the first key struck to the last one let go.
        min_tempo_us: shortest quarter note in microseconds (20,000 is 3,000 a minute); a shorter
            one is passed over.
    """

    max_bytes: int = 2_000_000
    max_tracks: int = 1_000
    max_events: int = 200_000
    max_notes: int = 40_000
    max_tempos: int = 15_000
    max_seconds: float = 7200.0
    min_tempo_us: int = 20_000

    def __post_init__(self) -> None:
        for name in self.__slots__:
            value = getattr(self, name)
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if not (is_number and value > 0):
                raise ValueError(
                    f"{name} must be above 0, got {show_value(value)}; leave it out for the default"
                )
