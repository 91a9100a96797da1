"""The package's own code as a published model brings it along: one flat set of modules.

transformers copies the files that a repository's model imports relatively, and only from the same
folder. So the modules that pipeline and network need are laid side by side, `models/config.py` as
`config.py` and the like, with their imports turned accordingly; `models/__init__.py` becomes
`models.py`. Nothing else in them changes: the code that was trained and tested is what is shipped.
"""

import ast
import re
from functools import partial
from pathlib import Path

from .imports import import_statements, needed_requirements

PACKAGE = Path(__file__).parents[1]
ENTRIES = ("pipeline.py", "models/model.py")
"""The pipeline, which plays by the graph, and the network, for `AutoModel`."""
NETWORK_NEEDS = ("torch", "transformers")
"""What `AutoModel` and `pipeline` need beside `shipped_requirements`."""
_FOR_SCORES = "partitura"
"""Imported only where a score is asked for, which a published model is not."""
AUTO_MAP = {"AutoConfig": "config.PyzzicatoConfig", "AutoModel": "model.PyzzicatoModel"}
CUSTOM_PIPELINES = {
    "piano-continuation": {
        "impl": "pipeline.PianoContinuationPipeline",
        "pt": ["AutoModel"],
        "type": "audio",
    }
}
_IMPORT = re.compile(r"^(\s*from\s+)(\.+)([\w.]*)(\s+import\b)", flags=re.M)


def shipped_code() -> dict[str, str]:
    """Returns name and text of each module that a published model brings along.

    Raises:
        ValueError: if two modules would get the same name, or one imports what cannot be laid
            beside it.
    """
    return {
        name: _IMPORT.sub(partial(_turned, path), path.read_text(encoding="utf-8"))
        for name, path in _shipped_modules().items()
    }


def shipped_requirements() -> list[str]:
    """Returns the lines of the project's `requirements.txt` that these modules need."""
    lines = needed_requirements(_shipped_modules().values(), PACKAGE.parent)
    return [line for line in lines if not line.startswith(_FOR_SCORES)]


def _shipped_modules() -> dict[str, Path]:
    """Returns flat name and place of the modules, by name."""
    found: dict[str, Path] = {}
    waiting = [PACKAGE / name for name in ENTRIES]
    while waiting:
        path = waiting.pop()
        name = _flat_name(path)
        if name in found:
            if found[name] != path:
                raise ValueError(f"{path} and {found[name]} must have different names")
            continue
        found[name] = path
        waiting += _imported(path, path.read_text(encoding="utf-8"))
    return dict(sorted(found.items()))


def _turned(path: Path, found: re.Match[str]) -> str:
    """Returns an import as it must read when all modules lie in one folder."""
    target = _target(path, len(found[2]), found[3])
    return f"{found[1]}.{_flat_name(target).removesuffix('.py')}{found[4]}"


def _imported(path: Path, text: str) -> list[Path]:
    """Returns the modules of the package that a module imports."""
    found = []
    for node in import_statements(text):
        if isinstance(node, ast.ImportFrom) and node.level:
            if not node.module:
                raise ValueError(f"{path} must import from modules by name, got `from . import`")
            found.append(_target(path, node.level, node.module))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("pyzzicato"):
            raise ValueError(f"{path} must import relatively, got {node.module}")
    return found


def _target(path: Path, level: int, module: str) -> Path:
    """Returns the file that a relative import in `path` names."""
    place = path.parents[level - 1].joinpath(*module.split("."))
    target = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    if not target.is_relative_to(PACKAGE) or not target.is_file():
        raise ValueError(f"{path} must import modules of this package, got {module!r}")
    return target


def _flat_name(path: Path) -> str:
    """Returns the name a module has beside all others."""
    return f"{path.parent.name}.py" if path.name == "__init__.py" else path.name
