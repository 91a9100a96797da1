"""What is seen before any script runs: the page's look in the first HTML, with nothing to press.

Gradio's page is empty until its scripts have come, and on a slow line that takes many seconds. The
page's style sheets and markup are written into it; `main.js` brings them to life.
"""

import re
from pathlib import Path

STATIC = Path(__file__).parent / "static"
STYLES = ("gradio", "page", "bench", "views")
"""Style sheets, in their order."""

_BODY = re.compile(rb"<body[^>]*>")
_SCRIPT = re.compile(rb"<script\b.*?</script>", re.DOTALL)
# What the visitor chose, or else his system: the same as in main.js, which is not there yet.
_THEME = """<script>
try {
  const chosen = localStorage.getItem("pyzzicato-theme");
  const isDark = chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.body.classList.toggle("dark", isDark);
} catch {}
</script>"""


def with_first_sight(page: bytes) -> bytes:
    """Returns gradio's page with ours in it, as it looks before it can be used.

    Args:
        page: HTML.
    """
    body = _BODY.search(page)
    if not body:
        return page
    head, rest = page[: body.start()], page[body.end() :]
    markup = (STATIC / "page.html").read_text(encoding="utf-8")
    sight = (
        f'{_THEME}<main id="pyzzicato-place" aria-label="Pyzzicato" aria-busy="true" inert>'
        f"{markup}</main>"
    )
    links = "".join(f'<link rel="stylesheet" href="page/{name}.css">' for name in STYLES)
    # Gradio's scripts hold most of what is sent, and come after what is to be seen, in their order.
    scripts = b"".join(_SCRIPT.findall(head))
    head = _SCRIPT.sub(b"", head).replace(b"</head>", links.encode() + b"</head>", 1)
    return head + body.group() + sight.encode() + scripts + rest
