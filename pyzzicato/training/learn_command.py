"""The command `pyzzicato learn`: its options, read without loading the networks."""

import argparse
from dataclasses import fields
from pathlib import Path

from ..hub import LEARNER

_ABOUT = """\
Makes a model of your own from a folder of MIDI files: a bundled model goes on learning from them,
some pieces are kept apart to judge by, and the best look is kept. Twenty pieces take about ten
minutes on two idle cores. Stopped with Ctrl-C, it goes on when the command is given again."""


def run_learn(args: argparse.Namespace) -> None:
    """Makes a model of a folder of music.

    Raises:
        ValueError: see `learning.learn`; also where training is not installed.
    """
    try:
        # Imported here: no other command needs torch.
        from .learning import LearnConfig, learn
    except ModuleNotFoundError as error:
        raise ValueError(
            f"learning needs {error.name}, which is not installed; run pip install "
            "'pyzzicato[train]'"
        ) from error
    try:
        learn(LearnConfig(**{f.name: getattr(args, f.name) for f in fields(LearnConfig)}))
    except KeyboardInterrupt:
        raise ValueError(
            f"stopped; the same command goes on, and {args.out} keeps what was learnt"
        ) from None
    except OSError as error:
        raise ValueError(
            f"a file of the run cannot be read or written ({error.strerror or type(error).__name__}"
            "); mend that, and go on: what was learnt is kept"
        ) from error


def add_learn(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds the command `learn` to the others."""
    command = commands.add_parser(
        "learn", help="make a model of your own from a folder of MIDI files", description=_ABOUT
    )
    command.set_defaults(run=run_learn)
    add = command.add_argument
    add("folder", type=Path, help="folder of MIDI files; folders in it are searched too")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--name", help="of the model and its style, my-band for example (default: the folder's)")
    add("--start-from", default=LEARNER, metavar="MODEL", help="what learns (%(default)s)")
    add("--table", type=Path, help="csv of the files: path, composer, title, split, licence")
    add("--licence", default="", help="of the music; needed to publish the model, not to train")
    add(
        "--no-keep",
        dest="keep",
        action="store_false",
        help="leave it in --out alone: play it by its folder, it is not on the page",
    )
