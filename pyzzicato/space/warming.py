"""What is made ready while the page is already open, so that the first visitor need not wait."""

import sys

from .measuring import load_measuring
from .page_models import known_models, loaded
from .piano import Piano


def get_ready(piano: Piano) -> None:
    """Loads the default model and the measures, and has the piano's tones played.

    Args:
        piano: of the page.
    """
    loaded(known_models()[0].name).graph  # noqa: B018 - opened when it is first asked for
    try:
        piano.tones_file()
    except (ValueError, RuntimeError) as error:
        # The page plays plain tones then, and says so.
        print(f"The page plays without recorded tones: {error}", file=sys.stderr)
    load_measuring()
