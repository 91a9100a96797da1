"""The Space: the app and exactly what it imports and reads, with the card that configures it.

Which modules go follows from the imports of `app.py`, which data files from `pyproject.toml`: the
package's own under `package-data`, those beside it under `tool.pyzzicato`. Tests, training and its
data are in neither.
"""

import ast
import re
import shutil
import tomllib
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path
from typing import Any

from huggingface_hub import SpaceCard

from ..hub.checkpoints import CONFIG, RECORD, WEIGHTS
from ..hub.loading import list_models
from ..hub.registry import read_registry
from .cards import front_matter_card, render_card

ROOT = Path(__file__).parents[2]
APP = "app.py"
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
    out.mkdir(parents=True, exist_ok=True)
    if any(out.iterdir()):
        raise ValueError(f"{out} must be an empty folder; choose another")
    paths = sorted({*_modules(root), *_data_files(root)})
    for path in paths:
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
    metadata: dict[str, Any] = {
        "title": "Pyzzicato",
        "emoji": "🎹",
        "colorFrom": "gray",
        "colorTo": "red",
        "sdk": "gradio",
        "sdk_version": _pinned_gradio(root),
        "python_version": _PYTHON,
        "app_file": APP,
        "license": "apache-2.0",
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
            "pins": {name: {"repo": pin.repo, "commit": pin.commit} for name, pin in pins.items()},
        },
    )
    return front_matter_card(metadata, text, SpaceCard)


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


def _modules(root: Path) -> list[Path]:
    """Returns the app and each module of the project that it imports, however far down."""
    found: set[Path] = set()
    waiting = [root / APP]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        for name in _imported_names(path, root):
            waiting += _files_of(name, root)
    return sorted(found)


def _imported_names(path: Path, root: Path) -> Iterator[str]:
    """Yields the full names of what a module imports, wherever in it."""
    parts = path.relative_to(root).with_suffix("").parts
    package = ".".join(parts[:-1])
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            base = resolve_name("." * node.level + module, package) if node.level else module
            yield base
            # What is imported from a package may be one of its modules.
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _files_of(name: str, root: Path) -> list[Path]:
    """Returns the project's files that importing a name runs; none if it is somebody else's."""
    parts = name.split(".")
    if not (root / parts[0]).is_dir() and not (root / f"{parts[0]}.py").is_file():
        return []
    files = []
    for i in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:i])
        files += [p for p in (place / "__init__.py", place.with_suffix(".py")) if p.is_file()]
    return files
