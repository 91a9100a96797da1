"""What others show of a link to the page: title, words, picture; and the page's own icon.

Gradio writes its own into the head of every page, with pictures from another host.
"""

import os
import re
from html import escape
from pathlib import Path

from .doors import App, Message, Receive, Send
from .first_sight import with_first_sight
from .sub_path import VARIABLE, sub_path

ICON = Path(__file__).parent / "static" / "icon.png"
TITLE = "Pyzzicato"
WORDS = "Small neural networks carry on piano music: choose an opening, listen, redo, steer, save."
_PICTURE = "page/preview.png"

_OTHERS = re.compile(
    rb'[ \t]*(?:<meta\s+(?:property|name)="(?:og|twitter):[^>]*>|<title>[^<]*</title>)\s*'
)


class OwnHead:
    """ASGI middleware that writes the page's own description and its first look into it.

    Args:
        app: what is served.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http" or scope["path"] != "/":
            await self._app(scope, receive, send)
            return
        start: Message = {}
        parts: list[bytes] = []

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            parts.append(message.get("body", b""))
            if message.get("more_body", False):
                return
            body = with_first_sight(own_head(b"".join(parts), public_address(scope)))
            kept = [pair for pair in start["headers"] if pair[0].lower() != b"content-length"]
            start["headers"] = [*kept, (b"content-length", str(len(body)).encode())]
            await send(start)
            await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, changed)


def own_head(page: bytes, address: str) -> bytes:
    """Returns a page with our description in the place of others'.

    Args:
        page: HTML.
        address: where it is, with a slash at the end.
    """
    about = {
        "og:title": TITLE,
        "og:type": "website",
        "og:description": WORDS,
        "og:url": address,
        "og:image": f"{address}{_PICTURE}",
        "twitter:card": "summary_large_image",
        "twitter:title": TITLE,
        "twitter:description": WORDS,
        "twitter:image": f"{address}{_PICTURE}",
    }
    # Gradio's scripts would bring a title; until they have come a tab would have no name.
    lines = [f"<title>{escape(TITLE)}</title>"]
    for name, content in about.items():
        kind = "property" if name.startswith("og") else "name"
        lines.append(f'<meta {kind}="{name}" content="{escape(content)}">')
    lines.append(f'<meta name="description" content="{escape(WORDS)}">')
    lines.append('<link rel="icon" href="page/icon.png" type="image/png">')
    return _OTHERS.sub(b"", page).replace(b"</head>", "\n".join(lines).encode() + b"\n</head>", 1)


def public_address(scope: Message) -> str:
    """Returns the address under which a visitor has opened the page, with a slash at the end."""
    address = os.environ.get(VARIABLE, "")
    if address.startswith(("http://", "https://")):
        return f"{address.rstrip('/')}/"
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get(b"x-forwarded-host") or headers.get(b"host", "")
    scheme = headers.get(b"x-forwarded-proto") or str(scope.get("scheme", "http"))
    origin = f"{scheme.partition(',')[0].strip()}://{host.partition(',')[0].strip()}"
    return f"{origin}{sub_path()}/"
