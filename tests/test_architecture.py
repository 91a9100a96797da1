"""The package is built as docs/architecture.md says: imports go one way."""

import ast
import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

from conftest import ROOT

PACKAGE = ROOT / "pyzzicato"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DATA = {"pretrained", "seed_scores"}


def layers() -> list[list[str]]:
    """Returns the list of the page: names of modules and packages, a line a layer."""
    listed = re.search(r"<!-- layers -->\n\n((?:    .*\n)+)", PAGE)
    assert listed
    return [line.strip().split(", ") for line in listed[1].splitlines()]


def place_of(path: Path) -> str:
    """Returns which top-level module or package a file belongs to."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def targets(path: Path, at_once: bool = False) -> Iterator[tuple[str, ...]]:
    """Yields the modules and names of ours that a file imports, as parts.

    Args:
        path: of the file.
        at_once: those alone that are imported when it is, and not only when a function needs them.
    """
    package = ["pyzzicato", *path.relative_to(PACKAGE).parent.parts]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body if at_once else ast.walk(tree):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        target = (*base, *(node.module.split(".") if node.module else []))
        if target[0] == "pyzzicato":
            yield from ((*target[1:], alias.name) for alias in node.names)


def file_of(target: tuple[str, ...]) -> Path | None:
    """Returns the file that a module or a name in it is from; None for the package's own names."""
    for parts in (target, target[:-1]):
        for end in (".py", "/__init__.py"):
            path = PACKAGE / ("/".join(parts) + end)
            if parts and path.is_file():
                return path
    return None


def modules() -> list[Path]:
    """Returns the files of the package but its front door, which imports when it is asked."""
    return [
        path
        for path in PACKAGE.rglob("*.py")
        if path != PACKAGE / "__init__.py" and place_of(path) not in DATA
    ]


def test_every_module_has_its_place_in_the_list():
    listed = [name for layer in layers() for name in layer]
    assert len(listed) == len(set(listed))
    assert set(listed) == {place_of(path) for path in modules()}


def test_nothing_is_imported_from_a_line_below():
    height = {name: i for i, layer in enumerate(layers()) for name in layer}
    upward = [
        f"{path.relative_to(ROOT)} imports {'.'.join(target)}"
        for path in modules()
        for target in targets(path)
        if height.get(target[0], 0) > height[place_of(path)]
    ]
    assert upward == []


def test_modules_do_not_import_in_a_circle():
    graph = {path: {file_of(t) for t in targets(path, at_once=True)} - {None} for path in modules()}
    assert len(list(TopologicalSorter(graph).static_order())) >= len(graph)
