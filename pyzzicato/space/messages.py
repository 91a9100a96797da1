"""What visitors read when something goes wrong: one sentence, and nothing of the server."""

import errno
import functools
import inspect
import logging
import re
import site
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import gradio as gr
from gradio.utils import get_upload_folder

from ..hub.own_models import own_folder
from .turns import StoppedError

P = ParamSpec("P")
R = TypeVar("R")

TITLE = "That did not work"
FAULT = "the server met a fault of its own and has noted it; try again, or ask for something else"
FULL_DISK = "the server's disk is full or cannot be written to; try again later"
UNREADABLE = (
    "the call cannot be read; its address must name an endpoint, and its fields must be that "
    "endpoint's: see /gradio_api/info"
)
HALF_CHARACTER = "texts must be whole Unicode characters, got a half one; send text"
MAX_MESSAGE = 600
"""Characters of a message shown."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EFBIG}
_TAG = re.compile(r"<(?=[a-zA-Z/!?])")
# Longer than any number that means something here.
_LONG_NUMBER = re.compile(r"\d{30,}")
_OUR_ROOT = Path(__file__).resolve().parents[2]

_log = logging.getLogger(__name__)


def plainly(callback: Callable[P, R]) -> Callable[P, R]:
    """Returns a callback of gradio's that tells the visitor in a sentence what goes wrong.

    The sentence of a `ValueError` is its own. What else goes wrong stays loud on the server; the
    visitor learns no more than that it did.

    Args:
        callback: a function, a generator, a coroutine function or an asynchronous generator.
    """
    if inspect.iscoroutinefunction(callback):

        @functools.wraps(callback)
        async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
            with plain_errors():
                return await callback(*args, **kwargs)

        return later  # type: ignore[return-value]
    if inspect.isasyncgenfunction(callback):

        @functools.wraps(callback)
        async def in_parts(*args: P.args, **kwargs: P.kwargs) -> Any:
            with plain_errors():
                async for part in callback(*args, **kwargs):
                    yield part

        return in_parts

    @functools.wraps(callback)
    def at_once(*args: P.args, **kwargs: P.kwargs) -> R:
        with plain_errors():
            return callback(*args, **kwargs)

    return at_once


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turns an error into a message for the visitor.

    Raises:
        gradio.Error: with the message of a `ValueError`, or with what a visitor may know of
            another error.
    """
    try:
        yield
    except gr.Error:
        raise
    except StoppedError as error:
        raise gr.Error("stopped", title=TITLE, print_exception=False, visible=False) from error
    except Exception as error:
        # By the title `doors` knows what the visitor can do something about.
        title = TITLE if isinstance(error, ValueError) else "A fault of the server"
        raise gr.Error(words_for(error), title=title, print_exception=False) from error


def words_for(error: Exception) -> str:
    """Returns what a visitor may know of an error; what is ours to mend is noted in the log."""
    if isinstance(error, UnicodeError):
        return HALF_CHARACTER
    if isinstance(error, ValueError):
        return harmless(str(error))
    _log.error("a fault of the server", exc_info=error)
    return FULL_DISK if is_full_disk(error) else FAULT


def is_full_disk(error: BaseException | None) -> bool:
    """Returns whether an error comes from a disk that is full or cannot be written to."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


def harmless(text: str) -> str:
    """Returns a message with nothing in it that is the server's own or could do harm.

    Paths of the server and very long numbers are left out; no `<` begins a tag, for gradio shows
    messages as HTML.
    """
    for root in _roots():
        text = re.sub(rf"{re.escape(root)}[^\s:;,'\"]*", "a file of the server", text)
    text = _TAG.sub("\u2039", _LONG_NUMBER.sub("a very long number", text))
    return text if len(text) <= MAX_MESSAGE else f"{text[:MAX_MESSAGE]} ..."


def _roots() -> list[str]:
    """Returns the folders whose paths no visitor should read, the innermost first."""
    places = [_OUR_ROOT, Path.home(), Path.cwd(), Path(sys.prefix), Path(sys.base_prefix)]
    places += [Path(tempfile.gettempdir()), Path(get_upload_folder())]
    places += [Path(folder) for folder in site.getsitepackages()] + [own_folder()]
    places += [Path("/usr/share"), Path("/usr/lib")]
    found = {str(place) for place in places if len(place.parts) > 1}
    return sorted(found, key=len, reverse=True)
