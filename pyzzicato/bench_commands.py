"""The commands that rework a piece: `pyzzicato redo | keep`."""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

from .hub import DEFAULT_MODEL, open_model
from .notes import Note
from .pieces import Wanted, make_folder, write_piece
from .playing import keep, redo
from .playing.loaded_model import Model
from .playing.settings import GenerationSettings
from .playing.voices import VOICES
from .reworking import keep_part, redo_span
from .sources import SeedPiece, read_seed
from .takes import Take

_Play = Callable[[Model, SeedPiece, GenerationSettings], Take]


def run_redo(args: argparse.Namespace) -> None:
    """Plays a span of a piece anew."""
    start, end = args.span

    def play(model: Model, seed: SeedPiece, settings: GenerationSettings) -> Take:
        return redo_span(model, seed, start, end, settings, tries=args.tries)

    _run(args, play)


def run_keep(args: argparse.Namespace) -> None:
    """Keeps a part of a piece and plays the rest anew."""

    def play(model: Model, seed: SeedPiece, settings: GenerationSettings) -> Take:
        kept = args.keep if args.track is None else _track(seed, args.track)
        return keep_part(model, seed, kept, args.start, args.end, settings, tries=args.tries)

    _run(args, play)


def add_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands `redo` and `keep` to the others."""
    again = commands.add_parser("redo", help="play a span of a piece anew")
    again.set_defaults(run=run_redo)
    again.add_argument("seed", help="a preset's name or a MIDI file")
    again.add_argument(
        "--span",
        type=float,
        nargs=2,
        required=True,
        metavar=("START", "END"),
        help="from where to where, seconds; 2 to 20 s long",
    )
    _add_settings(again, redo.TRIES, "middles to choose from")
    part = commands.add_parser("keep", help="keep a part of a piece and play the rest anew")
    part.set_defaults(run=run_keep)
    part.add_argument("seed", help="a preset's name or a MIDI file")
    what = part.add_mutually_exclusive_group()
    what.add_argument(
        "--keep",
        choices=[*VOICES],
        default="top",
        help="the top or bottom voice, or what a hand is likely to play (%(default)s)",
    )
    what.add_argument("--track", type=int, help="the notes of a track of the file, from 1")
    part.add_argument("--start", type=float, default=0.0, help="from where, s (%(default)s)")
    part.add_argument("--end", type=float, help="to where, s (default: to the end)")
    _add_settings(part, keep.TRIES, "pieces played side by side to choose from")


def _add_settings(command: argparse.ArgumentParser, tries: int, meaning: str) -> None:
    default = GenerationSettings()
    add = command.add_argument
    add("--model", default=DEFAULT_MODEL, help="a name, a Hub repository or a folder (%(default)s)")
    add("--tries", type=int, default=tries, help=f"{meaning} (%(default)s)")
    add("--temperature", type=float, default=default.temperature, help="0.1 to 4 (%(default)s)")
    add("--density", type=float, default=default.density, help="0.5 to 2 (%(default)s)")
    add("--composer", help="chopin, for example, or any (default: a preset's own, else any)")
    add("--rng", type=int, default=default.rng, help="number of the random draw (%(default)s)")
    add("--out", type=Path, default=Path("out"), help="folder for the files (%(default)s)")
    add("--no-audio", action="store_true", help="write no sound")
    add("--json", action="store_true", help="print the result as JSON")


def _run(args: argparse.Namespace, play: _Play) -> None:
    settings = GenerationSettings(
        temperature=args.temperature, density=args.density, composer=args.composer, rng=args.rng
    )
    make_folder(args.out)
    model, info = open_model(args.model)
    seed = read_seed(args.seed, model.config.sustain)
    piece = play(model, seed, settings)
    files = write_piece(piece, args.out, model=info, wanted=Wanted(wav=not args.no_audio))
    for remark in (*seed.remarks, *piece.remarks, *files.remarks):
        print(remark, file=sys.stderr)
    if args.json:
        print(json.dumps(files.facts, ensure_ascii=False))
        return
    print(f"{len(piece.new_notes)} new notes, {len(piece.seed_notes)} stay, by {info.name}")
    for path in files.paths:
        print(path)


def _track(piece: SeedPiece, track: int) -> list[Note]:
    """Returns the notes of a track of a piece's file.

    Raises:
        ValueError: if there is no such track.
    """
    performance = piece.performance
    n = len(performance.parts) if performance else 0
    if not n:
        raise ValueError(f"{piece.title} has no tracks; name a voice by --keep")
    if performance is None or not 1 <= track <= n:
        raise ValueError(f"track must be 1 to {n}, got {track}; leave it out to keep a voice")
    pairs = zip(piece.notes, performance.part_of, strict=True)
    return [note for note, part in pairs if part == track - 1]
