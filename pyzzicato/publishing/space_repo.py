"""The Space: the app and exactly what it imports and reads, with the card that configures it.

Which modules go follows from the imports of `app.py`, which data files from `pyproject.toml`: the
package's own under `package-data`, those beside it under `tool.pyzzicato`. Tests, training and its
data are in neither.
"""

import re
import shutil
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import SpaceCard

from ..hub.checkpoints import CONFIG, RECORD, WEIGHTS
from ..hub.data_licences import DataLicence, all_licences
from ..hub.loading import list_models
from ..hub.registry import read_registry
from .cards import front_matter_card, render_card
from .imports import imported_files
from .licences import CODE_LICENCE, licence_facts, licence_metadata
from .repo_folder import empty_folder

ROOT = Path(__file__).parents[2]
APP = "app.py"
_UNUSED = Path("pyzzicato", "publishing")
"""Imported only where a model is saved or published, which a Space does not do."""
_PYTHON = "3.11"
_MAX_SHORT_DESCRIPTION = 60
_SHORT_DESCRIPTION = "Small networks carry on your piano music"


def build_space_repo(repo: str, out: Path, root: Path = ROOT) -> list[str]:
    """Lays the Space out in an empty folder; returns the paths in it.

    Args:
        repo: NAMESPACE/NAME of the Space.
        out: the folder, made if absent.
        root: a copy of the project.

    Raises:
        ValueError: if `root` is no copy of the project, or `out` is not empty.
    """
    if not (root / APP).is_file() or not (root / "pyproject.toml").is_file():
        raise ValueError(f"{root} must hold {APP}; publish the Space from a copy of the project")
    empty_folder(out)
    paths = {*imported_files([root / APP], root), *_data_files(root)}
    for path in sorted(p for p in paths if root / _UNUSED not in p.parents):
        target = out / path.relative_to(root)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (out / "README.md").write_text(space_card(repo, root), encoding="utf-8")
    return sorted(path.relative_to(out).as_posix() for path in out.rglob("*") if path.is_file())


def space_card(repo: str, root: Path = ROOT) -> str:
    """Returns the Space's README: its configuration and what a visitor of the repository reads.

    Raises:
        ValueError: if `requirements.txt` pins no Gradio.
    """
    pins = read_registry()
    models = list_models()
    licences = all_licences(its.record for its in models)
    metadata: dict[str, Any] = {
        "title": "Pyzzicato",
        "emoji": "🎹",
        "colorFrom": "gray",
        "colorTo": "red",
        "sdk": "gradio",
        "sdk_version": _pinned_gradio(root),
        "python_version": _PYTHON,
        "app_file": APP,
        **_licence_metadata(repo, licences),
        "short_description": _SHORT_DESCRIPTION[:_MAX_SHORT_DESCRIPTION],
        "suggested_hardware": "cpu-basic",
        "tags": ["pyzzicato", "music", "piano", "midi", "music-generation"],
    }
    if pins:
        files = ",".join((CONFIG, RECORD, WEIGHTS))
        ordered = [pins[name] for name in sorted(pins)]
        metadata["models"] = [pin.repo for pin in ordered]
        metadata["preload_from_hub"] = [f"{pin.repo} {files} {pin.commit}" for pin in ordered]
    text = render_card(
        "space.md.jinja",
        {
            "repo": repo,
            "models": [info.as_dict() for info in models],
            "licences": licence_facts(licences),
            "pins": {name: {"repo": pin.repo, "commit": pin.commit} for name, pin in pins.items()},
        },
    )
    return front_matter_card(metadata, text, SpaceCard)


def _licence_metadata(repo: str, licences: Sequence[DataLicence]) -> dict[str, str]:
    """Returns the metadata of code and weights together, which are under unlike licences."""
    link = f"https://huggingface.co/spaces/{repo}/blob/main/README.md#licence"
    names = [CODE_LICENCE, *(its.licence for its in licences)]
    metadata = licence_metadata(names, link)
    if "license_name" in metadata:
        metadata["license_name"] = "code-apache-2.0-weights-by-their-data"
    return metadata


def _pinned_gradio(root: Path) -> str:
    required = (root / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(r"^gradio(?:\[[\w,-]+\])?==([\w.]+)", required, flags=re.M)
    if found is None:
        raise ValueError(f"requirements.txt in {root} must pin one release of gradio (gradio==...)")
    return found[1]


def _data_files(root: Path) -> Iterator[Path]:
    """Yields the files beside the modules that the app reads."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    for pattern in project["tool"]["pyzzicato"]["space-files"]:
        yield from _matching(root, pattern)
    for package, patterns in project["tool"]["setuptools"]["package-data"].items():
        for pattern in patterns:
            yield from _matching(root / Path(*package.split(".")), pattern)


def _matching(folder: Path, pattern: str) -> Iterator[Path]:
    for path in folder.glob(pattern + "/*" if pattern.endswith("**") else pattern):
        if path.is_file() and "__pycache__" not in path.parts and not path.name.startswith("."):
            yield path
