"""What visitors are told when something goes wrong: one sentence, and nothing of the server."""

import functools
import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

import gradio as gr

from .stopping import StoppedError

P = ParamSpec("P")
R = TypeVar("R")

TITLE = "That did not work"
_TAG = re.compile(r"<(?=[a-zA-Z/!?])")


def plainly(callback: Callable[P, R]) -> Callable[P, R]:
    """Returns a callback of gradio's whose `ValueError`s, and only those, are told to the visitor.

    What else goes wrong stays loud on the server; the visitor learns no more than that it did.

    Args:
        callback: a function, a generator or a coroutine function.
    """
    if inspect.iscoroutinefunction(callback):

        @functools.wraps(callback)
        async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
            with told_plainly():
                return await callback(*args, **kwargs)

        return later  # type: ignore[return-value]
    if inspect.isgeneratorfunction(callback):

        @functools.wraps(callback)
        def in_parts(*args: P.args, **kwargs: P.kwargs) -> Any:
            with told_plainly():
                yield from callback(*args, **kwargs)

        return in_parts

    @functools.wraps(callback)
    def at_once(*args: P.args, **kwargs: P.kwargs) -> R:
        with told_plainly():
            return callback(*args, **kwargs)

    return at_once


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turns a `ValueError` into a message for the visitor.

    Raises:
        gradio.Error: with the message of the `ValueError`.
    """
    try:
        yield
    except ValueError as error:
        raise gr.Error(without_tags(str(error)), title=TITLE, print_exception=False) from error
    except StoppedError as error:
        raise gr.Error("stopped", title=TITLE, print_exception=False, visible=False) from error


def without_tags(text: str) -> str:
    """Returns text in which nothing can be taken for an HTML tag; gradio shows messages as HTML."""
    return _TAG.sub("\u2039", text)
