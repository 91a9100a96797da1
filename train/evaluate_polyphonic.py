"""Train and test a network on one of the four piano-roll benchmarks, beside published figures.

    python train/evaluate_polyphonic.py --data-dir MATS --dataset jsb --model lstm --max-minutes 1
    python train/evaluate_polyphonic.py --data-dir MATS --dataset jsb --model lstm
    python train/evaluate_polyphonic.py --data-dir MATS --dataset piano --model wavenet

MATS is any folder with JSB_Chorales.mat, Nottingham.mat, MuseData.mat and Piano_midi.mat. The
protocol is in `pyzzicato/evaluation/polyphonic.py`, the recipes are in `train/recipes/polyphonic/`.
Run again with the same arguments to go on with a run that was stopped.
"""

import argparse
import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from tqdm import tqdm
from transformers.utils.logging import disable_progress_bar

from pyzzicato.evaluation.likelihood import baseline_nats, step_nats
from pyzzicato.evaluation.markov import Frames, count_markov
from pyzzicato.evaluation.polyphonic import (
    FILES,
    PUBLISHED,
    TITLES,
    Benchmark,
    read_benchmark,
)
from pyzzicato.models.architecture import BACKBONES, HEADS
from pyzzicato.models.config import PyzzicatoConfig
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.training.precision import PRECISIONS, precision_here
from pyzzicato.training.sequence_settings import SequenceSettings, read_sequence_settings
from pyzzicato.training.sequence_task import learn_sequences

RECIPES = Path(__file__).parent / "recipes" / "polyphonic"


@dataclass(frozen=True)
class PolyphonicConfig:
    """One run: see `--help` for each field."""

    data_dir: Path
    dataset: str
    out: Path
    json: Path | None
    settings: SequenceSettings


class ProgressBar:
    """Shows the losses of a run, and how much of its steps is done."""

    def __init__(self, title: str, max_steps: int) -> None:
        self._bar = tqdm(total=max_steps, desc=title, unit="step")

    def __call__(self, step: int, figures: dict[str, float]) -> None:
        """Takes the figures of an update, or of a look."""
        self._bar.update(step - self._bar.n)
        if "validation" in figures:
            self._bar.set_postfix({name: f"{value:.3f}" for name, value in figures.items()})

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self._bar.close()


def mean_nats(nats: Iterable[np.ndarray]) -> float:
    """Returns total loss over total frames, from the nats a frame of each piece."""
    parts = list(nats)
    return float(sum(part.sum() for part in parts) / sum(len(part) for part in parts))


def model_nats(model: PyzzicatoModel, pieces: list[Frames]) -> float:
    """Returns nats a frame of whole pieces; sorted, since neighbours of like length cost least."""
    return mean_nats(step_nats(model, sorted(pieces, key=len), batch_size=32))


def build_model(settings: SequenceSettings, train: list[Frames]) -> PyzzicatoModel:
    """Returns a network that begins near the per-key Markov model of the training pieces.

    Both heads add, to what the network says of a key, a bias and a bonus for going on;
    set from counts, all that is left to learn is what the network sees beyond the last frame. The
    head's own start is for rolls of twenty frames a second, where far more notes are held.
    """
    torch.manual_seed(settings.seed)
    model = PyzzicatoModel(PyzzicatoConfig(**settings.model))
    markov = count_markov(train)
    start = torch.from_numpy(np.log(markov.start_chances / (1 - markov.start_chances)))
    stay = torch.from_numpy(np.log(markov.stay_chances / (1 - markov.stay_chances)))
    with torch.no_grad():
        if model.config.head == "independent":
            model.head.out.bias.copy_(start)
            model.head.stay.copy_(stay - start)
        else:
            # One bonus for all keys, each as often as it sounds.
            model.head.own.bias.copy_(start)
            model.head.stay.fill_(np.average(stay - start, weights=markov.start_chances))
    return model


