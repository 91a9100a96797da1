"""What a file says of its channels: which are drums, and which are one instrument's (MPE).

Channel 10 is drums unless something says otherwise: an MPE zone, a bank or a system exclusive
message that makes it melodic, a piano's name on its track, one instrument that hands its notes
round all channels, or, where no other channel plays, a sustain pedal or keys that no drum kit has.

Sources: General MIDI 2 (banks 120 and 121); M1-100-UM, "MIDI Polyphonic Expression" (MIDI
Association); the GS format's "use for rhythm part" (Roland SC-88 manual).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from .texts import decode
from .track_events import (
    BANK,
    CONTROL,
    DATA_ENTRY,
    INSTRUMENT_NAME,
    NOTE_ON,
    PARAMETER_HIGH,
    PARAMETER_LOW,
    PROGRAM,
    SUSTAIN,
    TRACK_NAME,
    Message,
    Track,
)

_DRUM_CHANNEL = 9  # Counted from 0.
_DRUM_KEYS = range(27, 89)  # Of General MIDI 2.
_RHYTHM_BANK, _MELODY_BANK = 120, 121
_MPE_PARAMETER = (0, 6)
_LOWER_MASTER, _UPPER_MASTER = 0, 15
_MOST_MEMBERS = 15
_LEAST_HANDED_ROUND = 6
_GS_RHYTHM = re.compile(rb"\x41.\x42\x12\x40([\x10-\x1f])\x15(.)", re.DOTALL)
# In the GS format block 0 is channel 10, blocks 1 to 9 are channels 1 to 9, the others follow.
_GS_CHANNELS = [9, *range(9), *range(10, 16)]
_PIANO = re.compile(
    r"\b(piano\w*|pno|klavier|clavier|clavecin|keyboard|(right|left)[ _-]?hand|main (droite|gauche)"
    r"|(rechte|linke) hand|[rl]\.?h\.?|grand)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Channels:
    """What is known of the channels of a file, over all ports, 16 each.

    Attributes:
        drums: the channels of drums.
        masters: member of an MPE zone -> its master channel.
    """

    drums: frozenset[int] = frozenset()
    masters: dict[int, int] = field(default_factory=dict)
    _zones: dict[int, list[int]] = field(init=False, default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        for member, master in self.masters.items():
            self._zones.setdefault(master, [master]).append(member)

    def meant_by(self, channel: int) -> list[int]:
        """Returns the channels that a message for all notes of `channel` is for."""
        return self._zones.get(channel, [channel])


def read_channels(tracks: Sequence[Track], messages: Sequence[tuple[int, Message]]) -> Channels:
    """Returns what a file says of its channels.

    Args:
        tracks: of the file.
        messages: (track number, message) of all tracks, by time.
    """
    masters = _mpe_masters(messages)
    programs: dict[int, set[int]] = {}
    players: dict[int, set[int]] = {}
    rhythm: dict[int, bool] = {}
    for track, (_, kind, channel, first, second) in messages:
        if kind == NOTE_ON:
            players.setdefault(channel, set()).add(track)
        elif kind == PROGRAM:
            programs.setdefault(channel, set()).add(first)
        elif kind == CONTROL and first == BANK and second in (_RHYTHM_BANK, _MELODY_BANK):
            rhythm[channel] = second == _RHYTHM_BANK
    for payload in (payload for track in tracks for payload in track.sysex):
        if found := _GS_RHYTHM.search(payload):
            rhythm[_GS_CHANNELS[found[1][0] & 0x0F]] = found[2] != b"\x00"
    # A name may be the piece's where the track has other channels as well.
    alone = {t: c for c, by in players.items() for t in by}
    shared = {t for c, by in players.items() for t in by if alone[t] != c}
    pianos = {track.number for track in tracks if _is_piano(track)} - shared
    drums = set()
    for channel, by in players.items():
        usual = channel % 16 == _DRUM_CHANNEL and not (
            channel in masters
            or by <= pianos
            or _handed_round(channel, players, programs)
            or (len(players) == 1 and _is_no_drum_kit(messages))
        )
        if rhythm.get(channel, usual):
            drums.add(channel)
    return Channels(frozenset(drums), masters)


def _mpe_masters(messages: Sequence[tuple[int, Message]]) -> dict[int, int]:
    """Returns member -> master of the MPE zones that a file sets up (registered parameter 6)."""
    masters: dict[int, int] = {}
    parameter: dict[int, tuple[int, int]] = {}
    for _, (_, kind, channel, first, second) in messages:
        if kind != CONTROL:
            continue
        high, low = parameter.get(channel, (127, 127))
        if first == PARAMETER_HIGH:
            parameter[channel] = second, low
        elif first == PARAMETER_LOW:
            parameter[channel] = high, second
        elif first == DATA_ENTRY and (high, low) == _MPE_PARAMETER and second <= _MOST_MEMBERS:
            step = {_LOWER_MASTER: 1, _UPPER_MASTER: -1}.get(channel % 16, 0)
            for member in [c for c, master in masters.items() if master == channel]:
                del masters[member]
            for i in range(1, second + 1) if step else ():
                masters[channel + step * i] = channel
    return masters


def _handed_round(
    channel: int, players: dict[int, set[int]], programs: dict[int, set[int]]
) -> bool:
    """Returns whether one instrument hands its notes round the channels on both sides of `channel`.

    All of them have the same tracks and the same program then.
    """
    group = {c for c in players if c // 16 == channel // 16 and players[c] == players[channel]}
    same = {frozenset(programs.get(c, {0})) for c in group}
    neighbours = {channel - 1, channel + 1}
    return len(group) >= _LEAST_HANDED_ROUND and neighbours <= group and len(same) == 1


def _is_no_drum_kit(messages: Sequence[tuple[int, Message]]) -> bool:
    """Returns whether what is played uses a pedal, or keys that no drum kit has."""
    return any(
        (kind == CONTROL and first == SUSTAIN and second)
        or (kind == NOTE_ON and first not in _DRUM_KEYS)
        for _, (_, kind, _, first, second) in messages
    )


def _is_piano(track: Track) -> bool:
    names = [text for kind, text in track.texts if kind in (TRACK_NAME, INSTRUMENT_NAME)]
    return any(_PIANO.search(decode(name)) for name in names)
