"""The package is built as docs/architecture.md says: imports go one way."""

import ast
import re
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


def imports(path: Path) -> set[str]:
    """Returns the top-level modules and packages of ours that a file imports, wherever in it."""
    found = set()
    package = ["pyzzicato", *path.relative_to(PACKAGE).parent.parts]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
            continue
        base = package[: len(package) - node.level + 1] if node.level else []
        target = [*base, *(node.module.split(".") if node.module else [])]
        if target[0] == "pyzzicato":
            found |= {target[1]} if len(target) > 1 else {alias.name for alias in node.names}
    return found - {"__version__"}


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
        f"{path.relative_to(ROOT)} imports {name}"
        for path in modules()
        for name in sorted(imports(path))
        if name != place_of(path) and height[name] >= height[place_of(path)]
    ]
    assert upward == []
