"""Compares our reading of MIDI files with that of mido, pretty_midi and symusic.

    python train/check_midi.py data/some-folder
    python train/check_midi.py data --every 20
    python train/check_midi.py data --json out/check_midi.json

Each reader's notes are laid on one keyboard, as ours are, and compared key by key within 2 ms.
Every difference is put into a class that says why; what fits no class is listed, and the script
fails.
Needs `pip install symusic` beside the development packages.
"""

import argparse
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import mido  # type: ignore[import-untyped]
import pretty_midi  # type: ignore[import-untyped]

from pyzzicato.midi import Performance, read_midi
from pyzzicato.midi.reading import ZERO_LENGTH_S
from pyzzicato.notes import HIGHEST_PITCH, LOWEST_PITCH, Note, separate_strokes

TOLERANCE_S = 0.002
_DRUM_CHANNEL = 9
_SHORTEST_S = 1e-9
_DRIFTING_SHARE = 0.05
_LARGEST_DRIFT_S = 2.0
WHY = {
    "same": "the same note",
    "zero": "note let go at once: ours is 30 ms long, theirs is left out",
    "zero longer": "note let go at once: theirs takes a later note-off",
    "open": "key never let go: ours is held to the end of its track, theirs is left out or cut",
    "shared key": "two strokes meet on a key: theirs ends with another of the note-offs",
    "same tick": "strokes of one key at one tick: theirs keeps another length or velocity",
    "grown apart": "theirs takes the first of two tempos at one tick, or rounds: later times drift",
    "refused": "file refused by them",
    "refused by us": "file refused by us",
    "unexplained": "no reason found",
}
RawNote = tuple[int, float, float, int]


def read_mido(path: Path) -> list[RawNote]:
    """Returns the notes by mido's messages, each note-off ending the oldest stroke of its key."""
    down: dict[tuple[int, int], list[tuple[float, int]]] = defaultdict(list)
    found = []
    now = 0.0
    for message in mido.MidiFile(path, clip=True):
        now += message.time
        if message.type not in ("note_on", "note_off") or message.channel == _DRUM_CHANNEL:
            continue
        key = message.channel, message.note
        if message.type == "note_on" and message.velocity:
            down[key].append((now, message.velocity))
        elif down[key]:
            start, velocity = down[key].pop(0)
            found.append((message.note, start, now, velocity))
    return found


def read_pretty_midi(path: Path) -> list[RawNote]:
    """Returns the notes of pretty_midi."""
    midi = pretty_midi.PrettyMIDI(str(path))
    return [
        (n.pitch, n.start, n.end, n.velocity)
        for instrument in midi.instruments
        if not instrument.is_drum
        for n in instrument.notes
    ]


def read_symusic(path: Path) -> list[RawNote]:
    """Returns the notes of symusic."""
    import symusic

    score = symusic.Score(str(path)).to("second")
    return [
        (n.pitch, n.time, n.end, n.velocity)
        for track in score.tracks
        if not track.is_drum
        for n in track.notes
    ]


READERS: dict[str, Callable[[Path], list[RawNote]]] = {
    "mido": read_mido,
    "pretty_midi": read_pretty_midi,
    "symusic": read_symusic,
}


def on_one_keyboard(raw: Iterable[RawNote]) -> list[Note]:
    """Returns another reader's notes as one piano plays them; those without a length are lost."""
    notes = [
        Note(pitch, max(0.0, start), end, velocity)
        for pitch, start, end, velocity in raw
        if LOWEST_PITCH <= pitch <= HIGHEST_PITCH and end - start > _SHORTEST_S and velocity
    ]
    return separate_strokes(notes)[0]


def compare(ours: Performance, raw: Sequence[RawNote]) -> Counter[str]:
    """Returns how many notes there are of each class of difference."""
    theirs = on_one_keyboard(raw)
    zero = {(p, round(s, 3)) for p, s, e, _ in raw if e - s <= _SHORTEST_S}
    struck = Counter((p, round(s, 3)) for p, s, _, _ in raw)
    unisons = {place for place, n in struck.items() if n > 1}
    ours_by_key, theirs_by_key = _by_key(ours.notes), _by_key(theirs)
    found: Counter[str] = Counter()
    n_drifting = _n_drifting(ours.notes, theirs)
    if n_drifting > _DRIFTING_SHARE * len(theirs):
        return Counter({"same": len(theirs) - n_drifting, "grown apart": n_drifting})
    for pitch in ours_by_key.keys() | theirs_by_key.keys():
        found += _compare_key(ours, ours_by_key[pitch], theirs_by_key[pitch], zero, unisons)
    return found


def _n_drifting(ours: Sequence[Note], theirs: Sequence[Note]) -> int:
    """Returns how many onsets differ between two readings of the same notes; 0 for others."""
    if len(ours) != len(theirs):
        return 0
    keys = [sorted(notes, key=lambda n: (n.pitch, n.start)) for notes in (ours, theirs)]
    shifts = [abs(a.start - b.start) for a, b in zip(*keys, strict=True)]
    return sum(shift > TOLERANCE_S for shift in shifts) if max(shifts) < _LARGEST_DRIFT_S else 0


