"""Calls of the API by plain HTTP, as any program can make them."""

import json
from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True)
class Answer:
    """What came back of a call.

    Attributes:
        status: HTTP status of the post that asked.
        event: "complete" or "error" (the last event), or "" if the post was refused.
        data: what came with it.
        text: all that the server sent, as it sent it.
    """

    status: int
    event: str
    data: Any
    text: str


def ask(url: str, endpoint: str, body: Any, seconds: float = 60) -> Answer:
    """Returns the answer to a call: a post that asks, then a stream of events.

    Args:
        url: of the app, without a slash at the end.
        endpoint: like "/continue".
        body: a dict of named values, or a list of values by place, is sent as JSON; bytes are sent
            as they are.
        seconds: how long it may take.
    """
    # Endpoints that are not public take their values by place alone.
    by_place = isinstance(body, list)
    address = f"{url}/gradio_api/call{'' if by_place else '/v2'}{endpoint}"
    body = {"data": body} if by_place else body
    # As browsers and most programs write it: NaN, which is no JSON, included.
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json"}
    asked = httpx.post(address, content=content, headers=headers, timeout=seconds)
    if asked.status_code != 200:
        return Answer(asked.status_code, "", None, asked.text)
    text = httpx.get(f"{address}/{asked.json()['event_id']}", timeout=seconds).text
    events = [part for part in text.strip().split("\n\n") if part.startswith("event: ")]
    name, _, data = events[-1].partition("\n")
    reply = json.loads(data.removeprefix("data: "))
    return Answer(200, name.removeprefix("event: "), reply, asked.text + text)