def train_and_test(benchmark: Benchmark, config: PolyphonicConfig) -> dict[str, Any]:
    """Returns the figures of one run as plain JSON values."""
    settings = replace(config.settings, precision=precision_here(config.settings.precision))
    accelerator = Accelerator(mixed_precision=settings.precision)
    model = build_model(settings, benchmark.train)
    bar = ProgressBar(config.out.name, settings.max_steps)
    progress = learn_sequences(
        model,
        benchmark.train,
        settings,
        config.out,
        lambda averaged: model_nats(averaged, benchmark.validation),
        accelerator,
        bar,
    )
    bar.close()
    best = PyzzicatoModel.from_pretrained(config.out / "best")
    return {
        "dataset": config.dataset,
        "unit": "nats a frame",
        "backbone": best.config.backbone,
        "head": best.config.head,
        "n_parameters": best.num_parameters(),
        "test": model_nats(best, benchmark.test),
        "validation": progress.best_loss,
        "baselines": baselines(benchmark),
        "best_step": progress.best_step,
        "steps": progress.step,
        "wall_seconds": round(progress.seconds, 1),
        "settings": settings.as_dict(),
        "curve": progress.curve,
    }


def baselines(benchmark: Benchmark) -> dict[str, float]:
    """Returns test nats a frame of the models without a network, counted on the training pieces."""
    counted = baseline_nats(benchmark.train)
    return {name: mean_nats(map(counted[name], benchmark.test)) for name in ("frequency", "markov")}


def table(result: dict[str, Any]) -> str:
    """Returns the run's test figure in a Markdown table, beside baselines and published rows."""
    name = result["dataset"]
    size = f"{result['n_parameters'] / 1e6:.2f} million weights"
    minutes = result["wall_seconds"] / 60
    rows = [
        ("each key by its frequency", "independent", "computed", result["baselines"]["frequency"]),
        ("per-key first-order Markov", "independent", "computed", result["baselines"]["markov"]),
    ]
    rows += [
        (row.model, "joint" if row.joint else "independent", row.source, row.nats_a_frame[name])
        for row in PUBLISHED
        if name in row.nats_a_frame
    ]
    this = f"this run, {size}, {minutes:.1f} min"
    rows.append((f"**{result['backbone']}**", result["head"], this, result["test"]))
    lines = [f"| model | keys of a frame | source | {TITLES[name]} |", "|---|---|---|---:|"]
    lines += [f"| {who} | {keys} | {source} | {nats:.2f} |" for who, keys, source, nats in rows]
    return "\n".join(lines)


def main(config: PolyphonicConfig) -> None:
    """Runs or resumes one benchmark and prints its table."""
    disable_progress_bar()  # a bar for each small file that is saved would tear up ours
    benchmark = read_benchmark(config.data_dir, config.dataset)
    result = train_and_test(benchmark, config)
    path = config.json or config.out / "result.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=1), encoding="utf-8")
    print("test split, nats a frame summed over 88 keys, the first frame of a piece not scored:")
    print(table(result))
    print(
        f"validation {result['validation']:.3f} at step {result['best_step']}; "
        f"checkpoint in {config.out / 'best'}, learning curve in {path}"
    )


def parse_args() -> PolyphonicConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--data-dir", type=Path, required=True, help="folder with the .mat files")
    add("--dataset", required=True, choices=sorted(FILES))
    add("--model", required=True, choices=BACKBONES, help="backbone")
    add("--head", default="independent", choices=HEADS["roll"])
    add("--recipe", type=Path, help="TOML file; default: the dataset's in train/recipes/polyphonic")
    add("--out", type=Path, help="folder of the run; default: runs/polyphonic/DATASET-MODEL-HEAD")
    add("--json", type=Path, help="figures and learning curve; default: result.json in --out")
    add("--max-minutes", type=float, help="also for a run that is to go on")
    add("--max-steps", type=int)
    add("--learning-rate", type=float)
    add("--transpose", type=int, help="semitones either way, 0 to 11")
    add("--dropout", type=float)
    add("--precision", choices=PRECISIONS)
    add("--seed", type=int)
    args = vars(parser.parse_args())
    data_dir, dataset, out, json_path = (
        args.pop(name) for name in ("data_dir", "dataset", "out", "json")
    )
    backbone, head = args.pop("model"), args.pop("head")
    recipe = args.pop("recipe") or RECIPES / f"{dataset}.toml"
    settings = read_sequence_settings(recipe, backbone, head, **args)
    out = out or Path("runs") / "polyphonic" / f"{dataset}-{backbone}-{head}"
    return PolyphonicConfig(data_dir, dataset, out, json_path, settings)


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
