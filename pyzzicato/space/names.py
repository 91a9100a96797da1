"""What models and composers are called on the page."""

from ..models.config import COMPOSERS
from .takes import known_models

_BACKBONES = {"lstm": "LSTM", "wavenet": "WaveNet", "conv1d": "Convolutions"}
_FULL_NAMES_END = {"bach": "Bach"}


def model_titles() -> dict[str, str]:
    """Returns a title for each model: the network it is built on, and its name where two share it.

    Returns:
        `{name: title}`, in the order of `hub.list_models`.
    """
    models = known_models()
    shared = [info.backbone for info in models]
    titles = {}
    for info in models:
        title = _BACKBONES.get(info.backbone, info.backbone.capitalize())
        alone = shared.count(info.backbone) == 1
        titles[info.name] = title if alone else f"{title} ({info.name})"
    return titles


def composer_titles() -> list[dict[str, str]]:
    """Returns the composers whose style can be asked for: `name` for programs, `title` for people."""
    return [{"name": name, "title": name.capitalize()} for name in COMPOSERS]
