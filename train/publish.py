"""Publish a model, the Space or the training set on the Hugging Face Hub.

    python train/publish.py runs/lstm/best --repo NAMESPACE/pyzzicato-lstm --dry-run
    python train/publish.py runs/lstm/best --repo NAMESPACE/pyzzicato-lstm --tag v1
    python train/publish.py pyzzicato/pretrained/lstm --repo NAMESPACE/pyzzicato-lstm \
        --report reports/v0.3/report.json --pin lstm
    python train/publish.py --space NAMESPACE/pyzzicato --yes
    python train/publish.py --dataset NAMESPACE/maestro-notes --data data/notes
    python train/publish.py --bundled --report reports/v0.3/report.json    # cards in this copy

Log in first with `hf auth login`, or set HF_TOKEN. `--dry-run` lays everything out in a folder and
shows what would go; it needs no account. Publishing again without changes makes no commit.

A repository that holds something else is refused. What would be added, changed and removed is shown
before it is, and asked for; `--yes` answers. What somebody else put there or changed is kept.
"""

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from transformers.utils import logging

from pyzzicato.hub.downloads import HubUnreachableError
from pyzzicato.hub.registry import Pin, is_repo_id, write_pin
from pyzzicato.hub.sums import checkpoint_sums
from pyzzicato.publishing.access import check_token
from pyzzicato.publishing.bundled import write_bundled
from pyzzicato.publishing.commits import Published, check_tag, publish_folder
from pyzzicato.publishing.model_repo import build_model_repo
from pyzzicato.publishing.plans import Kind, Plan, check_target, plan_publication
from pyzzicato.publishing.space_repo import build_space_repo


@dataclass(frozen=True)
class PublishConfig:
    """What goes where. Of `repo`, `space` and `dataset` one is set."""

    checkpoint: Path | None = None
    repo: str | None = None
    space: str | None = None
    dataset: str | None = None
    data: Path | None = None
    report: Path | None = None
    tag: str | None = None
    pin: str | None = None
    private: bool = False
    example: bool = True
    sound: bool = True
    dry_run: bool = False
    out: Path | None = None
    yes: bool = False
    replace: tuple[str, ...] = ()
    base_model: str | None = None
    licence: str | None = None
    bundled: bool = False


def main(config: PublishConfig) -> Published | None:
    """Lays a repository out in a folder and, unless this is a dry run, publishes it.

    Returns:
        Where it went; None after a dry run, if the answer was no, or if nothing was to go.

    Raises:
        ValueError: if the configuration, the token, the repository or what is to be published is
            not fit for it. All but the last is found out before anything takes long.
    """
    logging.disable_progress_bar()
    if config.bundled:
        for path in write_bundled(config.report):
            print(path)
        return None
    kind, repo = target_of(config)
    if not config.dry_run:
        check_ready(repo, kind, config.yes)
    folder = config.out or Path(tempfile.mkdtemp(prefix="pyzzicato-publish-"))
    try:
        message = _lay_out(config, kind, repo, folder)
        if config.dry_run:
            _show_folder(folder, repo, kind, config.replace)
            return None
        plan = plan_publication(folder, repo, kind, config.replace)
        check_tag(repo, kind, config.tag, plan)
        _show_plan(plan, repo)
        if not (plan.is_empty or config.yes or _agreed(repo)):
            print("nothing was published")
            return None
        sums = checkpoint_sums(folder)
        published = publish_folder(
            folder,
            repo,
            plan,
            kind=kind,
            message=message,
            private=config.private,
            tag=config.tag,
            space_sdk="gradio" if kind == "space" else None,
        )
    finally:
        if config.out is None and not config.dry_run:
            shutil.rmtree(folder, ignore_errors=True)
    done = "published" if published.is_new else "nothing has changed, no commit was made"
    print(f"{done}: {published.url} at commit {published.commit}")
    if kind == "model":
        _report_pin(config.pin, Pin(repo, published.commit, sums))
    return published


def check_ready(repo: str, kind: Kind = "model", yes: bool = False) -> None:
    """Returns if there is nothing in the way of publishing; some seconds at most.

    Raises:
        ValueError: if nobody can be asked and `yes` is not set, the token may not write to the
            repository, or the repository holds something else.
    """
    if not yes and not sys.stdin.isatty():
        raise ValueError(
            "publishing asks before it writes, and there is no terminal to ask at; look at "
            "--dry-run, then add --yes"
        )
    check_token(repo)
    check_target(repo, kind)


