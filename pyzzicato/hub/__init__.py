"""Models by name: bundled with the package, published on the Hub, or in a folder of your own.

registry (where each bundled model is published) -> downloads (the Hub and its cache) ->
checkpoints (what a folder holds) -> loading (a model from a name), and listing (what there is).
"""

from .checkpoints import ModelInfo
from .downloads import HubUnreachableError, NotOnHubError
from .listing import Listing, find_models
from .loading import DEFAULT_MODEL, list_models, load_model, model_info, open_model

__all__ = [
    "DEFAULT_MODEL",
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
