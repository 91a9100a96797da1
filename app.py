"""The page and its API: `python app.py` serves both on http://127.0.0.1:7860.

Callbacks are thin; all work is done in the package. Programs call the named endpoint `/continue`.
"""

import functools
import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

# Read by gradio when it is imported: the page asks no other host for anything.
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")

import gradio as gr  # noqa: E402
from transformers.utils import logging  # noqa: E402

from pyzzicato.generation import GenerationSettings, continue_seed  # noqa: E402
from pyzzicato.hub import DEFAULT_MODEL, list_models, load_model, model_info  # noqa: E402
from pyzzicato.pieces import read_seed, write_piece  # noqa: E402
from pyzzicato.seeds import list_seeds  # noqa: E402
from pyzzicato.space.api import register_api  # noqa: E402
from pyzzicato.space.serving import GuardedBlocks, serve_page  # noqa: E402
from pyzzicato.space.votes import VoteBook  # noqa: E402

P = ParamSpec("P")
R = TypeVar("R")

FOLDER = Path(tempfile.gettempdir()) / "pyzzicato-app"
KEPT_SECONDS = 3600
MAX_SECONDS = 180
BY_TEMPERATURE = "temperature"
BY_THRESHOLD = "threshold"

CSS = """
.gradio-container { max-width: 1080px !important; margin: 0 auto !important; }
#title h1 { font-weight: 600; letter-spacing: -0.01em; margin-bottom: 0; }
footer { opacity: 0.6; }
.gradio-container button.primary { background: #b5482f; border-color: #b5482f; color: white; }
.gradio-container button.primary:hover { background: #9c3c26; }
:root, .dark { --slider-color: #b5482f; --color-accent: #b5482f; }
"""


