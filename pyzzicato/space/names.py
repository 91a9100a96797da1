"""What models are called on the page."""

from collections import Counter

from ..hub import ModelInfo
from .takes import known_models

_BACKBONES = {"lstm": "LSTM", "wavenet": "WaveNet", "conv1d": "Convolutions"}
# What tells models apart that share a backbone.
_WAYS = {
    ("roll", "independent"): "key by key",
    ("roll", "joint"): "chord by chord",
    ("events", "notes"): "note by note",
}


def model_titles() -> dict[str, str]:
    """Returns a title for each model: its network, and what sets it apart where several share that.

    One's own models are called what they are kept as.

    Returns:
        `{name: title}`, in the order of `hub.list_models`; all titles differ.
    """
    own = {info.name: info.name for info in known_models() if info.source == "folder"}
    models = [info for info in known_models() if info.name not in own]
    networks = Counter(info.backbone for info in models)
    titles = {info.name: _title(info, networks[info.backbone] > 1) for info in models}
    alike = Counter(titles.values())
    for info in models:
        if alike[titles[info.name]] > 1 and is_free(info):
            titles[info.name] += ", openly licensed music"
    alike = Counter(titles.values())
    differing = {
        name: title if alike[title] == 1 else f"{title} ({name})" for name, title in titles.items()
    }
    return differing | own


def is_free(info: ModelInfo) -> bool:
    """Returns whether all a model has learnt from may be used commercially under its terms."""
    licence = info.as_dict()["licence"]
    return bool(licence) and "NC" not in licence


def _title(info: ModelInfo, shared: bool) -> str:
    network = _BACKBONES.get(info.backbone, info.backbone.capitalize())
    way = _WAYS.get((info.representation, info.head))
    return f"{network}, {way}" if shared and way else network
