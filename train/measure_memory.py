"""Measure whether training's memory grows with the data: peaks on a few pieces and on all.

    python train/measure_memory.py train/recipes/lstm.toml --data data/notes --steps 20   # a taste
    python train/measure_memory.py train/recipes/lstm.toml --data data/notes

Runs train/train.py twice, each run in a process of its own: on the first ten training pieces, then
on the whole of the prepared data. Prints the peak of resident memory of both (the kernel's
`ru_maxrss`, pages of the memory-mapped data included) and their ratio.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyzzicato.training.store import NoteStore, StoreWriter

# This process must stay small: a child's ru_maxrss begins with what its parent held when it
# started the child. So torch is imported in the children only.

TRAIN_SCRIPT = Path(__file__).with_name("train.py")


@dataclass(frozen=True)
class MemoryConfig:
    """One measurement: see `--help` for each field."""

    recipe: Path
    data: Path
    pieces: int
    steps: int


def write_smaller_store(store: NoteStore, folder: Path, n_pieces: int) -> Path:
    """Writes a store of the first training pieces and one validation piece; returns its folder.

    Args:
        store: prepared data.
        folder: where the smaller store goes.
        n_pieces: training pieces to keep, 1 to all.

    Raises:
        ValueError: if there are not so many training pieces, or no validation piece.
    """
    training, held_out = store.of_split("train"), store.of_split("validation")
    if not 1 <= n_pieces <= len(training):
        raise ValueError(f"pieces must be 1 to {len(training)} (all of them), got {n_pieces}")
    if not held_out:
        raise ValueError("there is no validation piece; prepare the validation split too")
    chosen = [*training[:n_pieces], held_out[0]]
    writer = StoreWriter(folder, store.sustain, store.data, store.licence)
    for piece in chosen:
        writer.add(
            store.packed(piece),
            composer=piece.composer,
            title=piece.title,
            split=piece.split,
            path=piece.path,
        )
    writer.close()
    return folder


def peak_bytes(command: Sequence[str]) -> int:
    """Runs a command to its end and returns the most resident memory its process ever held.

    Raises:
        ValueError: if the command fails; its last words are in the message.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
        # Not process.wait(): only wait4 returns what this one child used.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            output.seek(0)
            last_words = "\n".join(output.read().splitlines()[-5:])
            raise ValueError(f"{' '.join(command)} failed:\n{last_words}")
    # Kilobytes on Linux, bytes on macOS.
    return int(usage.ru_maxrss) * (1 if sys.platform == "darwin" else 1024)


def training_peak(recipe: Path, data: Path, steps: int) -> int:
    """Returns the peak resident memory, in bytes, of a whole run of `steps` updates."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, str(TRAIN_SCRIPT), str(recipe), "--data", str(data)]
        command += ["--out", out, "--max-steps", str(steps), "--eval-every", str(steps)]
        return peak_bytes(command)


def main(config: MemoryConfig) -> None:
    """Measures both runs and prints a table."""
    store = NoteStore(config.data)
    with tempfile.TemporaryDirectory() as folder:
        few = write_smaller_store(store, Path(folder), config.pieces)
        store.release()
        small = training_peak(config.recipe, few, config.steps)
        large = training_peak(config.recipe, config.data, config.steps)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"| data ({config.steps} updates) | pieces | hours | peak resident memory |")
    print("|---|---|---|---|")
    training = store.of_split("train")
    for pieces, peak in ((training[: config.pieces], small), (training, large)):
        hours = sum(piece.seconds for piece in pieces) / 3600
        print(f"| training split | {len(pieces)} | {hours:.1f} | {peak / 2**20:.0f} MB |")
    print(f"ratio {large / small:.3f}; this script itself held {own / 1024:.0f} MB")


def parse_args() -> MemoryConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("recipe", type=Path, help="TOML file, see train/recipes/")
    add("--data", type=Path, required=True, help="prepared data, from prepare_data.py")
    add("--pieces", type=int, default=10, help="training pieces of the small run")
    add("--steps", type=int, default=200, help="updates of each run")
    return MemoryConfig(**vars(parser.parse_args()))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
