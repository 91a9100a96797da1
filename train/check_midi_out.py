"""Opens MIDI files as the package writes them in the programs that musicians use.

    python train/check_midi_out.py
    python train/check_midi_out.py data/scores --every 10

Writes each preset, and the first minute of each file of a folder, as the seed of a continuation
(tempo map, metre, key, title, hands, marker), and counts in each program the notes that are lost or
moved by more than 20 ms. Programs that are not installed are left out: `pip install music21 symusic
partitura`, `apt-get install fluidsynth musescore3`.
"""

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from pyzzicato.midi import midi_bytes, read_midi
from pyzzicato.notes import cut_notes
from pyzzicato.seeds import list_seeds
from pyzzicato.soundfonts import find_soundfont

SECONDS = 60.0
# FluidSynth rounds the time of each change of tempo to a millisecond: 13 ms after 30 s of rubato.
TOLERANCE_S = 0.02
Times = list[tuple[int, float]]  # (pitch, onset in seconds), sorted


def by_mido(path: Path) -> Times:
    """Returns the note-ons that mido plays."""
    import mido  # type: ignore[import-untyped]

    now, found = 0.0, []
    for message in mido.MidiFile(path):
        now += message.time
        if message.type == "note_on" and message.velocity:
            found.append((message.note, now))
    return sorted(found)


def by_pretty_midi(path: Path) -> Times:
    """Returns the notes of pretty_midi."""
    import pretty_midi  # type: ignore[import-untyped]

    midi = pretty_midi.PrettyMIDI(str(path))
    return sorted((n.pitch, n.start) for i in midi.instruments for n in i.notes)


def by_symusic(path: Path) -> Times:
    """Returns the notes of symusic."""
    import symusic

    score = symusic.Score(str(path)).to("second")
    return sorted((n.pitch, n.time) for track in score.tracks for n in track.notes)


def by_partitura(path: Path) -> Times:
    """Returns the notes of partitura."""
    import partitura  # type: ignore[import-untyped]

    notes = partitura.load_performance_midi(path).note_array()
    return sorted((int(n["pitch"]), float(n["onset_sec"])) for n in notes)


def by_music21(path: Path) -> Times:
    """Returns the pitches of music21, which keeps places in bars and no seconds."""
    import music21

    score = music21.converter.parse(path, format="midi", quantizePost=False)
    heads = [
        (head, head.tie or one.tie)
        for one in score.flatten().notes
        for head in (one.notes if one.isChord else [one])
    ]
    # Bar lines cut notes in two, and tie them.
    struck = [head for head, tie in heads if tie is None or tie.type == "start"]
    return sorted((head.pitch.midi, -1.0) for head in struck)


def by_fluidsynth(path: Path) -> Times:
    """Returns the notes that FluidSynth plays; it says each voice of each."""
    command = ["fluidsynth", "-v", "-n", "-i", "-T", "raw", "-F", "/dev/null"]
    font = str(find_soundfont())
    done = subprocess.run([*command, font, str(path)], capture_output=True, text=True, check=True)
    words = [line.split() for line in (done.stdout + done.stderr).splitlines()]
    # fluidsynth: noteon  CHANNEL  PITCH  VELOCITY  NUMBER-OF-NOTE  SECONDS ...
    struck = [w[w.index("noteon") + 1 :] for w in words if "noteon" in w]
    return sorted({w[3]: (int(w[1]), float(w[4])) for w in struck}.values())


def by_musescore(path: Path) -> Times:
    """Returns the pitches of MuseScore, which rounds to note values and keeps no seconds."""
    import partitura

    with tempfile.TemporaryDirectory() as place:
        score = Path(place, "score.musicxml")
        quiet = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": place}
        command = ["mscore3", "-o", str(score), str(path)]
        subprocess.run(command, env=quiet, capture_output=True, check=True)
        parts = partitura.load_musicxml(str(score)).parts
    return sorted((int(note["pitch"]), -1.0) for part in parts for note in part.note_array())


PROGRAMS: dict[str, Callable[[Path], Times]] = {
    "mido": by_mido,
    "pretty_midi": by_pretty_midi,
    "symusic": by_symusic,
    "partitura": by_partitura,
    "music21": by_music21,
    "fluidsynth": by_fluidsynth,
    "mscore3": by_musescore,
}


def pieces(folder: Path | None, every: int) -> Iterator[tuple[str, bytes]]:
    """Yields names and files as the package writes them."""
    for seed in list_seeds():
        yield seed.name, midi_bytes(seed.notes, like=seed.performance, seed_seconds=seed.seconds)
    paths = sorted(folder.rglob("*.mid*"))[::every] if folder else []
    for path in paths:
        like = read_midi(path)
        notes = cut_notes(like.music(), 0.0, SECONDS)
        yield str(path), midi_bytes(notes, like=like, seed_seconds=SECONDS)


def n_wrong(found: Sequence[tuple[int, float]], expected: Sequence[tuple[int, float]]) -> int:
    """Returns how many notes are lost, added or moved."""
    if len(found) != len(expected):
        return abs(len(found) - len(expected))
    return sum(
        a[0] != b[0] or (a[1] >= 0 and abs(a[1] - b[1]) > TOLERANCE_S)
        for a, b in zip(found, expected, strict=True)
    )


def main() -> int:
    """Returns 1 if a program loses a note."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--every", type=int, default=1, help="take every n-th file (%(default)s)")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    installed = {n: by for n, by in PROGRAMS.items() if find_spec(n) or shutil.which(n)}
    wrong, n_files, n_notes = dict.fromkeys(installed, 0), 0, 0
    with tempfile.TemporaryDirectory() as place:
        path = Path(place, "piece.mid")
        for name, data in pieces(args.folder, args.every):
            path.write_bytes(data)
            expected = sorted((n.pitch, n.start) for n in read_midi(io.BytesIO(data)).notes)
            n_files, n_notes = n_files + 1, n_notes + len(expected)
            for program, by in installed.items():
                n = int(n_wrong(by(path), expected))
                wrong[program] += n
                if n:
                    print(f"{program}: {n} of {len(expected)} notes wrong in {name}")
    print(f"{n_files} files, {n_notes} notes; wrong: {wrong}")
    return int(any(wrong.values()))


if __name__ == "__main__":
    sys.exit(main())
