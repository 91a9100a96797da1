"""Messages: ValueErrors become sentences, bugs do not."""

import asyncio

import gradio as gr
import pytest

from pyzzicato.space.messages import plainly, without_tags
from pyzzicato.space.stopping import StoppedError


def kinds(error):
    """Returns the three kinds of callbacks, each raising `error`."""

    def function():
        raise error

    def generator():
        yield 1
        raise error

    async def coroutine():
        raise error

    return {
        "function": lambda: plainly(function)(),
        "generator": lambda: list(plainly(generator)()),
        "coroutine": lambda: asyncio.run(plainly(coroutine)()),
    }


@pytest.mark.parametrize("kind", ["function", "generator", "coroutine"])
def test_a_wrong_value_is_told_and_a_bug_is_not(kind):
    with pytest.raises(gr.Error) as raised:
        kinds(ValueError("rng must be 0 to 5, got <b>9</b>"))[kind]()
    assert raised.value.message == "rng must be 0 to 5, got ‹b>9‹/b>"
    assert raised.value.print_exception is False
    with pytest.raises(gr.Error, match="stopped"):
        kinds(StoppedError())[kind]()
    with pytest.raises(KeyError):
        kinds(KeyError("/home/secret"))[kind]()


def test_callbacks_answer_and_keep_their_names_and_signatures():
    @plainly
    def add(a: int, b: int = 2) -> int:
        """Returns a sum."""
        return a + b

    assert add(1) == 3
    assert (add.__name__, add.__doc__) == ("add", "Returns a sum.")


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("0 <= start < end", "0 <= start < end"),
        ("a<script>b", "a‹script>b"),
        ("<!-- --><?x?></p>", "‹!-- -->‹?x?>‹/p>"),
    ],
)
def test_no_text_becomes_a_tag(text, harmless):
    assert without_tags(text) == harmless