def _by_key(notes: Iterable[Note]) -> dict[int, list[Note]]:
    by_key: dict[int, list[Note]] = defaultdict(list)
    for note in notes:
        by_key[note.pitch].append(note)
    return by_key


def _compare_key(
    ours: Performance,
    mine: Sequence[Note],
    theirs: Sequence[Note],
    zero: set[tuple[int, float]],
    unisons: set[tuple[int, float]],
) -> Counter[str]:
    """Compares the strokes of one key, both sorted by time."""
    found: Counter[str] = Counter()
    i = j = 0
    while i < len(mine) or j < len(theirs):
        one = mine[i] if i < len(mine) else None
        other = theirs[j] if j < len(theirs) else None
        if one and other and abs(one.start - other.start) <= TOLERANCE_S:
            unison = (other.pitch, round(other.start, 3)) in unisons
            meets = unison or _meets(mine, i, other.end)
            found[_pair_class(ours, one, other, meets)] += 1
            i, j = i + 1, j + 1
        elif one and (other is None or one.start < other.start):
            found[_missing_class(ours, one, zero, _meets(mine, i, one.end))] += 1
            i += 1
        else:
            assert other is not None
            near = mine and min(abs(n.start - other.start) for n in mine) < 0.05
            found["grown apart" if near else "unexplained"] += 1
            j += 1
    return found


def _meets(mine: Sequence[Note], i: int, their_end: float) -> bool:
    """Returns whether note `i` of a key touches the stroke before it or the one after."""
    end = max(mine[i].end, their_end)
    after = i + 1 < len(mine) and mine[i + 1].start <= end + TOLERANCE_S
    return after or (i > 0 and mine[i - 1].end >= mine[i].start - TOLERANCE_S)


def _pair_class(ours: Performance, one: Note, other: Note, meets: bool) -> str:
    if abs(one.end - other.end) <= TOLERANCE_S:
        return "same" if one.velocity == other.velocity else "same tick"
    if abs(one.duration - ZERO_LENGTH_S) < _SHORTEST_S:
        return "zero longer"
    if _says(ours, "never let go"):
        return "open"
    return "shared key" if meets else "unexplained"


def _missing_class(ours: Performance, one: Note, zero: set[tuple[int, float]], meets: bool) -> str:
    if (one.pitch, round(one.start, 3)) in zero or one.duration <= ZERO_LENGTH_S + _SHORTEST_S:
        return "zero"
    if _says(ours, "never let go"):
        return "open"
    return "shared key" if meets else "unexplained"


def _says(ours: Performance, words: str) -> bool:
    return any(words in line for line in ours.repairs)


def check(
    paths: Sequence[Path], names: Sequence[str]
) -> tuple[dict[str, Counter[str]], dict[str, list[str]]]:
    """Returns reader -> class -> notes (files for those refused), and what needs a look."""
    table = {name: Counter[str]() for name in names}
    look: dict[str, list[str]] = defaultdict(list)
    for path in paths:
        try:
            ours = read_midi(path)
        except ValueError as error:
            look["refused by us"].append(str(error))
            for counts in table.values():
                counts["refused by us"] += 1
            continue
        for name in names:
            try:
                raw = READERS[name](path)
            except Exception as error:  # Readers raise whatever they like.
                table[name]["refused"] += 1
                look[f"refused by {name}"].append(f"{path}: {error!r}"[:200])
                continue
            found = compare(ours, raw)
            table[name] += found
            if found["unexplained"]:
                look[f"unexplained beside {name}"].append(f"{path}: {found['unexplained']}")
    return table, look


def markdown(table: dict[str, Counter[str]]) -> str:
    """Returns the table of classes."""
    rows = ["| what | " + " | ".join(table) + " |", "|---|" + "---:|" * len(table)]
    for kind, why in WHY.items():
        if any(counts[kind] for counts in table.values()):
            cells = " | ".join(f"{counts[kind]:,}" for counts in table.values())
            rows.append(f"| {why} | {cells} |")
    return "\n".join(rows)


def main() -> int:
    """Compares the files of the folders given; returns 1 if a difference has no reason."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th file (%(default)s)")
    parser.add_argument("--readers", nargs="+", default=list(READERS), choices=READERS)
    parser.add_argument("--json", type=Path, help="write the figures there")
    args = parser.parse_args()
    paths = sorted(
        path
        for folder in args.folders
        for path in folder.rglob("*")
        if path.suffix.lower() in (".mid", ".midi", ".rmi", ".kar")
    )[:: args.every]
    table, look = check(paths, args.readers)
    print(f"{len(paths)} files\n\n{markdown(table)}")
    for title, lines in look.items():
        print(f"\n{title}: {len(lines)}", *lines[:10], sep="\n- ")
    if args.json:
        args.json.write_text(json.dumps({"table": table, "look": look}, indent=1), encoding="utf-8")
    return int(any(counts["unexplained"] for counts in table.values()))


if __name__ == "__main__":
    sys.exit(main())
