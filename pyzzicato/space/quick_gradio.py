"""Imports gradio without what it does for its own developers.

For each of its classes gradio 6 reads the source, parses it and writes a stub file for editors, at
every import: a third of the time that importing takes. Import this module before gradio.
"""

import os
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_MODULE, _WRITER = "gradio.component_meta", "create_or_modify_pyi"


class _WithoutStubs(MetaPathFinder):
    """Finds the module that writes stubs, and takes its writer out."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = PathFinder.find_spec(fullname, path) if fullname == _MODULE else None
        if spec is not None and spec.loader is not None:
            spec.loader = _Quietened(spec.loader)
        return spec


class _Quietened(Loader):
    """Loads the module as its own loader does."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if hasattr(module, _WRITER):
            setattr(module, _WRITER, lambda *_: None)


# The page asks no other host for anything.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
if "gradio" not in sys.modules:
    sys.meta_path.insert(0, _WithoutStubs())
