"""What a module needs to run, read from its imports: the project's files, others' packages."""

import ast
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from importlib.metadata import packages_distributions
from importlib.util import resolve_name
from pathlib import Path


def imported_files(
    entries: Iterable[Path], root: Path, leaves: Collection[Path] = ()
) -> list[Path]:
    """Returns modules and each module of the project that they import, however far down, sorted.

    Args:
        entries: the modules to begin with.
        root: the folder that the project's imports are found in.
        leaves: modules whose own imports are not followed.
    """
    found: set[Path] = set()
    waiting = list(entries)
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.add(path)
        if path not in leaves:
            for name in imported_names(path, root):
                waiting += files_of(name, root)
    return sorted(found)


def imported_names(path: Path, root: Path) -> Iterator[str]:
    """Yields the full names of what a module imports, wherever in it."""
    parts = path.relative_to(root).with_suffix("").parts
    package = ".".join(parts[:-1])
    for node in import_statements(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            module = node.module or ""
            base = resolve_name("." * node.level + module, package) if node.level else module
            yield base
            # What is imported from a package may be one of its modules.
            yield from (f"{base}.{alias.name}" for alias in node.names)


@cache
def import_statements(text: str) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Returns what a module imports, wherever in it.

    Kept by the module's text: who publishes several models asks for the same modules each time.
    """
    nodes = ast.walk(ast.parse(text))
    return tuple(node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom))


def files_of(name: str, root: Path) -> list[Path]:
    """Returns the project's files that importing a name runs; none if it is somebody else's."""
    parts = name.split(".")
    if not (root / parts[0]).is_dir() and not (root / f"{parts[0]}.py").is_file():
        return []
    files = []
    for i in range(1, len(parts) + 1):
        place = root.joinpath(*parts[:i])
        files += [p for p in (place / "__init__.py", place.with_suffix(".py")) if p.is_file()]
    return files


def needed_requirements(paths: Iterable[Path], root: Path) -> list[str]:
    """Returns the lines of `requirements.txt` that name what modules import, in its order.

    What comes along with another requirement is not in it.

    Args:
        paths: the modules.
        root: a copy of the project.
    """
    outside = {
        name.partition(".")[0]
        for path in paths
        for name in imported_names(path, root)
        if not files_of(name, root)
    } - sys.stdlib_module_names
    known = _distributions()
    wanted = {_normal(its) for name in outside for its in known.get(name, [name])}
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = (line for line in lines if line.strip() and not line.startswith("#"))
    return [line for line in pinned if _normal(line.partition("==")[0].partition("[")[0]) in wanted]


@cache
def _distributions() -> Mapping[str, list[str]]:
    """Returns which installed distributions have a package; reading all their lists takes long."""
    return packages_distributions()


def _normal(distribution: str) -> str:
    return distribution.lower().replace("_", "-").strip()
