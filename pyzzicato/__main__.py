"""The command line: `pyzzicato continue`, `redo`, `keep`, `odds`, `evaluate`, `learn` and lists."""

import argparse
import io
import json
import os
import secrets
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from pathlib import Path

from tqdm import tqdm

from . import __version__
from .bench_commands import add_bench
from .checks import check_whole
from .hub import DEFAULT_MODEL, ModelInfo, open_model
from .hub.listing_text import listing_text
from .pieces import PieceFiles, Wanted, make_folder, write_piece
from .playing.decoding import PART_NAMES
from .playing.loaded_model import Model
from .playing.settings import MAX_RNG, GenerationSettings
from .reworking import continue_from
from .seeds import list_seeds
from .sources import SeedPiece, read_seed
from .takes import MAX_TAKES, Take, continue_seed
from .training.learn_command import add_learn

_BIGGEST_DRAWN_RNG = 1_000_000
"""A number that is drawn should be short enough to be typed again."""
_ARTICLE = """\
The article is Petit, Vassor, Bairam and Raymond 2021, "Piano instrumental music generation using
deep neural networks", Towards Data Science:
https://towardsdatascience.com/pyzzicato-piano-instrumental-music-generation-using-deep-neural-networks-ed9e89320bf6/
"""  # noqa: E501


def run_continue(args: argparse.Namespace) -> None:
    """Carries a seed on and writes MIDI, sound, picture and figures of each take."""
    values = {f.name: getattr(args, f.name) for f in fields(GenerationSettings)}
    if args.rng is None:
        values["rng"] = secrets.randbelow(_BIGGEST_DRAWN_RNG)
    settings = GenerationSettings(**values)
    check_whole("takes", args.takes, 1, MAX_TAKES)
    make_folder(args.out)  # Now: what was played must not be lost for want of a place.
    model, info = open_model(args.model)
    seed = read_seed(args.seed, model.config.sustain)
    _print_remarks(seed.remarks)
    wanted = Wanted(args.continuation_only, not args.no_audio, args.mp3, args.musicxml)
    every: list[PieceFiles] = []
    for k in range(args.takes):
        one = replace(settings, rng=(settings.rng + k) % (MAX_RNG + 1))
        piece = _play(model, seed, one, args.from_seconds)
        earlier = [files.facts for files in every]
        files = write_piece(piece, args.out, model=info, wanted=wanted, earlier=earlier)
        _print_remarks((*piece.remarks, *files.remarks))
        every.append(files)
        if not args.json:
            _report(files, info)
    if args.json:
        facts = [files.facts for files in every]
        print(json.dumps(facts[0] if len(facts) == 1 else facts, ensure_ascii=False))


def _play(
    model: Model, seed: SeedPiece, settings: GenerationSettings, from_s: float | None
) -> Take:
    with tqdm(total=settings.seconds, desc="playing", unit="s", file=sys.stderr) as bar:

        def on_progress(seconds: float) -> None:
            bar.update(seconds - bar.n)

        if from_s is not None:
            return continue_from(model, seed, from_s, settings, on_progress=on_progress)
        return continue_seed(model, seed, settings, on_progress=on_progress)


def _report(files: PieceFiles, info: ModelInfo) -> None:
    facts = files.facts
    settings = facts["settings"]
    print(
        f"{facts['notes']} notes in {settings['seconds']:g} s with --rng {settings['rng']}, made "
        f"{facts['real_time_factor']:g} times faster than they play, by {info.name} "
        f"({info.origin()})"
    )
    if "sound" in facts:
        print(f"sound: {facts['sound']['engine']} with {facts['sound']['soundfont']}")
    for path in files.paths:
        print(path)


def _print_remarks(remarks: Iterable[str]) -> None:
    for remark in remarks:
        print(remark, file=sys.stderr)


def run_evaluate(args: argparse.Namespace) -> None:
    """Measures MIDI files beside a folder of reference music and writes a report."""
    # Imported here: no other command needs scikit-learn and the like.
    from .evaluation.command import FilesConfig, evaluate_files
    from .evaluation.training_index import BUNDLED_INDEX

    values = {f.name: getattr(args, f.name) for f in fields(FilesConfig)}
    values["training_index"] = args.training_index or BUNDLED_INDEX
    print(evaluate_files(FilesConfig(**{**values, "files": tuple(args.files)})))


def run_models(args: argparse.Namespace) -> None:
    """Lists the models, bundled and on the Hub."""
    from .hub import find_models

    listing = find_models(args.refresh)
    if listing.remark:
        print(listing.remark, file=sys.stderr)
    if args.json:
        print(json.dumps(listing.models, ensure_ascii=False))
        return
    print(listing_text(listing.models, shutil.get_terminal_size((100, 24)).columns))


