"""Opens scores as the package writes them in MuseScore, and counts what is lost or changed.

    apt-get install musescore3
    python train/check_score.py
    python train/check_score.py data/scores --every 10

Writes each preset, the first minute of each file of a folder that lies on a grid, and with
`--model` a continuation of each preset, as MusicXML; MuseScore reads it and writes it out again.
Compared are the notes (pitch, onset, length, staff), the number of bars, keys and metres.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyzzicato
from pyzzicato import GenerationSettings
from pyzzicato.hub import load_model
from pyzzicato.midi import Performance, read_midi
from pyzzicato.notes import Note, cut_notes
from pyzzicato.score import musicxml
from pyzzicato.seeds import list_seeds

SECONDS = 60.0
PROGRAMS = ("mscore3", "mscore", "musescore3", "musescore")


def pieces(
    folder: Path | None, every: int, name: str | None
) -> Iterator[tuple[str, list[Note], Performance]]:
    """Yields names, notes, and the performances on whose grid they lie."""
    model = load_model(name) if name else None
    for seed in list_seeds():
        assert seed.performance is not None  # presets are typed in on a grid
        if model is None:
            yield seed.name, list(seed.notes), seed.performance
        else:
            piece = pyzzicato.continue_seed(model, seed.name, GenerationSettings(seconds=20.0))
            yield seed.name, list(piece.notes), seed.performance
    for path in sorted(folder.rglob("*.mid*"))[::every] if folder else []:
        like = read_midi(path)
        if like.grid() is not None:
            yield str(path), cut_notes(like.music(), 0.0, SECONDS), like


def read_score(path: Path) -> dict[str, Any]:
    """Returns what stands in a MusicXML file."""
    import partitura  # type: ignore[import-untyped]

    part = partitura.load_musicxml(str(path)).parts[0]
    return {
        "notes": sorted(
            (
                int(note["pitch"]),
                round(float(note["onset_quarter"]), 2),
                round(float(note["duration_quarter"]), 2),
                int(note["staff"]),
            )
            for note in part.note_array(include_staff=True)
        ),
        "bars": len(part.measures),
        "keys": [key.fifths for key in part.key_sigs],
        "metres": [(metre.beats, metre.beat_type) for metre in part.time_sigs],
    }


def main() -> int:
    """Returns 1 if anything is lost or changed."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--every", type=int, default=1, help="take every n-th file (%(default)s)")
    parser.add_argument("--model", help="carries the presets on")
    args = parser.parse_args()
    program = next(filter(shutil.which, PROGRAMS), None)
    if program is None:
        sys.exit(f"error: MuseScore is needed, and none of {', '.join(PROGRAMS)} was found")
    warnings.simplefilter("ignore")
    n_scores, n_notes, n_wrong = 0, 0, 0
    with tempfile.TemporaryDirectory() as place:
        written, read = Path(place, "ours.musicxml"), Path(place, "theirs.musicxml")
        quiet = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": place}
        for name, notes, like in pieces(args.folder, args.every, args.model):
            written.write_text(musicxml(notes, like), encoding="utf-8")
            command = [program, "-o", str(read), str(written)]
            subprocess.run(command, env=quiet, capture_output=True, check=True)
            ours, theirs = read_score(written), read_score(read)
            n_scores, n_notes = n_scores + 1, n_notes + len(ours["notes"])
            missing = len({*ours["notes"]} ^ {*theirs["notes"]})
            others = [kind for kind in ("bars", "keys", "metres") if ours[kind] != theirs[kind]]
            n_wrong += bool(missing or others)
            if missing or others:
                print(f"{name}: {missing} notes and {others or 'nothing else'} differ", flush=True)
    print(f"{n_scores} scores, {n_notes} notes; {n_wrong} scores changed by {program}")
    return int(n_wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
