"""Cards: facts into the templates of `hub_cards/`, with the Hub's metadata on top.

Every card is read back by the Hub's own client before it leaves, which checks its metadata.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import (
    CardData,
    DatasetCard,
    EvalResult,
    ModelCard,
    ModelCardData,
    SpaceCard,
)
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ..hub.listing import TAG

TEMPLATES = Path(__file__).parents[2] / "hub_cards"
_TASK = "piano-continuation"
_PIPELINE_TAG = "audio-to-audio"
"""Music in, music out: the Hub has no word of its own for music as notes, and hides "other"."""


def render_card(template: str, facts: Mapping[str, Any]) -> str:
    """Returns a template of `hub_cards/` filled with facts.

    Raises:
        ValueError: if the templates are not at hand.
        jinja2.UndefinedError: if the template asks for a fact that there is none of.
    """
    if not (TEMPLATES / template).is_file():
        raise ValueError(f"{TEMPLATES} must hold {template}; publish from a copy of the project")
    rendering = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # Markdown, not HTML
    )
    return rendering.get_template(template).render(facts)


def model_card(facts: Mapping[str, Any]) -> str:
    """Returns a model's card: metadata and text, checked by the Hub's client.

    Args:
        facts: from `model_facts`.

    Raises:
        ValueError: if the metadata are not what the Hub takes.
    """
    # A figure that was measured on several data sets at once belongs to none of them.
    results = [
        EvalResult(
            task_type=_PIPELINE_TAG,
            task_name="Piano continuation",
            dataset_type=_slug(result["dataset"]),
            dataset_name=result["dataset"],
            dataset_split=result["split"],
            metric_type=result["type"],
            metric_name=result["title"],
            metric_value=result["value"],
        )
        for result in facts["results"]
        if result["dataset"]
    ]
    kinds = [str(facts[key]) for key in ("backbone", "representation")]
    more: dict[str, Any] = dict(facts["licence_metadata"])
    if facts["base"]:
        more |= {"base_model": facts["base"], "base_model_relation": "finetune"}
    if facts["data"].get("repo"):
        more["datasets"] = [facts["data"]["repo"]]
    metadata = ModelCardData(
        library_name="transformers",
        pipeline_tag=_PIPELINE_TAG,
        tags=[TAG, _TASK, "music", "piano", "midi", *kinds],
        model_name=facts["name"] if results else None,
        eval_results=results or None,
        pyzzicato=_for_listing(facts),
        **more,
    )
    text = f"---\n{metadata.to_yaml()}\n---\n\n{render_card('model.md.jinja', facts)}"
    ModelCard(text)
    return text


def _slug(name: str) -> str:
    """Returns a data set's name as the Hub's metadata can hold it."""
    return re.sub(r"[^a-z0-9._/-]+", "-", name.lower()).strip("-")


def _for_listing(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what a list of models shows of one, without another request for it."""
    measures = {result["type"]: result["value"] for result in facts["results"]}
    return {
        "revision": facts["revision"],
        "backbone": facts["backbone"],
        "representation": facts["representation"],
        "head": facts["head"],
        "weights": facts["n_weights"],
        "size_mb": facts["size_mb"],
        "data": facts["data"].get("name"),
        "licence": facts["licence"],
        "hours": facts["hours"],
        "loss_unit": facts["loss_unit"],
        "measures": measures,
    }


def front_matter_card(
    metadata: Mapping[str, Any], text: str, kind: type[DatasetCard] | type[SpaceCard]
) -> str:
    """Returns a card of a Space or data set: metadata and text, read back by the Hub's client.

    Raises:
        ValueError: if the metadata are not what the Hub takes.
    """
    card = f"---\n{CardData(**metadata).to_yaml()}\n---\n\n{text}"
    kind(card)
    return card
