"""Reads damaged MIDI files by the thousand: each must be refused in words or give a sane result.

    python tests/midi_fuzz.py --inputs 1000
    python tests/midi_fuzz.py --inputs 100000

Whole files of many kinds are built at random and then spoilt: bytes changed, cut out, doubled and
moved, numbers made absurd. Prints how many were read and refused, the slowest and the memory.
"""

import argparse
import math
import random
import resource
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from midi_builder import END_OF_TRACK, chunk, control, event, header, meta, off, on, pedal, tempo

from pyzzicato.midi import midi_bytes, read_midi
from pyzzicato.midi.reading import LONGEST_RING_S

_NASTY = (0, 1, 0x3C, 0x40, 0x4D, 0x7F, 0x80, 0x90, 0xB0, 0xF0, 0xF7, 0xF8, 0xFE, 0xFF)
_DELTAS = (*(0, 0, 1, 120, 480) * 100, 0x0FFFFFFF)


@dataclass
class Outcome:
    """What became of the inputs."""

    n_read: int = 0
    n_refused: int = 0
    slowest_s: float = 0.0
    reasons: Counter[str] = field(default_factory=Counter)


def random_file(rng: random.Random) -> bytes:
    """Returns a whole file of random events, most of them right."""
    channels = rng.choice(([0], [0, 1], [9], list(range(16))))
    kinds: list[Callable[[int, int], bytes]] = [
        lambda delta, c: on(delta, rng.randrange(128), rng.randrange(1, 128), c),
        lambda delta, c: on(delta, rng.randint(60, 64), 64, c),
        lambda delta, c: off(delta, rng.randint(60, 64), c),
        lambda delta, c: pedal(delta, rng.choice((0, 127)), c),
        lambda delta, c: control(delta, rng.choice((6, 66, 100, 101, 120, 121, 123)), 6, c),
        lambda delta, c: event(delta, 0xC0 | c, rng.randrange(128)),
        lambda delta, _: tempo(delta, rng.choice((0, 1, 400_000, 400_000, 2**22))),
        lambda delta, _: meta(delta, rng.randrange(128), rng.randbytes(rng.randrange(8))),
        lambda delta, _: event(delta, 0xF8),
        lambda delta, _: event(delta, 0xF0, 3, 0x7E, 0x7F, 0xF7),
    ]
    tracks = []
    for _ in range(rng.randint(1, 4)):
        body = b"".join(
            rng.choice(kinds)(rng.choice(_DELTAS), rng.choice(channels))
            for _ in range(rng.randrange(40))
        )
        end = rng.choice((END_OF_TRACK, END_OF_TRACK, b""))
        length = rng.choice((None, None, None, 0, 2**32 - 1, rng.randrange(300)))
        tracks += [chunk(rng.choice((b"MTrk",) * 9 + (b"XFIH",)), body + end, length)]
        tracks += [rng.randbytes(rng.choice((0, 0, 0, 5)))]
    division = rng.choice((24, 96, 480, 480, 960, 32_767, 0xE728, rng.randrange(65_536)))
    return header(rng.randrange(4), rng.choice((1, 4, 65_535)), division) + b"".join(tracks)


def spoil(data: bytes, rng: random.Random) -> bytes:
    """Returns the bytes with some of them changed, cut out, doubled or moved."""
    spoilt = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 4, 16))):
        if not spoilt:
            break
        i, n = rng.randrange(len(spoilt)), rng.randrange(1, 12)
        way = rng.randrange(6)
        if way < 2:
            spoilt[i] = rng.choice((*_NASTY, rng.randrange(256)))
        elif way == 2:
            del spoilt[i : i + n]
        elif way == 3:
            spoilt[i:i] = rng.choice((rng.randbytes(n), bytes(spoilt[i : i + n]), b"MTrk", b"MThd"))
        elif way == 4:
            spoilt = spoilt[:i]
        else:
            j = rng.randrange(len(spoilt))
            spoilt[i : i + n], spoilt[j : j + n] = spoilt[j : j + n], spoilt[i : i + n]
    return bytes(spoilt)


def check(data: bytes, outcome: Outcome) -> None:
    """Reads one input and fails unless it is refused in words or gives a sane result."""
    began = time.process_time()
    try:
        found = read_midi(data)
    except ValueError as error:
        words = str(error)
        assert words.startswith("MIDI data cannot be read: ") and words.isprintable(), words
        outcome.n_refused += 1
        outcome.reasons[words.removeprefix("MIDI data cannot be read: ")[:40]] += 1
    else:
        outcome.n_read += 1
        assert found.notes and len(found.notes) == len(found.sustained) == len(found.part_of)
        for note, longer in zip(found.notes, found.sustained, strict=True):
            assert 0 <= note.start < note.end <= longer.end <= found.seconds + LONGEST_RING_S
            assert (note.pitch, note.start) == (longer.pitch, longer.start)
        by_key: dict[int, float] = {}
        for note in found.sustained:
            assert note.start >= by_key.get(note.pitch, 0.0)
            by_key[note.pitch] = note.end
        assert all(a.start <= b.start for a, b in zip(found.notes, found.notes[1:], strict=False))
        assert all(span.start < span.end for span in found.pedals)
        assert all(math.isfinite(found.timing.tick_at(note.end)) for note in found.notes)
        assert all(line.isprintable() for line in (*found.remarks(), found.title))
        music = found.music()
        if found.seconds - found.start_s < 3600:
            again = read_midi(midi_bytes(music, like=found, seed_seconds=1.0))
            assert len(again.notes) <= len(music)
    outcome.slowest_s = max(outcome.slowest_s, time.process_time() - began)


def run(n_inputs: int, seed: int) -> Outcome:
    """Returns what became of `n_inputs` inputs; the same seed gives the same ones.

    Raises:
        AssertionError: at the first input that is neither refused in words nor read sanely.
    """
    rng = random.Random(seed)
    outcome = Outcome()
    for number in range(n_inputs):
        data = spoil(random_file(rng), rng)
        try:
            check(data, outcome)
        except Exception as error:
            raise AssertionError(f"input {number} of seed {seed}: {error!r}\n{data!r}") from error
    return outcome


def main() -> None:
    """Reads as many as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--inputs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    outcome = run(args.inputs, args.seed)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{outcome.n_read} read, {outcome.n_refused} refused; slowest {outcome.slowest_s:.3f} s,")
    print(f"peak {peak_mb:.0f} MB; refused because:")
    for reason, n in outcome.reasons.most_common(12):
        print(f"{n:8} {reason}")


if __name__ == "__main__":
    main()
