"""What models are called on the page: by what a musician hears, and not by how they are built."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from ..hub import ModelInfo
from ..representations import representation_named
from .page_models import known_models

_NETWORKS = {
    "lstm": "LSTM",
    "wavenet": "WaveNet",
    "conv1d": "convolutions",
    "attention": "attention",
    "transformer": "transformer",
}
# A model of note events has a timing and a touch of its own; one of rolls keeps to a grid of 1/20 s
# and to the seed's touch.
_MANNERS = {"events": "Expressive", "roll": "Steady"}


def model_titles() -> dict[str, str]:
    """Returns a title for each model: how it plays, and what sets it apart where several play so.

    One's own models are called what they are kept as.

    Returns:
        `{name: title}`, in the order of `hub.list_models`; all titles differ.
    """
    own = {info.name: info.name for info in known_models() if info.source == "folder"}
    models = [info for info in known_models() if info.name not in own]
    titles = {info.name: _MANNERS.get(info.representation, "Other") for info in models}
    for info in models:
        if is_free(info):
            titles[info.name] += ", free for commercial use"
    alike = Counter(titles.values())
    for info in models:
        if alike[titles[info.name]] > 1:
            network = _NETWORKS.get(info.backbone, info.backbone.capitalize())
            titles[info.name] += f", {network}"
    alike = Counter(titles.values())
    differing = {
        name: title if alike[title] == 1 else f"{title}, {name}" for name, title in titles.items()
    }
    return differing | own


def as_shown(models: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns models as the page takes them: what the API says, a title, and what they can do.

    Args:
        models: of `api.describe_models`.
    """
    titles = model_titles()
    return [
        {
            **model,
            "title": titles[model["name"]],
            "steps_are_notes": representation_named(model["representation"]).steps_are_notes,
        }
        for model in models
    ]


def is_free(info: ModelInfo) -> bool:
    """Returns whether all a model has learnt from may be used commercially under its terms."""
    licence = info.as_dict()["licence"]
    return bool(licence) and "NC" not in licence
