"""The tools for assistants (MCP), called in this process.

Gradio calls the tools over HTTP, from itself, with a thread for each call that waits: forty calls
keep all others out, and the work of an assistant that leaves goes on. Here a tool runs in the task
of its request, and ends with it. It answers in JSON, as text and as structured content.
"""

import inspect
import json
from typing import Any

import gradio as gr
from gradio import processing_utils, route_utils
from gradio.state_holder import SessionState
from gradio.utils import safe_aclose_iterator
from mcp.types import CallToolResult, TextContent, Tool

from .clients import client_of
from .queueing import BUSY, FairQueue, posted_bytes
from .tool_texts import tool_text
from .turns import ASKER, Asker

_SMALLER: dict[str, dict[str, object]] = {"describe_seeds": {"notes": False}}
"""Defaults of tools that are not those of the endpoint: an assistant reads the whole answer."""


def serve_tools(page: gr.Blocks) -> None:
    """Has the tools of a page called in this process.

    Args:
        page: which has been given its server of tools and its `FairQueue`.
    """
    tools = page.mcp_server_obj
    assert tools is not None

    @tools.mcp_server.list_tools()  # type: ignore[untyped-decorator]
    async def list_tools() -> list[Tool]:
        return [_describe(tools, name) for name in tools.tool_to_endpoint]

    # The endpoints check what they take themselves. The general check holds the server up for two
    # seconds over 20,000 notes, and repeats in its message what it does not like, however long.
    @tools.mcp_server.call_tool(validate_input=False)  # type: ignore[untyped-decorator]
    async def call_tool(name: str, arguments: dict[str, Any]) -> CallToolResult:
        endpoint = tools.tool_to_endpoint.get(name)
        if endpoint is None:
            raise ValueError("there is no such tool; list the tools to see which there are")
        function = tools.get_block_fn_from_endpoint_name(endpoint)
        request = tools.mcp_server.request_context.request
        assert function is not None and function.fn is not None and request is not None
        try:
            given = inspect.signature(function.fn).bind(**{**_SMALLER.get(name, {}), **arguments})
        except TypeError as error:
            raise ValueError(f"the tool's arguments must be those it lists: {error}") from None
        given.apply_defaults()
        data = await _run(page, function, list(given.arguments.values()), request)
        route = tools.get_route_path(request)
        root = route_utils.get_root_url(request, route, tools.root_path)
        (answer,) = processing_utils.add_root_url(data, root, None)
        text = json.dumps(answer, ensure_ascii=False)
        return CallToolResult(
            content=[TextContent(type="text", text=text)], structuredContent=answer
        )


def _describe(tools: Any, name: str) -> Tool:
    """Returns a tool's name, what it does and takes."""
    function = tools.get_block_fn_from_endpoint_name(tools.tool_to_endpoint[name])
    text = tool_text(function.fn)
    schema, _ = tools.get_input_schema(name, text.parameters)
    for parameter, default in _SMALLER.get(name, {}).items():
        schema["properties"][parameter]["default"] = default
    if "midi" in schema["properties"]:
        # Gradio asks for an address alone.
        about = schema["properties"]["midi"]["description"]
        schema["properties"]["midi"] = {
            "anyOf": [{"type": "string"}, {"type": "null"}],
            "description": about,
        }
    return Tool(name=name, description=text.description, inputSchema=schema)


async def _run(page: gr.Blocks, function: Any, inputs: list[Any], request: Any) -> Any:
    """Returns what an endpoint answers at last."""
    queue = page._queue
    assert isinstance(queue, FairQueue)
    asker = Asker(client_of(request.scope), n_bytes=posted_bytes(request))
    if function.queue and not queue.make_room(asker.client, asker.n_bytes):
        raise ValueError(BUSY)
    queue.visitors |= {asker} if function.queue else set()
    ASKER.set(asker)
    iterator = None
    try:
        while True:
            answer = await page.process_api(
                function, inputs, SessionState(page), request, iterator=iterator
            )
            if iterator is None or answer["is_generating"]:
                data = answer["data"]
            iterator = answer.get("iterator")
            if not answer["is_generating"]:
                return data
    except gr.Error as error:
        raise ValueError(error.message) from error
    finally:
        queue.visitors.discard(asker)
        if iterator is not None:
            await safe_aclose_iterator(iterator)
