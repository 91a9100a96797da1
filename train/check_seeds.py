"""Compares the typed-in preset seeds with encoded scores of the same works.

    python train/check_seeds.py --data-dir FOLDER
    python train/check_seeds.py --data-dir FOLDER --json seeds.json

FOLDER holds scores as MIDI files, one folder a source, as `REFERENCES` below names them; one is a
table of notes of the DCML corpora (tab-separated, one note a row).

The measure. Preset and reference excerpt become two sequences of pitches: by onset, and within a
chord by pitch; a pitch struck twice in one chord (two hands written on one key) counts once. In the
preset a chord is what starts within 0.01 s of its first note; in a reference what starts within
0.06 quarter notes of it, for encodings made at a keyboard. The longest common subsequence L of both
is what agrees in pitch and order. The agreement is the smaller of L / notes of the preset and
L / notes of the reference excerpt: a note typed wrong counts against both, a note left out or added
against one. Tied notes are one note in both. Grace notes count like all others; they come before
the beat in the presets, so that a reference that plays them on the beat disagrees in order.

The program ends with status 1 if a preset has no reference or agrees in less than 95 % of its notes
with one.
"""

import argparse
import csv
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path

import mido  # type: ignore[import-untyped]
import numpy as np

from pyzzicato.notes import pitch_name
from pyzzicato.seeds import Seed, list_seeds

REQUIRED = 0.95
"""Share of the notes that must agree."""
PRESET_CHORD_S = 0.01
REFERENCE_CHORD_BEATS = 0.06


@dataclass(frozen=True)
class Reference:
    """Where the excerpt of a preset stands in a reference score.

    Attributes:
        seed: the preset's name.
        file: below the data folder.
        first, last: the excerpt, from first to before last, in quarter notes.
    """

    seed: str
    file: str
    first: float
    last: float


@dataclass(frozen=True)
class Agreement:
    """How a preset agrees with one reference.

    Attributes:
        seed, file: as in `Reference`.
        n_preset, n_reference: notes of each.
        n_common: length of the longest common subsequence of pitches.
        agreement: `n_common` over the larger of the two.
        only_preset, only_reference: names of the notes outside the common subsequence.
    """

    seed: str
    file: str
    n_preset: int
    n_reference: int
    n_common: int
    agreement: float
    only_preset: tuple[str, ...]
    only_reference: tuple[str, ...]


REFERENCES = (
    Reference("bach-prelude-c-major", "mutopia/bwv846_prelude.mid", 0, 36),
    Reference("bach-prelude-c-major", "asap_score/Bach__Prelude__bwv_846.mid", 0, 36),
    Reference("bach-chromatic-fantasia", "mutopia/bwv903_fantasia.mid", 0, 40),
    Reference("mozart-sonata-a-major", "piano_midi_de/Mozart/mz_331_1.mid", 0, 36),
    Reference("beethoven-moonlight", "piano_midi_de/Beethoven/mond_1.mid", 0, 32),
    Reference(
        "schubert-impromptu-g-flat", "asap_score/Schubert__Impromptu_op.90_D.899__3.mid", 0, 64
    ),
    Reference("chopin-nocturne-e-flat", "mutopia/chopin_op9_2.mid", 0, 36.5),
    Reference("chopin-mazurka-a-minor", "nifc_chopin/017-1-BH-004.mid", 0, 60),
    Reference("chopin-ballade-g-minor", "mutopia/chopin_op23.mid", 0, 46),
    Reference("chopin-ballade-g-minor", "asap_score/Chopin__Ballades__1.mid", 0, 46),
    Reference("schumann-foreign-lands", "piano_midi_de/Schumann/scn15_1.mid", 0, 40),
    Reference("liszt-liebestraum", "piano_midi_de/Liszt/liz_liebestraum.mid", 5, 54),
    Reference("debussy-arabesque-1", "mutopia/debussy_arabesque1.mid", 0, 56),
    Reference("debussy-arabesque-1", "dcml_debussy/l066-01_arabesques_premiere.mid", 0, 56),
    Reference("debussy-clair-de-lune", "dcml_debussy/l075-03_suite_clair.tsv", 0, 36),
    Reference("debussy-girl-flaxen-hair", "dcml_debussy/l117-08_preludes_fille.mid", 0, 30),
)


def midi_onsets(path: Path) -> list[tuple[float, int]]:
    """Returns (onset in quarter notes, pitch) of all notes of a MIDI file."""
    midi = mido.MidiFile(path)
    onsets = []
    for track in midi.tracks:
        ticks = 0
        for message in track:
            ticks += message.time
            if message.type == "note_on" and message.velocity > 0:
                onsets.append((ticks / midi.ticks_per_beat, message.note))
    return onsets