def run_seeds(args: argparse.Namespace) -> None:
    """Lists the preset seeds."""
    seeds = [
        {
            "name": seed.name,
            "composer": seed.composer,
            "title": seed.title,
            "key": seed.key,
            "seconds": round(seed.seconds, 1),
            "notes": len(seed.notes),
        }
        for seed in list_seeds()
    ]
    if args.json:
        print(json.dumps(seeds, ensure_ascii=False))
        return
    for facts in seeds:
        print(f"{facts['name']:<32} {facts['composer']}: {facts['title']} ({facts['seconds']} s)")


def add_evaluate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command `evaluate` to the others."""
    judge = commands.add_parser("evaluate", help="measure MIDI files beside real music")
    judge.set_defaults(run=run_evaluate)
    add = judge.add_argument
    add("files", nargs="+", type=Path, help="MIDI files or folders of them")
    add("--reference", type=Path, required=True, help="folder of real music to compare them with")
    add(
        "--training-index",
        type=Path,
        help="index of music to search for shared passages (default: the training music)",
    )
    add("--skip", type=float, default=0.0, help="seconds of seed to leave out (%(default)s)")
    add("--seconds", type=float, help="seconds to measure after that (default: all)")
    add("--out", type=Path, default=Path("report"), help="folder for the report (%(default)s)")


def build_parser() -> argparse.ArgumentParser:
    """Returns the parser; its defaults are those of `GenerationSettings`."""
    about = "Continue piano music with small neural networks, and measure the result."
    parser = argparse.ArgumentParser(prog="pyzzicato", description=about)
    parser.add_argument("--version", action="version", version=f"pyzzicato {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    default = GenerationSettings()

    play = commands.add_parser(
        "continue",
        help="continue a seed",
        epilog=_ARTICLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    play.set_defaults(run=run_continue)
    add = play.add_argument
    add("seed", help="a preset's name (`pyzzicato seeds` lists them) or a MIDI file")
    add("--model", default=DEFAULT_MODEL, help="a name, a Hub repository or a folder (%(default)s)")
    add("--seconds", type=float, default=default.seconds, help="length, 1 to 600 s (%(default)s)")
    add("--seed-start", type=float, default=default.seed_start, help="where the seed begins, s")
    add("--seed-seconds", type=float, default=default.seed_seconds, help="its length (%(default)s)")
    add(
        "--from",
        dest="from_seconds",
        type=float,
        metavar="SECONDS",
        help="carry on from here: all before stays, and the seed is the last 120 s of it",
    )
    add("--ending", action="store_true", help="bring the piece to a close within the seconds")
    how = play.add_mutually_exclusive_group()
    how.add_argument(
        "--temperature",
        type=float,
        default=default.temperature,
        help="0.1 to 4; lower is tamer, higher more daring (%(default)s)",
    )
    how.add_argument(
        "--threshold",
        type=float,
        help="the article's way, for models on rolls: keys whose chance passes it sound, 0.001 to "
        "0.999; often nothing does above 0.3",
    )
    add(
        "--composer",
        help="chopin, for example, or any (default: a preset's or file's own, else any)",
    )
    add(
        "--guidance",
        type=float,
        default=default.guidance,
        help="how much to insist on the composer, 0 to 4; 1 is plain (%(default)s)",
    )
    add(
        "--density",
        type=float,
        default=default.density,
        help="how many notes, as a multiple of the usual, 0.5 to 2 (%(default)s)",
    )
    add(
        "--without",
        nargs="+",
        default=(),
        choices=PART_NAMES,
        metavar="PART",
        help=f"switch parts of decoding off: {', '.join(PART_NAMES)}",
    )
    add(
        "--quantise",
        type=float,
        help="how far new notes are moved to the seed's grid, 0 to 1 (default: 1 where it is on "
        "one)",
    )
    add("--rng", type=int, help="number of the random draw (default: another one each time)")
    add("--takes", type=int, default=1, help="how many; take k is what --rng + k makes (1)")
    add("--out", type=Path, default=Path("out"), help="folder for the files (%(default)s)")
    add("--continuation-only", action="store_true", help="leave the seed out of MIDI and sound")
    add("--no-audio", action="store_true", help="write no WAV file")
    add("--mp3", action="store_true", help="write an MP3 file, too")
    add("--musicxml", action="store_true", help="write a score, too, where the seed is on a grid")
    add("--json", action="store_true", help="print the result as JSON")

    add_bench(commands)
    add_evaluate(commands)
    add_learn(commands)
    for name, run, text in (
        ("models", run_models, "list the models, bundled and on the Hub"),
        ("seeds", run_seeds, "list the preset seeds"),
    ):
        listing = commands.add_parser(name, help=text)
        listing.set_defaults(run=run)
        listing.add_argument("--json", action="store_true")
        if run is run_models:
            listing.add_argument("--refresh", action="store_true", help="ask the Hub again now")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command; returns 0, or 2 with one line on stderr for bad input.

    Whoever reads what is printed may stop at any line, as `head` does: that is no fault.
    """
    args = build_parser().parse_args(argv)
    for stream in (sys.stdout, sys.stderr):
        # A file's name may be of bytes that are no UTF-8.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        args.run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python writes what is left when it ends, and would complain once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except ValueError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
