"""Serving under a path of a site, behind a proxy that leaves that path in its requests.

`GRADIO_ROOT_PATH` names the path, as gradio has it. Most proxies take it off; here it is taken off
where one has not.
"""

import os
from urllib.parse import urlsplit

from .doors import App, Message, Receive, Send

VARIABLE = "GRADIO_ROOT_PATH"


def sub_path() -> str:
    """Returns the path under which the page is served, like "/music"; "" for the root of a site."""
    setting = os.environ.get(VARIABLE, "")
    path = urlsplit(setting).path if setting.startswith(("http://", "https://")) else setting
    return f"/{path.strip('/')}" if path.strip("/") else ""


class WithoutSubPath:
    """ASGI middleware that serves the same with and without the path before it.

    Args:
        app: what is served.
    """

    def __init__(self, app: App) -> None:
        self._app, self._path = app, sub_path()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serves one request."""
        path = scope.get("path", "")
        if self._path and (path == self._path or path.startswith(f"{self._path}/")):
            scope = {**scope, "path": path[len(self._path) :] or "/"}
            raw = scope.get("raw_path")
            if raw is not None:
                scope["raw_path"] = raw[len(self._path.encode()) :] or b"/"
        await self._app(scope, receive, send)
