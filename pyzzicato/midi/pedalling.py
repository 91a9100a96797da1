"""Pedals: controllers -> how long each stroke sounds.

A pedal is its channel's. Two things widen that:

- A channel on which no key is struck lends its pedal to the channels of the same port that have no
  pedal of their own: keyboards that send hands and pedal on channels of their own do so.
- In MPE the master channel's pedal is that of its whole zone.

Sources: MIDI 1.0 (controllers 64, 66, 120, 121 and 123); RP-015, "Response to Reset All
Controllers"; M1-100-UM, "MIDI Polyphonic Expression" (all MIDI Association).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence

from .strokes import Stroke
from .track_events import ALL_SOUND_OFF, CONTROL, RESET_CONTROLLERS, SOSTENUTO, SUSTAIN, Message

Span = tuple[int, int]
"""A stretch of time from tick to tick, first included, last not."""
PEDAL_DOWN = 64
"""The least value of a controller that counts as a pedal down."""


class Pedals:
    """The pedals of all channels of a file.

    Args:
        messages: (track number, message), by time.
        also_resets: channel -> the channels that its "reset all controllers" and "all sound off"
            mean, itself among them.
        end_tick: where pedals that nobody lifts come up.
    """

    def __init__(
        self,
        messages: Iterable[tuple[int, Message]],
        also_resets: Callable[[int], Sequence[int]],
        end_tick: int,
    ) -> None:
        self._spans: dict[int, dict[int, list[Span]]] = {SUSTAIN: {}, SOSTENUTO: {}}
        self._silences: dict[int, list[int]] = {}
        self._down: dict[tuple[int, int], int] = {}
        for _, (tick, kind, channel, first, second) in messages:
            if kind != CONTROL:
                continue
            if first in self._spans:
                self._move(first, channel, tick, second >= PEDAL_DOWN)
            elif first == RESET_CONTROLLERS:
                for other in also_resets(channel):
                    self._move(SUSTAIN, other, tick, False)
                    self._move(SOSTENUTO, other, tick, False)
            elif first == ALL_SOUND_OFF:
                for other in also_resets(channel):
                    silences = self._silences.setdefault(other, [])
                    if silences[-1:] != [tick]:
                        silences.append(tick)
        for (control, channel), start in list(self._down.items()):
            self._move(control, channel, max(end_tick, start), False)

    def _move(self, control: int, channel: int, tick: int, down: bool) -> None:
        start = self._down.get((control, channel))
        if down and start is None:
            self._down[control, channel] = tick
        elif not down and start is not None:
            del self._down[control, channel]
            if tick > start:
                self._spans[control].setdefault(channel, []).append((start, tick))

    def lend(self, struck: Iterable[int], masters: Mapping[int, int]) -> None:
        """Gives the channels the pedals of others that are theirs as well.

        Args:
            struck: the channels on which keys are struck.
            masters: channel of an MPE zone -> its master channel.
        """
        channels = set(struck)
        for spans in self._spans.values():
            own = dict(spans)
            of_port: dict[int, list[Span]] = {}
            for channel in own.keys() - channels:
                of_port.setdefault(channel // 16, []).extend(own[channel])
            lent = {port: union(found) for port, found in of_port.items()}
            for channel in channels:
                lenders = {channel, masters.get(channel, channel)} & own.keys()
                if len(lenders) > 1:
                    spans[channel] = union(span for c in lenders for span in own[c])
                elif lenders:
                    spans[channel] = own[lenders.pop()]
                elif channel // 16 in lent:
                    spans[channel] = lent[channel // 16]
            for channel in own.keys() - channels:
                del spans[channel]

    def sustained(self) -> list[Span]:
        """Returns where the sustain pedal of any channel is down."""
        return union(span for spans in self._spans[SUSTAIN].values() for span in spans)

    def release(self, stroke: Stroke) -> int:
        """Returns the tick at which a stroke stops sounding if its key is not struck again."""
        sustain = self._spans[SUSTAIN].get(stroke.channel, [])
        sostenuto = self._spans[SOSTENUTO].get(stroke.channel, [])
        end = stroke.end
        # The last time that the sostenuto pedal went down while the key was down.
        i = bisect_left(sostenuto, (stroke.end, 0)) - 1
        if i >= 0 and stroke.start <= sostenuto[i][0]:
            end = max(end, sostenuto[i][1])
        # A damper that one pedal lets fall may still be held by the other.
        i = bisect_right(sustain, (end, 1 << 62)) - 1
        if i >= 0 and sustain[i][0] <= end < sustain[i][1]:
            end = sustain[i][1]
        silences = self._silences.get(stroke.channel, [])
        i = bisect_left(silences, stroke.end)
        return min(end, silences[i]) if i < len(silences) else end


def union(spans: Iterable[Span]) -> list[Span]:
    """Returns the spans by time, overlapping ones as one; those that only touch stay two."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start < joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined
