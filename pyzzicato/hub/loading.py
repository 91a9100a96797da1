"""From a name to a model: the registry's pinned commit on the Hub, the cache, the bundled copy.

    "lstm"                      the pinned commit, else the bundled copy, with or without a network
    "my-band"                   a model of your own, kept under that name
    "someone/their-model"       any compatible repository on the Hub
    "runs/lstm/best"            a folder with a checkpoint

The log `pyzzicato.hub` says which of them a model came from, `ModelInfo` holds it.
"""

import difflib
import logging
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from ..checks import show_value
from ..models.architecture import Architecture
from ..playing.loaded_model import Model
from .checkpoints import (
    CONFIG,
    WEIGHTS,
    ModelInfo,
    Source,
    read_checkpoint,
    read_config,
    read_decoding,
)
from .graphs import Export, find_graph
from .own_models import own_folder, own_names
from .registry import Pin, bundled_name, is_repo_id, read_registry
from .remote_code import brings_code, export_by_its_code, read_foreign_config
from .sums import check_pinned, check_sums

DEFAULT_MODEL = "attention-events"
LEARNER = "lstm-events"
"""What goes on learning from one's own music: three times as many notes a second as the default."""

BUNDLED = Path(__file__).parents[1] / "pretrained"
# Names are no longer; to compare a longer one takes seconds.
_LONGEST_NAME = 100
log = logging.getLogger("pyzzicato.hub")


def list_models() -> tuple[ModelInfo, ...]:
    """Returns the bundled models, the default one first, then by name, then one's own.

    Asks nobody. Where a model is published, `repo` and `commit` say where. A model whose files are
    damaged is left out, and the log says why: the others play.
    """
    names = sorted(_bundled_names(), key=lambda name: (name != DEFAULT_MODEL, name))
    pins, found = read_registry(), []
    for name in names:
        try:
            found.append(_bundled(name, pins.get(name)))
        except ValueError as error:
            log.error("%s", error)
    return (*found, *_list_own())


def _list_own() -> Iterator[ModelInfo]:
    for name in own_names():
        if name not in _bundled_names():
            try:
                yield read_checkpoint(own_folder() / name, name)
            except ValueError as error:
                log.warning("%s is left out: %s", name, error)


def model_info(name: str, revision: str | None = None) -> ModelInfo:
    """Returns what there is to know of a model; its files are downloaded if need be.

    Args:
        name: of a bundled model (an old one does, too) or one of your own, of a repository on the
            Hub (NAMESPACE/NAME), or a folder with a checkpoint.
        revision: commit, tag or branch of the repository.

    Raises:
        ValueError: if there is no such model (the message lists those there are), it cannot be had,
            or it is not a usable checkpoint.
    """
    name = bundled_name(_as_name(name))
    if name in _bundled_names():
        return _of_registry(name, revision)
    return read_checkpoint(**asdict(_locate(name, revision)))


def open_model(
    name: str = DEFAULT_MODEL, revision: str | None = None, *, trust_remote_code: bool = False
) -> tuple[Model, ModelInfo]:
    """Returns what `load_model` does, and what there is to know of it.

    Args:
        name: as `load_model` takes it.
        revision: as `load_model` takes it.
        trust_remote_code: as `load_model` takes it.

    Raises:
        ValueError: as `load_model` does.
    """
    name = bundled_name(_as_name(name))
    if name in _bundled_names():
        info = _of_registry(name, revision)
        model = _ready(info)
    else:
        place = _locate(name, revision)
        try:
            info = read_checkpoint(**asdict(place))
            model = _ready(info)
        except ValueError as error:
            if not brings_code(place.folder):
                raise
            if not trust_remote_code:
                raise ValueError(
                    f"{name} is not of this package's own kinds: {error}. It brings its own code; "
                    "if you have read and trust that, pass trust_remote_code=True"
                ) from error
            if place.repo is not None:
                place = _fetch(place.repo, place.commit, with_code=True)
            config = read_foreign_config(place.folder)
            info = read_checkpoint(**asdict(place), config=config)
            model = _ready(info, config, export_by_its_code)
    log.info("%s: %s", info.name, info.origin())
    return model, info


def load_model(
    name: str = DEFAULT_MODEL, revision: str | None = None, *, trust_remote_code: bool = False
) -> Model:
    """Returns a model ready to play.

    Args:
        name: of a bundled model ("lstm") or one of your own ("my-band"), of a repository on the Hub
            ("someone/their-model"), or a folder with a checkpoint. A bundled model is loaded from
            the Hub at the commit that the registry pins, if its files have the checksums that are
            pinned too, else from the local cache, else from the bundled copy, which is there
            without a network.
        revision: commit, tag or branch of the repository; by default the registry's, or the newest.
        trust_remote_code: whether code from the repository may run. The architectures of this
            package never need it; weights are loaded from safetensors only, with or without.

    Raises:
        ValueError: if there is no such model (the message lists those there are), it cannot be had,
            or it is not a usable checkpoint.
    """
    return open_model(name, revision, trust_remote_code=trust_remote_code)[0]


def _ready(
    info: ModelInfo, config: Architecture | None = None, export: Export | None = None
) -> Model:
    """Returns the model of a checkpoint, ready to play."""
    config = read_config(info.folder) if config is None else config
    graph = find_graph(info, config, export)
    return Model(config, graph, read_decoding(info.folder), info.name)


def _as_name(name: object) -> str:
    if not isinstance(name, str | os.PathLike):
        raise ValueError(f"model must be a name or a folder, got {show_value(name)}")
    return os.fsdecode(name)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a checkpoint lies and how it came there; the arguments of `read_checkpoint`."""

    folder: Path
    name: str
    source: Source
    repo: str | None = None
    commit: str | None = None


def _locate(name: str, revision: str | None) -> _Place:
    """Returns where a model that is not bundled lies, downloaded if need be."""
    # Of os.path: pathlib's breaks on a name that is too long for a file.
    if name and os.path.isfile(os.path.join(name, CONFIG)):
        if revision is not None:
            raise ValueError(f"revision must be left out for a folder, got {show_value(revision)}")
        return _Place(Path(name), name, "folder")
    if name in own_names():
        if revision is not None:
            raise ValueError(
                f"revision must be left out for your own model, got {show_value(revision)}"
            )
        return _Place(own_folder() / name, name, "folder")
    if os.path.isdir(name) and name not in ("", ".", ".."):
        raise ValueError(
            f"{name} holds no {CONFIG}; name the folder of a checkpoint, such as a run's best/"
        )
    if is_repo_id(name):
        return _fetch(name, revision)
    known = [*_bundled_names(), *own_names()]
    near = difflib.get_close_matches(name[:_LONGEST_NAME], known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    raise ValueError(
        f"model must be one of {', '.join(known)}, a repository on the Hub "
        f"(NAMESPACE/NAME) or a folder with a checkpoint, got {show_value(name)}{hint}"
    )


def _fetch(repo: str, revision: str | None, with_code: bool = False) -> _Place:
    from .downloads import fetch_checkpoint

    fetched = fetch_checkpoint(repo, revision, with_code=with_code)
    return _Place(fetched.folder, repo, fetched.source, repo, fetched.commit)


def _bundled_names() -> list[str]:
    return sorted(path.parent.name for path in BUNDLED.glob(f"*/{WEIGHTS}"))


def _bundled(name: str, pin: Pin | None) -> ModelInfo:
    repo, commit = (None, None) if pin is None else (pin.repo, pin.commit)
    try:
        check_sums(BUNDLED / name)
        return read_checkpoint(BUNDLED / name, name, "bundled", repo, commit)
    except ValueError as error:
        raise ValueError(
            f"the bundled model {name} cannot be used: {error}; install the package again"
        ) from error


def _check_fetched(folder: Path, pin: Pin) -> None:
    try:
        check_pinned(folder, pin.sums)
    except ValueError as error:
        raise ValueError(
            f"{pin.repo} at commit {pin.commit[:12]} is not what was pinned: {error}; remove "
            f"{folder}, and it is downloaded again"
        ) from error


def _of_registry(name: str, revision: str | None) -> ModelInfo:
    """Returns the published model where the Hub or the cache has it, else the bundled one."""
    pin = read_registry().get(name)
    if pin is None:
        if revision is not None:
            raise ValueError(
                f"revision must be left out for {name}, which is bundled and not published, got "
                f"{show_value(revision)}"
            )
        return _bundled(name, pin)
    from .downloads import fetch_checkpoint

    try:
        fetched = fetch_checkpoint(pin.repo, revision or pin.commit, patient=revision is not None)
        if fetched.commit == pin.commit:
            _check_fetched(fetched.folder, pin)
        return read_checkpoint(fetched.folder, name, fetched.source, pin.repo, fetched.commit)
    except ValueError as error:
        if revision is not None:
            raise  # Whoever asks for another than the pinned one does not want the bundled one.
        log.warning("%s: the bundled copy is used: %s", name, error)
        return _bundled(name, pin)
