"""What assistants read of a tool, from its docstring, in whole sentences."""

import inspect
import re
from collections.abc import Callable
from dataclasses import dataclass, field

_SECTION = re.compile(r"^(Args|Returns|Yields|Raises):$")
_PARAMETER = re.compile(r"^ {4}(\w+): (.*)$")
_FILES = (
    "A MIDI file is given as base64 text, or as the path or address of one that was uploaded to "
    "this server or came in one of its answers."
)


@dataclass(frozen=True)
class ToolText:
    """What a tool is and takes, in words.

    Attributes:
        description: what it does and returns.
        parameters: `{name: what it means}`.
    """

    description: str
    parameters: dict[str, str] = field(default_factory=dict)


def tool_text(function: Callable[..., object]) -> ToolText:
    """Returns what an assistant reads of a function with a docstring of Google's style.

    Args:
        function: an endpoint.
    """
    sections: dict[str, list[str]] = {"": []}
    current = sections[""]
    for line in (inspect.getdoc(function) or "").splitlines():
        if found := _SECTION.match(line):
            current = sections.setdefault(found[1], [])
        else:
            current.append(line)
    parameters: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in sections.get("Args", []):
        if found := _PARAMETER.match(line):
            lines = parameters[found[1]] = []
            line = found[2]
        lines.append(line)
    parts = [_joined(sections[""])]
    parts += [_FILES] if "midi" in parameters else []
    parts += [
        f"{name}: {_joined(sections[name])}" for name in ("Returns", "Yields") if name in sections
    ]
    return ToolText(" ".join(parts), {name: _joined(texts) for name, texts in parameters.items()})


def _joined(lines: list[str]) -> str:
    return " ".join(" ".join(lines).split())