def on_page(callback: Callable[P, R]) -> Callable[P, R]:
    """Returns the callback with its `ValueError`s, and only those, shown as a message."""

    @functools.wraps(callback)
    def shown(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return callback(*args, **kwargs)
        except ValueError as error:
            raise gr.Error(str(error), title="That did not work") from error

    return shown


@functools.cache
def loaded(name: str) -> Any:
    """Returns a model, loaded once."""
    return load_model(name)


def new_folder() -> Path:
    """Returns a folder of its own for one request; folders of an hour ago are removed."""
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(old, ignore_errors=True)
    folder = FOLDER / uuid.uuid4().hex
    folder.mkdir()
    return folder


@on_page
def continue_piece(
    preset: str,
    midi_file: str | None = None,
    model: str = DEFAULT_MODEL,
    seconds: float = 30.0,
    way: str = BY_TEMPERATURE,
    temperature: float = 1.0,
    threshold: float = 0.3,
    rng: int = 0,
    seed_start: float = 0.0,
    seed_seconds: float = 10.0,
    progress: gr.Progress = gr.Progress(),  # noqa: B008  (gradio finds it by this default)
) -> tuple[str, str | None, str, dict[str, Any]]:
    """Carries a seed on.

    The page's controls refuse names and numbers that are not theirs before this is called, so that
    a visitor can neither name a file of the server nor ask for more than the page offers.

    Args:
        preset: name of a preset seed; ignored when a MIDI file is given.
        midi_file: a MIDI file to take the seed from, at most 1 MB.
        model: name of a model.
        seconds: length of the continuation, 1 to 180.
        way: "temperature" samples, "threshold" lets the keys sound that pass it.
        temperature: above 0, to 4; 1 plays as the model has learnt.
        threshold: above 0, below 1.
        rng: number of the random draw; the same number gives the same notes.
        seed_start: where in the piece the seed begins, seconds.
        seed_seconds: length of the seed, seconds.
        progress: shown on the page.

    Returns:
        Piano roll (PNG), sound (WAV), MIDI file, and the settings and figures.
    """
    settings = GenerationSettings(
        seconds=seconds,
        seed_start=seed_start,
        seed_seconds=seed_seconds,
        temperature=temperature if way == BY_TEMPERATURE else 1.0,
        threshold=threshold if way == BY_THRESHOLD else None,
        rng=rng,
    )
    progress(0, desc="Loading the model")
    network = loaded(model)
    seed = read_seed(midi_file or preset, network.config.sustain)
    piece = continue_seed(
        network,
        seed.notes,
        settings,
        lambda done: progress(done / seconds, desc="Playing"),
    )
    progress(1, desc="Rendering the sound")
    files = write_piece(piece, new_folder(), seed=seed, model=model_info(model))
    wav = None if files.wav is None else str(files.wav)
    return str(files.png), wav, str(files.midi), files.facts


def summary(facts: dict[str, Any]) -> str:
    """Returns the figures under a take in a sentence."""
    settings = facts["settings"]
    parts = [
        f"{facts['notes'] / settings['seconds']:.1f} notes a second",
        f"made {facts['real_time_factor']:g} times faster than it plays",
        f"model {facts['model']} ({facts['revision']})",
    ]
    if "sound" in facts:
        parts.append(f"piano: {facts['sound']['soundfont']}, played by {facts['sound']['engine']}")
    return " · ".join([*parts, *facts["remarks"]])


def build() -> Any:
    """Returns the page, a `gradio.Blocks`."""
    default = GenerationSettings()
    presets = [(f"{seed.composer}: {seed.title}", seed.name) for seed in list_seeds()]
    models = [(f"{m.name} ({m.n_weights / 1e6:.1f} M weights)", m.name) for m in list_models()]
    with GuardedBlocks(title="Pyzzicato") as page:
        register_api(VoteBook(Path("votes")))
        gr.Markdown("# Pyzzicato\nA small neural network carries on piano music.", elem_id="title")
        with gr.Row():
            with gr.Column():
                preset = gr.Dropdown(presets, value=presets[0][1], label="Seed")
                midi_file = gr.File(label="or a MIDI file", type="filepath", height=140)
            with gr.Column():
                model = gr.Dropdown(models, value=DEFAULT_MODEL, label="Model")
                seconds = gr.Slider(
                    1, MAX_SECONDS, default.seconds, step=1, label="Length (seconds)"
                )
        with gr.Accordion("More settings", open=False):
            way = gr.Radio(
                [
                    ("Sample (temperature)", BY_TEMPERATURE),
                    ("The article's way (threshold)", BY_THRESHOLD),
                ],
                value=BY_TEMPERATURE,
                label="How the next notes are chosen",
            )
            with gr.Row():
                temperature = gr.Slider(
                    0.1, 2, default.temperature, step=0.05, label="Temperature: tame to daring"
                )
                threshold = gr.Slider(0.05, 0.95, 0.3, step=0.05, label="Threshold", visible=False)
                rng = gr.Number(default.rng, precision=0, label="Random number")
            with gr.Row():
                seed_start = gr.Number(default.seed_start, label="The seed begins at (seconds)")
                seed_seconds = gr.Number(default.seed_seconds, label="and lasts (seconds)")
        go = gr.Button("Continue", variant="primary", size="lg")
        roll = gr.Image(
            label="Piano roll",
            show_label=False,
            type="filepath",
            interactive=False,
            buttons=["download", "fullscreen"],
        )
        sound = gr.Audio(
            label="Seed and continuation",
            type="filepath",
            interactive=False,
            buttons=["download"],
        )
        words = gr.Markdown()
        midi = gr.File(label="MIDI", interactive=False, height=96)
        facts = gr.JSON(visible=False)

        way.change(
            lambda chosen: (
                gr.update(visible=chosen == BY_TEMPERATURE),
                gr.update(visible=chosen == BY_THRESHOLD),
            ),
            way,
            [temperature, threshold],
            api_visibility="private",
        )
        inputs = [preset, midi_file, model, seconds, way, temperature, threshold, rng]
        go.click(
            continue_piece,
            [*inputs, seed_start, seed_seconds],
            [roll, sound, midi, facts],
            api_visibility="private",
        ).success(summary, facts, words, api_visibility="private")
    return page


def serve(**told: Any) -> tuple[Any, str]:
    """Starts the page and its API; returns the page, to close it, and its address.

    Args:
        told: more arguments of `gradio.Blocks.launch`.
    """
    logging.disable_progress_bar()
    page = build()
    url = serve_page(page, css=CSS, allowed_paths=[str(FOLDER)], **told)
    return page, url


if __name__ == "__main__":
    serve()
