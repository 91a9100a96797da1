"""The API as tools for assistants, called by the protocol's own client."""

import asyncio
import base64
import json
import time

import httpx
import pytest
from conftest import tune
from floods import LONG, call_tool
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from served_app import ServedApp

from pyzzicato.midi import midi_bytes, read_midi

TOOLS = {
    "score_piece",
    "continue_piece",
    "stream_takes",
    "evaluate_piece",
    "render_piece",
    "describe_models",
    "describe_seeds",
    "vote",
    "redo_span",
    "keep_part",
    "tell_odds",
    "begin_along",
    "hear_along",
    "answer_along",
    "stop_along",
}
"""Part of the contract: assistants use tools by these names."""


def converse(page_url, talk):
    """Returns what `talk(session)` returns in a session with the server."""

    async def held():
        address = f"{page_url}gradio_api/mcp/"
        async with (
            streamable_http_client(address) as (read, write, _),
            ClientSession(read, write) as session,
        ):
            await session.initialize()
            return await talk(session)

    return asyncio.run(held())


def call(page_url, tool, **options):
    return converse(page_url, lambda session: session.call_tool(tool, options))


def content_of(result):
    """Returns an answer, which comes as JSON text and as structured content."""
    assert not result.isError, result.content
    assert json.loads(result.content[0].text) == result.structuredContent
    return result.structuredContent


def test_every_endpoint_is_a_tool_that_says_what_it_takes(page_url):
    tools = {t.name: t for t in converse(page_url, lambda session: session.list_tools()).tools}
    assert set(tools) == TOOLS
    properties = tools["continue_piece"].inputSchema["properties"]
    assert "base64" in properties["midi"]["description"]
    assert "4294967295" in properties["rng"]["description"]
    assert "piano music" in tools["continue_piece"].description
    for tool in tools.values():
        texts = [
            tool.description,
            *(p["description"] for p in tool.inputSchema["properties"].values()),
        ]
        # Whole sentences: nothing ends with the line it was written on.
        assert all(text.endswith(".") for text in texts), texts
        assert ",," not in tool.description
    assert "127}" in properties["notes"]["description"]


def test_an_assistant_gets_the_seeds_in_short(page_url):
    answer = call(page_url, "describe_seeds")
    assert len(answer.content[0].text) < 4000
    assert "notes" not in content_of(answer)["seeds"][0]
    assert content_of(call(page_url, "describe_seeds", notes=True))["seeds"][0]["notes"]


def test_an_assistant_gives_a_file_by_its_address_or_in_broken_lines(page_url):
    lines = base64.encodebytes(midi_bytes(tune(8))).decode()
    assert "\n" in lines.strip()
    answer = content_of(call(page_url, "continue_piece", midi=lines, seconds=5, rng=2))
    file = answer["takes"][0]["midi"]
    for given in (file["url"], file["path"]):
        measured = content_of(call(page_url, "evaluate_piece", midi=given))
        assert measured["notes"] == len(read_midi(httpx.get(file["url"]).content).notes)


@pytest.mark.parametrize("before", ["", "data:audio/midi;base64,"])
def test_an_assistant_has_a_midi_file_carried_on(page_url, before):
    text = before + base64.b64encode(midi_bytes(tune(8))).decode()
    answer = content_of(call(page_url, "continue_piece", midi=text, seconds=5, rng=2))
    take = answer["takes"][0]
    piece = read_midi(httpx.get(take["midi"]["url"]).content)
    assert len(piece.notes) == len(take["seed_notes"]) + len(take["notes"])
    assert len(take["seed_notes"]) == len(tune(8))
    measured = content_of(call(page_url, "evaluate_piece", midi=text))
    assert measured["notes"] == len(tune(8))


def test_an_assistant_that_errs_learns_why(page_url):
    for value, said in (
        ({"seed": "moonlight"}, "seed must be one of"),
        ({"seed": "bach-prelude-c-major", "seconds": -1}, "seconds must be 1 to 600"),
        ({"midi": "http://127.0.0.1:9/inside.mid"}, "midi must be an uploaded file or base64"),
        ({"midi": "/etc/passwd"}, "midi must be an uploaded file or base64"),
    ):
        result = call(page_url, "continue_piece", **value)
        assert result.isError
        assert said in result.content[0].text
        assert "Traceback" not in result.content[0].text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"temperature": "y" * 100_000}, "temperature must be"),
        ({"rng": 7 * 10**3000}, "rng must be a whole number from 0 to"),
        ({"notes": [{"pitch": "y" * 1000, "start": 0, "end": 1}] * 30}, "notes must be"),
        ({"seed": {"a": ["y" * 1000] * 1000}}, "seed must be one of"),
    ],
    ids=["temperature", "rng", "notes", "seed"],
)
def test_what_is_wrong_is_reported_by_the_endpoint_and_not_repeated(page_url, given, said):
    result = call(page_url, "continue_piece", **{"seconds": 1, **given})
    assert result.isError
    (content,) = result.content
    assert said in content.text
    assert len(content.text) < 700
    assert "y" * 100 not in content.text
    assert "7" + "0" * 100 not in content.text


def test_an_assistant_that_leaves_frees_its_worker(page_url):
    app = ServedApp(page_url.rstrip("/"))
    for _ in range(4):
        assert call_tool(app, 0, "continue_piece", LONG, 1.0) == ""
    began = time.monotonic()
    played = content_of(call(page_url, "continue_piece", seed="bach-prelude-c-major", seconds=1))
    assert played["takes"][0]["notes"]
    # Forty minutes of music had been asked for.
    assert time.monotonic() - began < 20


def test_assistants_that_are_too_many_get_a_sentence(page_url):
    async def talk(session):
        calls = (session.call_tool("continue_piece", {**LONG, "rng": i}) for i in range(50))
        asked = [asyncio.create_task(one) for one in calls]
        done, waiting = await asyncio.wait(asked, timeout=20, return_when=asyncio.FIRST_COMPLETED)
        for one in waiting:
            one.cancel()
        return [one.result() for one in done]

    refused = converse(page_url, talk)
    assert refused
    assert all(result.isError for result in refused)
    assert all("busy" in result.content[0].text for result in refused)
