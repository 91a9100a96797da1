"""The models that the page and the API play with: looked up and opened once for all requests."""

import functools

from ..checks import check_one_of
from ..hub import ModelInfo, list_models, open_model
from ..hub.checkpoints import read_config
from ..hub.registry import bundled_name
from ..playing.loaded_model import Model


@functools.cache
def known_models() -> tuple[ModelInfo, ...]:
    """Returns `list_models()`, looked up once: it reads every file for its checksum.

    Raises:
        ValueError: if none can be used.
    """
    models = list_models()
    if not models:
        raise ValueError("no bundled model can be used; install the package again")
    return models


def find_model(name: object) -> ModelInfo:
    """Returns a model by its name, or by an old one.

    Raises:
        ValueError: if it is none of `known_models()`.
    """
    models = {info.name: info for info in known_models()}
    asked = bundled_name(name) if isinstance(name, str) else name
    return models[check_one_of("model", asked, models)]


@functools.cache
def composers_of(name: str) -> tuple[str, ...]:
    """Returns the short names of the composers whose style a model can be asked for."""
    return tuple(read_config(find_model(name).folder).composers or ())


def loaded(name: str) -> Model:
    """Returns a model, loaded once; all requests share it, it keeps nothing of them."""
    return opened(name)[0]


@functools.cache
def opened(name: str) -> tuple[Model, ModelInfo]:
    """Returns a model and the facts of its checkpoint, opened once."""
    return open_model(name)


def forget_models() -> None:
    """Looks models up anew from now on: there is one more, or one is another."""
    for kept in (known_models, composers_of, opened):
        kept.cache_clear()
