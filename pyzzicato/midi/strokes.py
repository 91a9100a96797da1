"""Note-ons and note-offs -> strokes: which note-off ends which stroke of a key.

A channel has one row of keys, whatever track writes to it. A note-off ends the oldest stroke that
is down on its key; so a key on which two voices meet is let go by the last note-off. Where strokes
are left over (a key struck again without a note-off), a note-off ends all strokes of its key. "All
notes off" and its kin (controllers 120 and 123 to 127) end all strokes of a channel.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, takewhile

from .track_events import ALL_NOTES_OFF, ALL_SOUND_OFF, CONTROL, NOTE_OFF, NOTE_ON, Message, Track

LONGEST_MEETING_S = 30.0
"""A key that two voices share is let go within this time; held longer, a note-off was missing."""
_ON, _OFF, _ALL_OFF = range(3)
_Mark = tuple[int, int, int, int]  # (tick, which of the three, velocity, track number)
_Group = list[_Mark]  # All marks of one key at one tick, in the order of the file.


@dataclass(slots=True)
class Stroke:
    """One stroke of a key, in ticks.

    Attributes:
        channel: over all ports, 16 each.
        pitch: 0 to 127.
        start: when the key is struck.
        velocity: 1 to 127.
        track: number of the track that strikes it.
        end: when it is let go; -1 while nothing lets it go.
    """

    channel: int
    pitch: int
    start: int
    velocity: int
    track: int
    end: int = -1


def merge_messages(tracks: Sequence[Track]) -> list[tuple[int, Message]]:
    """Returns (track number, message) of all tracks by time; at one tick in the file's order."""
    together = [(track.number, message) for track in tracks for message in track.messages]
    together.sort(key=lambda one: one[1][0])
    return together


def pair_strokes(
    messages: Sequence[tuple[int, Message]],
    also_ends: Callable[[int], Sequence[int]],
    seconds_at: Callable[[int], float],
) -> list[Stroke]:
    """Returns the strokes of all channels; those that nothing lets go have `end` -1.

    Args:
        messages: from `merge_messages`.
        also_ends: channel -> the channels that its "all notes off" lets go, itself among them.
        seconds_at: tick -> seconds.
    """
    marks: dict[int, dict[int, list[_Mark]]] = {}
    down: dict[int, set[int]] = {}
    swept: dict[int, int] = {}  # channel -> tick at which all its keys were let go, if none since
    for track, (tick, kind, channel, first, second) in messages:
        if kind == NOTE_ON:
            marks.setdefault(channel, {}).setdefault(first, []).append((tick, _ON, second, track))
            down.setdefault(channel, set()).add(first)
            swept.pop(channel, None)
        elif kind == NOTE_OFF:
            if first in marks.get(channel, {}):
                marks[channel][first].append((tick, _OFF, 0, track))
        elif kind == CONTROL and (first == ALL_SOUND_OFF or first >= ALL_NOTES_OFF):
            for other in also_ends(channel):
                if swept.get(other) == tick:
                    continue
                swept[other] = tick
                for pitch in down.get(other, ()):
                    marks[other][pitch].append((tick, _ALL_OFF, 0, track))
                # Those struck at this very tick stay down.
                down[other] = {p for p in down.get(other, ()) if _struck_at(marks[other][p], tick)}
    return [
        stroke
        for channel, keys in marks.items()
        for pitch, found in keys.items()
        for stroke in _pair_key(found, channel, pitch, seconds_at)
    ]


def _struck_at(marks: Sequence[_Mark], tick: int) -> bool:
    now = takewhile(lambda mark: mark[0] == tick, reversed(marks))
    return any(mark[1] == _ON for mark in now)


def _pair_key(
    marks: Sequence[_Mark], channel: int, pitch: int, seconds_at: Callable[[int], float]
) -> list[Stroke]:
    """Returns the strokes of one key of one channel."""
    groups = [list(group) for _, group in groupby(marks, key=lambda mark: mark[0])]
    strokes: list[Stroke] = []
    begin = 0
    while begin < len(groups):
        counted, after = _pair_until_up(groups, begin, channel, pitch)
        if len(counted) > 1:
            left_over = any(stroke.end < 0 for stroke in counted)
            first, last = groups[begin][0][0], groups[after - 1][0][0]
            if left_over or seconds_at(last) - seconds_at(first) > LONGEST_MEETING_S:
                counted = _pair_alone(groups[begin:after], channel, pitch)
        strokes += counted
        begin = after
    return strokes


def _pair_until_up(
    groups: Sequence[_Group], begin: int, channel: int, pitch: int
) -> tuple[list[Stroke], int]:
    """Pairs each note-off with the oldest stroke, from group `begin` until the key is up.

    Returns:
        The strokes, and the number of the group after them.
    """
    strokes: list[Stroke] = []
    n_ended = 0
    for i in range(begin, len(groups)):
        group = groups[i]
        tick = group[0][0]
        n_off = len(strokes) - n_ended if _all_off(group) else _n_off(group)
        # A note-off at the tick of a stroke ends the stroke before it; one that is too many comes
        # from a stroke let go at once.
        before = min(n_off, len(strokes) - n_ended)
        new = [Stroke(channel, pitch, tick, m[2], m[3]) for m in group if m[1] == _ON]
        strokes += new
        at_once = 0 if _all_off(group) else min(n_off - before, _n_off_behind_on(group))
        for stroke in strokes[n_ended : n_ended + before + at_once]:
            stroke.end = tick
        n_ended = min(len(strokes), n_ended + before + at_once)
        if n_ended == len(strokes):
            return strokes, i + 1
    return strokes, len(groups)


def _pair_alone(groups: Sequence[_Group], channel: int, pitch: int) -> list[Stroke]:
    """Pairs a key on which note-offs are missing: each one ends all strokes.

    But where two note-offs follow each other, the first one ends as many as it has to.
    """
    strokes: list[Stroke] = []
    n_ended = 0
    for i, group in enumerate(groups):
        tick = group[0][0]
        n_off, n_down = _n_off(group), len(strokes) - n_ended
        another = i + 1 < len(groups) and groups[i + 1][0][1] == _OFF
        strokes += [Stroke(channel, pitch, tick, m[2], m[3]) for m in group if m[1] == _ON]
        if _all_off(group) or (n_off and n_down and (not another or n_off >= n_down)):
            ended = n_down
        elif n_down:
            ended = n_off
        else:
            ended = min(len(strokes) - n_ended, _n_off_behind_on(group))
        for stroke in strokes[n_ended : n_ended + ended]:
            stroke.end = tick
        n_ended += ended
    return strokes


def _all_off(group: _Group) -> bool:
    return any(mark[1] == _ALL_OFF for mark in group)


def _n_off(group: _Group) -> int:
    return sum(mark[1] == _OFF for mark in group)


def _n_off_behind_on(group: _Group) -> int:
    """Returns how many note-offs stand behind the first note-on of the group."""
    first = next((i for i, mark in enumerate(group) if mark[1] == _ON), len(group))
    return sum(mark[1] == _OFF for mark in group[first:])
