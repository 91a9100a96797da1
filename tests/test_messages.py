"""Messages: whatever goes wrong is reported in a sentence that gives nothing away."""

import asyncio
import errno
import tempfile

import gradio as gr
import pytest
from conftest import ROOT

from pyzzicato.space.messages import (
    FAULT,
    FULL_DISK,
    HALF_CHARACTER,
    MAX_MESSAGE,
    TITLE,
    harmless,
    plainly,
    words_for,
)
from pyzzicato.space.turns import StoppedError


def kinds(error):
    """Returns the three kinds of callbacks, each raising `error`."""

    def function():
        raise error

    async def generator():
        yield 1
        raise error

    async def listed():
        return [part async for part in plainly(generator)()]

    async def coroutine():
        raise error

    return {
        "function": lambda: plainly(function)(),
        "generator": lambda: asyncio.run(listed()),
        "coroutine": lambda: asyncio.run(plainly(coroutine)()),
    }


@pytest.mark.parametrize("kind", ["function", "generator", "coroutine"])
def test_a_wrong_value_is_reported_and_a_bug_is_not(kind):
    with pytest.raises(gr.Error) as raised:
        kinds(ValueError("rng must be 0 to 5, got <b>9</b>"))[kind]()
    assert raised.value.message == "rng must be 0 to 5, got ‹b>9‹/b>"
    assert raised.value.print_exception is False
    with pytest.raises(gr.Error, match="stopped"):
        kinds(StoppedError())[kind]()
    with pytest.raises(gr.Error) as raised:
        kinds(KeyError("/home/secret"))[kind]()
    assert raised.value.message == FAULT
    assert raised.value.title != TITLE


def test_callbacks_answer_and_keep_their_names_and_signatures():
    @plainly
    def add(a: int, b: int = 2) -> int:
        """Returns a sum."""
        return a + b

    assert add(1) == 3
    assert (add.__name__, add.__doc__) == ("add", "Returns a sum.")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("0 <= start < end", "0 <= start < end"),
        ("a<script>b", "a‹script>b"),
        ("<!-- --><?x?></p>", "‹!-- -->‹?x?>‹/p>"),
        ("see /gradio_api/info", "see /gradio_api/info"),
        (f"recalls must be 1, got {'7' * 3000}", "recalls must be 1, got a very long number"),
        (f"got {ROOT}/app.py: denied", "got a file of the server: denied"),
        (f"'{tempfile.gettempdir()}/x/y.sf2', gone", "'a file of the server', gone"),
        ("/usr/share/sounds/a.sf3 is damaged", "a file of the server is damaged"),
    ],
)
def test_messages_give_nothing_away_and_become_no_tags(text, shown):
    assert harmless(text) == shown


def test_messages_are_short():
    assert len(harmless("word " * 1000)) <= MAX_MESSAGE + 4


def test_a_full_disk_and_half_a_character_have_sentences_of_their_own():
    full = OSError(errno.ENOSPC, "No space left on device", "/home/secret")
    assert words_for(full) == FULL_DISK
    try:
        try:
            raise full
        except OSError as error:
            raise RuntimeError("could not write") from error
    except RuntimeError as wrapped:
        assert words_for(wrapped) == FULL_DISK
    assert words_for(OSError(errno.EIO, "broken")) == FAULT
    with pytest.raises(UnicodeEncodeError) as raised:
        "\ud800".encode()
    assert words_for(raised.value) == HALF_CHARACTER
