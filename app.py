"""The page and its API: `python app.py` serves both on http://127.0.0.1:7860.

Everything is built in `pyzzicato.space`; the page calls the same named endpoints as programs do.
"""

import pyzzicato.space.quick_gradio  # noqa: F401 - comes before gradio

# isort: split
import argparse
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from pyzzicato.space.along_api import register_along
from pyzzicato.space.api import register_api
from pyzzicato.space.bench_api import register_bench
from pyzzicato.space.folders import private_folder, sweep
from pyzzicato.space.hub_votes import open_book
from pyzzicato.space.page import add_page, head_html, page_routes
from pyzzicato.space.piano import Piano
from pyzzicato.space.serving import GuardedBlocks, serve_page
from pyzzicato.space.warming import get_ready


def build() -> Any:
    """Returns the page and its API, a `gradio.Blocks`."""
    book, _ = open_book()
    with GuardedBlocks(title="Pyzzicato", fill_width=True) as page:
        add_page(book)
        register_api(book)
        register_bench()
        register_along()
    return page


def serve(**options: Any) -> tuple[Any, str]:
    """Starts the page and its API; returns the page, to close it, and its address.

    Args:
        options: more arguments of `gradio.Blocks.launch`.
    """
    if "GRADIO_TEMP_DIR" not in os.environ:
        # Gradio's own would be a folder that everybody on this machine may have made before.
        os.environ["GRADIO_TEMP_DIR"] = str(private_folder("files"))
    Path(get_upload_folder()).mkdir(parents=True, exist_ok=True)
    sweep()
    page, piano = build(), Piano()
    url = serve_page(
        page,
        page_routes(piano),
        on_start=lambda: _in_background(get_ready, piano),
        head=head_html(page),
        ssr_mode=False,
        **options,
    )
    return page, url


def _in_background(work: Callable[..., None], *arguments: Any) -> None:
    threading.Thread(target=work, args=arguments, name=work.__name__, daemon=True).start()


if __name__ == "__main__":
    argparse.ArgumentParser(
        description="Serve the page and its API, where GRADIO_SERVER_NAME and _PORT say."
    ).parse_args()
    # A Space is stopped so: left in order, the last votes are still copied.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    serve()