def table_onsets(path: Path) -> list[tuple[float, int]]:
    """Returns (onset in quarter notes, pitch) of all notes that are struck in a DCML table.

    `quarterbeats` is the onset, `midi` the pitch; `tied` is 0 or -1 where a tie ends.
    """
    with path.open(encoding="utf-8", newline="") as file:
        return [
            (float(Fraction(row["quarterbeats"])), int(row["midi"]))
            for row in csv.DictReader(file, delimiter="\t")
            if row["tied"] not in ("0", "-1")
        ]


def pitch_sequence(onsets: Iterable[tuple[float, int]], tolerance: float) -> list[int]:
    """Returns the pitches by onset, within a chord ascending and each once.

    Args:
        onsets: (onset, pitch), in any order.
        tolerance: how long after a chord's first onset another still belongs to it.
    """
    chords: list[tuple[float, set[int]]] = []
    for onset, pitch in sorted(onsets):
        if not chords or onset - chords[-1][0] > tolerance:
            chords.append((onset, set()))
        chords[-1][1].add(pitch)
    return [pitch for _, chord in chords for pitch in sorted(chord)]


def common_subsequence(first: Sequence[int], second: Sequence[int]) -> list[tuple[int, int]]:
    """Returns the index pairs of a longest common subsequence, by the textbook table."""
    table = np.zeros((len(first) + 1, len(second) + 1), dtype=int)
    for i in reversed(range(len(first))):
        for j in reversed(range(len(second))):
            if first[i] == second[j]:
                table[i, j] = table[i + 1, j + 1] + 1
            else:
                table[i, j] = max(table[i + 1, j], table[i, j + 1])
    pairs = []
    i = j = 0
    while i < len(first) and j < len(second):
        if first[i] == second[j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif table[i + 1, j] >= table[i, j + 1]:
            i += 1
        else:
            j += 1
    return pairs


def compare(seed: Seed, reference: Reference, data_dir: Path) -> Agreement:
    """Returns how the preset agrees with the reference.

    Raises:
        FileNotFoundError: if the reference is not in the data folder.
    """
    path = data_dir / reference.file
    onsets = table_onsets(path) if path.suffix == ".tsv" else midi_onsets(path)
    early = REFERENCE_CHORD_BEATS  # an onset played just before the first beat belongs to it
    inside = [o for o in onsets if reference.first - early <= o[0] < reference.last - early]
    theirs = pitch_sequence(inside, REFERENCE_CHORD_BEATS)
    ours = pitch_sequence(((n.start, n.pitch) for n in seed.notes), PRESET_CHORD_S)
    pairs = common_subsequence(ours, theirs)
    matched_ours, matched_theirs = {i for i, _ in pairs}, {j for _, j in pairs}
    return Agreement(
        seed=seed.name,
        file=reference.file,
        n_preset=len(ours),
        n_reference=len(theirs),
        n_common=len(pairs),
        agreement=len(pairs) / max(len(ours), len(theirs)),
        only_preset=tuple(pitch_name(p) for i, p in enumerate(ours) if i not in matched_ours),
        only_reference=tuple(
            pitch_name(p) for j, p in enumerate(theirs) if j not in matched_theirs
        ),
    )


def main(data_dir: Path, json_path: Path | None) -> int:
    """Prints the agreement of each preset; returns the exit status."""
    results = []
    unchecked = []
    print(f"{'preset':26} {'agree':>7} {'both':>5} {'preset':>6} {'ref.':>5}  reference")
    for seed in list_seeds():
        references = [r for r in REFERENCES if r.seed == seed.name]
        if not references:
            unchecked.append(seed.name)
        for reference in references:
            result = compare(seed, reference, data_dir)
            results.append(result)
            print(
                f"{result.seed:26} {result.agreement:7.1%} {result.n_common:5} "
                f"{result.n_preset:6} {result.n_reference:5}  {result.file}"
            )
            if result.only_preset or result.only_reference:
                print(
                    f"{'':26} only here: {' '.join(result.only_preset) or '-'}; "
                    f"only there: {' '.join(result.only_reference) or '-'}"
                )
    if unchecked:
        print(f"without a reference: {', '.join(unchecked)}")
    if json_path:
        json_path.write_text(json.dumps([asdict(r) for r in results], indent=2) + "\n")
    return int(bool(unchecked) or any(r.agreement < REQUIRED for r in results))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of reference scores")
    parser.add_argument("--json", type=Path, help="also write the results to this file")
    arguments = parser.parse_args()
    sys.exit(main(arguments.data_dir, arguments.json))
