"""The commands that rework a piece, or print its odds: `pyzzicato redo | keep | odds`."""

import argparse
import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .checks import check_whole
from .hub import DEFAULT_MODEL, open_model
from .notes import N_PITCHES, pitch_name
from .pieces import Wanted, make_folder, write_piece
from .playing import keep, redo
from .playing.loaded_model import Model
from .playing.settings import GenerationSettings
from .reworking import keep_part, next_odds, redo_span
from .sources import SeedPiece, read_seed
from .takes import Take

_BAR, _SURE = 60, 0.9
"""Signs for a chance of 1; so likely the next note has come by the time that is printed."""
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
        tries = args.tries
        return keep_part(model, seed, args.keep, args.start, args.end, settings, tries=tries)

    _run(args, play)


def run_odds(args: argparse.Namespace) -> None:
    """Prints what a model thinks is struck next at a moment of a piece."""
    check_whole("top", args.top, 1, N_PITCHES, "it is how many keys to print")
    settings = GenerationSettings(temperature=args.temperature, composer=args.composer)
    model, info = open_model(args.model)
    seed = read_seed(args.seed, model.config.sustain)
    odds = next_odds(model, seed, args.at, settings)
    keys = odds.likeliest(args.top)
    if args.json:
        result = {
            "model": info.name,
            "at": odds.at,
            "last": round(odds.last, 3),
            "keys": [{"pitch": pitch, "chance": chance} for pitch, chance in keys],
            "onsets": [{"seconds": wait, "chance": chance} for wait, chance in odds.onsets],
            "came": asdict(odds.came) if odds.came else None,
        }
        print(json.dumps(result, ensure_ascii=False))
        return
    print(
        f"{seed.title}, {odds.at:g} s; the last note was struck {odds.at - odds.last:.2f} s before"
    )
    for pitch, chance in keys:
        print(f"{chance:7.1%}  {pitch_name(pitch):<4} {'#' * round(_BAR * chance)}")
    waits, chances = zip(*odds.onsets, strict=True)
    latest = waits[min(int(np.searchsorted(np.cumsum(chances), _SURE)), len(waits) - 1)]
    print(f"It comes within {latest:.2f} s with {_SURE:.0%}, as {info.name} thinks.")
    if came := odds.came:
        wait, chance = came.start - odds.at, came.chance
        print(
            f"In the piece {pitch_name(came.pitch)} came ({chance:.1%}), {wait:.2f} s from there."
        )


def add_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the commands `redo`, `keep` and `odds` to the others."""
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
    part.add_argument(
        "--keep",
        default="top",
        metavar="PART",
        help="top or bottom: a voice; right or left: what a hand is likely to play; track:2 or "
        "track:NAME: a track of the file (%(default)s)",
    )
    part.add_argument("--start", type=float, default=0.0, help="from where, s (%(default)s)")
    part.add_argument("--end", type=float, help="to where, s (default: to the end)")
    _add_settings(part, keep.TRIES, "pieces played side by side to choose from")
    odds = commands.add_parser("odds", help="print what a model thinks comes next at a moment")
    odds.set_defaults(run=run_odds)
    odds.add_argument("seed", help="a preset's name or a MIDI file")
    odds.add_argument("--at", type=float, required=True, help="the moment, seconds")
    odds.add_argument("--top", type=int, default=10, help="how many keys (%(default)s)")
    _add_player(odds)
    odds.add_argument("--json", action="store_true", help="print the result as JSON")


def _add_player(command: argparse.ArgumentParser) -> None:
    default = GenerationSettings()
    add = command.add_argument
    add("--model", default=DEFAULT_MODEL, help="a name, a Hub repository or a folder (%(default)s)")
    add("--temperature", type=float, default=default.temperature, help="0.1 to 4 (%(default)s)")
    add(
        "--composer",
        help="chopin, for example, or any (default: a preset's or file's own, else any)",
    )


def _add_settings(command: argparse.ArgumentParser, tries: int, meaning: str) -> None:
    default = GenerationSettings()
    add = command.add_argument
    _add_player(command)
    add("--tries", type=int, default=tries, help=f"{meaning} (%(default)s)")
    add("--density", type=float, default=default.density, help="0.5 to 2 (%(default)s)")
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