def _report_pin(name: str | None, pin: Pin) -> None:
    entry = json.dumps({name or "NAME": pin.as_dict()})[1:-1]
    if name is None:
        print(f"registry entry: {entry} (--pin NAME writes it)")
    else:
        print(f"{write_pin(name, pin)}: {entry}")


def _agreed(repo: str) -> bool:
    try:
        return input(f"Publish this to {repo}? [y/N] ").strip().lower() in ("y", "yes")
    except EOFError:
        return False


def target_of(config: PublishConfig) -> tuple[Kind, str]:
    """Returns what is published where.

    Raises:
        ValueError: unless exactly one repository is named, as NAMESPACE/NAME.
    """
    targets: list[tuple[Kind, str]] = []
    if config.repo is not None:
        targets.append(("model", config.repo))
    if config.space is not None:
        targets.append(("space", config.space))
    if config.dataset is not None:
        targets.append(("dataset", config.dataset))
    if len(targets) != 1:
        raise ValueError("one of --repo, --space and --dataset must be given")
    if not is_repo_id(targets[0][1]):
        raise ValueError(f"a repository must be NAMESPACE/NAME, got {targets[0][1]!r}")
    return targets[0]


def _lay_out(config: PublishConfig, kind: Kind, repo: str, folder: Path) -> str:
    """Fills the folder; returns the commit's message."""
    if kind == "space":
        return f"The page, {len(build_space_repo(repo, folder))} files"
    if kind == "dataset":
        if config.data is None:
            raise ValueError("--data must be given with --dataset: a folder of prepare_data.py")
        # Imported here: nothing else needs the libraries of data sets.
        from pyzzicato.publishing.dataset_repo import build_dataset_repo

        n_pieces = build_dataset_repo(config.data, repo, folder, config.licence)
        return f"{n_pieces} pieces"
    if config.checkpoint is None:
        raise ValueError("a model's folder must be given with --repo")
    info = build_model_repo(
        config.checkpoint,
        repo,
        folder,
        report=config.report,
        example=config.example,
        sound=config.sound,
        base_model=config.base_model,
        licence=config.licence,
    )
    return f"{info.name}, weights {info.revision}"


def _show_folder(folder: Path, repo: str, kind: Kind, replace: tuple[str, ...]) -> None:
    """Prints what would go: against what is published where the Hub can be asked."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in paths:
        print(f"{path.stat().st_size:>12,}  {path.relative_to(folder)}")
    total = sum(path.stat().st_size for path in paths)
    print(f"{len(paths)} files, {total / 1e6:.1f} MB, in {folder}")
    try:
        _show_plan(plan_publication(folder, repo, kind, replace), repo)
    except HubUnreachableError as error:
        print(f"not compared with what is published: {error}")


def _show_plan(plan: Plan, repo: str) -> None:
    new = " (a new repository)" if plan.parent is None else ""
    print(f"{repo} stays as it is" if plan.is_empty else f"changes to {repo}{new}:")
    for line in plan.lines():
        print(f"  {line}")


def parse_args() -> PublishConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("checkpoint", type=Path, nargs="?", help="folder of a trained model, runs/NAME/best")
    add("--repo", help="NAMESPACE/NAME of the model's repository")
    add("--space", help="NAMESPACE/NAME of the Space")
    add("--dataset", help="NAMESPACE/NAME of the data set")
    add("--bundled", action="store_true", help="write the bundled models' cards anew, here")
    add("--data", type=Path, help="prepared data to publish, from prepare_data.py")
    add("--report", type=Path, help="report.json of an evaluation of these weights, for the card")
    add("--tag", help="name of this version, v1")
    add("--pin", metavar="NAME", help="make load_model(NAME) take this commit from now on")
    add("--private", action="store_true", help="make a new repository private")
    add("--no-example", dest="example", action="store_false", help="no continuation on the card")
    add("--no-sound", dest="sound", action="store_false", help="no sound of it")
    add("--base-model", metavar="REPO", help="what it was trained on from (default: as recorded)")
    add("--licence", help="of the music, where the training record or the data does not say")
    add("--yes", action="store_true", help="publish without asking")
    add("--replace", nargs="+", default=[], metavar="FILE", help="write over others' changes to it")
    add("--dry-run", action="store_true", help="lay everything out, show it, publish nothing")
    add("--out", type=Path, help="empty folder to lay it out in (default: a temporary one)")
    args = vars(parser.parse_args())
    return PublishConfig(**{**args, "replace": tuple(args["replace"])})


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
