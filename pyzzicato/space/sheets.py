"""Sheet music of a piece on a grid: the endpoint /score."""

from collections.abc import Generator
from typing import Any

import gradio as gr

from .. import __version__
from ..checks import check_whole
from ..score import DIVISIONS, engrave, musicxml
from .folders import new_folder
from .messages import plainly
from .posted import file_data, read_posted
from .turns import RENDERING, last_in_turns

MUSICXML = "application/vnd.recordare.musicxml+xml"


@plainly
async def score_piece(
    seed: str | None = None,
    midi: gr.FileData | str | None = None,
    division: int | None = None,
) -> dict[str, Any]:
    """Writes a piece that lies on a grid as sheet music.

    Give one of seed and midi. A take of /continue is a score if its seed was one and it was
    quantised; a free performance is none.

    Args:
        seed: name of a preset, see /seeds.
        midi: a MIDI file, uploaded or as base64 text; at most 1 MB, 20,000 notes, 30 minutes.
        division: parts of a quarter note that notes are rounded to, a divisor of 24; null for those
            on which the piece lies.

    Returns:
        version, title, remarks, musicxml (the file) and svg (a drawing of all pages as text, or
        null where the server cannot draw).
    """

    def work() -> Generator[dict[str, Any], None, None]:
        parts = division
        if parts is not None:
            parts = check_whole("division", parts, 1, DIVISIONS, from_json=True)
        piece = read_posted("ignore", seed=seed, midi=midi)
        if piece.performance is None:
            raise ValueError("a piece must be given (seed or midi), got none")
        text = musicxml(piece.notes, piece.performance, title=piece.title, division=parts)
        path = new_folder() / "score.musicxml"
        path.write_text(text, encoding="utf-8")
        yield {
            "version": __version__,
            "title": piece.title,
            "remarks": list(piece.remarks),
            "musicxml": file_data(path, MUSICXML),
            "svg": engrave(text),
        }

    return await last_in_turns(work(), RENDERING)
