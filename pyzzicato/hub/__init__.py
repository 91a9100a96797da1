"""Models by name: bundled with the package, published on the Hub, or in a folder of your own.

registry (where each bundled model is published) -> downloads (the Hub and its cache) ->
checkpoints (what a folder holds) -> loading (a model from a name), and listing (what there is).

The Hub's client is imported when the Hub is first asked: whoever plays a bundled model need not
wait for it.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .checkpoints import ModelInfo
from .loading import DEFAULT_MODEL, LEARNER, list_models, load_model, model_info, open_model

if TYPE_CHECKING:
    from .downloads import HubUnreachableError, NotOnHubError
    from .listing import Listing, find_models

_HOME_OF = {
    "HubUnreachableError": "downloads",
    "NotOnHubError": "downloads",
    "Listing": "listing",
    "find_models": "listing",
}

__all__ = [
    "DEFAULT_MODEL",
    "LEARNER",
    "HubUnreachableError",
    "Listing",
    "ModelInfo",
    "NotOnHubError",
    "find_models",
    "list_models",
    "load_model",
    "model_info",
    "open_model",
]


def __getattr__(name: str) -> object:
    """Returns a name from the module it lives in (PEP 562)."""
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOME_OF[name]}", __name__), name)
