"""What an Inference Endpoint needs beside a model: a handler, the package and its requirements.

An endpoint installs the requirements, then imports `handler.py` with the repository's folder on the
path. The modules that the handler's names of the package lead to are copied there as they are, so
that an endpoint needs no more than the repository and the usual index of packages.
"""

import ast
from pathlib import Path

from .imports import files_of, imported_files, needed_requirements

HANDLER = "handler.py"
_HERE = Path(__file__).parent
_ROOT = Path(__file__).parents[2]
_PUBLIC = _ROOT / "pyzzicato" / "__init__.py"
# A published model has its graph: the networks that graphs are made from stay behind.
_NETWORKS = {_ROOT / "pyzzicato" / name for name in ("hub/networks.py", "models/export.py")}


def endpoint_files() -> dict[str, bytes]:
    """Returns paths in the repository and what lies there.

    Raises:
        ValueError: if the handler uses a name that the package does not offer, or the project's
            requirements are not at hand.
    """
    if not (_ROOT / "requirements.txt").is_file():
        raise ValueError(f"{_ROOT} must hold requirements.txt; publish from a copy of the project")
    entries = [path for name in _used_names() for path in files_of(_home_of(name), _ROOT)]
    # What the package offers is looked up by name when asked for: its own list is not followed.
    found = imported_files(entries, _ROOT, leaves={_PUBLIC, *_NETWORKS})
    modules = [path for path in found if path not in _NETWORKS]
    files = {path.relative_to(_ROOT).as_posix(): path.read_bytes() for path in modules}
    requirements = "\n".join(needed_requirements(modules, _ROOT)) + "\n"
    return files | {
        HANDLER: (_HERE / HANDLER).read_bytes(),
        "requirements.txt": requirements.encode(),
    }


def _used_names() -> set[str]:
    """Returns the names of the package that the handler uses."""
    tree = ast.parse((_HERE / HANDLER).read_text(encoding="utf-8"))
    return {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "pyzzicato"
    }


def _home_of(name: str) -> str:
    """Returns the module that the package imports one of its public names from."""
    for node in ast.walk(ast.parse(_PUBLIC.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            return f"pyzzicato.{node.module}"
    raise ValueError(f"pyzzicato must offer {name}, which {HANDLER} uses")
