"""Train a network on prepared data and leave its best checkpoint in Hub layout.

    python train/train.py train/presets/lstm.toml --data data/notes --out runs/taste --max-steps 50
    python train/train.py train/presets/lstm.toml --data data/notes --out runs/lstm
    python train/train.py train/presets/lstm.toml --data data/notes --out runs/lstm     # resumes
    python train/train.py train/presets/lstm.toml --stream NAMESPACE/DATASET --out runs/lstm
    python train/train.py train/presets/lstm.toml --data data/notes --out runs/lstm \
        --push-to-hub NAMESPACE/pyzzicato-lstm
    python train/train.py train/presets/lstm-events.toml --data data/mine --out runs/mine \
        --start-from lstm-events --learning-rate 3e-4 --max-steps 300                   # your music
    accelerate launch train/train.py train/presets/lstm.toml --data ... --out ...       # GPUs
    ACCELERATE_USE_CPU=true torchrun --standalone --local_addr 127.0.0.1 --nproc_per_node 2 \
        train/train.py train/presets/lstm.toml --data ... --out ...                     # two CPUs

`--stream` reads the training set from a repository of `publish.py --dataset`, shard by shard, each
process other ones. `--push-to-hub` publishes the best checkpoint in the end, as `publish.py` does.

The run's folder holds `best/` (config.json, model.safetensors, training.json), `checkpoints/` (to
resume from), `settings.json` and a TensorBoard log.
"""

import argparse
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from accelerate import Accelerator
from tqdm import tqdm

from pyzzicato.training.loop import train
from pyzzicato.training.precision import PRECISIONS, precision_here
from pyzzicato.training.record import training_record, write_record
from pyzzicato.training.settings import TrainSettings, read_settings
from pyzzicato.training.store import NoteStore


@dataclass(frozen=True)
class TrainConfig:
    """One run: where the data is, where the checkpoints go, and the settings.

    Either `data`, a folder, or `stream`, a repository on the Hub, is set.
    """

    data: Path | None
    out: Path
    settings: TrainSettings
    stream: str | None = None
    revision: str | None = None
    push_to_hub: str | None = None
    private: bool = False


class ProgressBar:
    """Shows loss and steps a second, and logs both; on the main process only."""

    def __init__(self, config: TrainConfig, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        settings = config.settings
        self._steps = settings.batch_size * settings.crop_steps * accelerator.num_processes
        self._bar = tqdm(
            total=settings.max_steps,
            desc=config.out.name,
            unit="step",
            disable=not accelerator.is_main_process,
        )
        self._shown: dict[str, str] = {}

    def __call__(self, step: int, figures: dict[str, float]) -> None:
        """Takes the figures of a step."""
        self._accelerator.log(figures, step=step)
        self._bar.update(step - self._bar.n)
        self._shown |= {name: f"{value:.3f}" for name, value in figures.items()}
        rate = self._bar.format_dict["rate"] or 0.0
        self._bar.set_postfix({**self._shown, "steps/s": f"{rate * self._steps:.0f}"})


def main(config: TrainConfig) -> None:
    """Runs or resumes one training run and writes its record."""
    settings = replace(config.settings, precision=precision_here(config.settings.precision))
    accelerator = Accelerator(
        mixed_precision=settings.precision,
        log_with="tensorboard",
        project_dir=config.out,
    )
    if config.push_to_hub is not None and accelerator.is_main_process:
        import publish

        publish.check_ready(config.push_to_hub, yes=True)
    store = open_store(config, accelerator.num_processes)
    if config.push_to_hub is not None and not store.licence:
        raise ValueError(
            "--push-to-hub needs to know the licence of the music, and the prepared data does not "
            "say it; prepare it again with --licence"
        )
    accelerator.init_trackers("log")
    bar = ProgressBar(config, accelerator)
    progress = train(store, settings, config.out, accelerator, bar)
    accelerator.end_training()
    if accelerator.is_main_process:
        record = training_record(
            store,
            settings,
            progress,
            command="python " + " ".join(sys.argv),
            n_processes=accelerator.num_processes,
            device=accelerator.device.type,
        )
        write_record(record, config.out / "best")
        losses = record["losses"]
        told_baselines = ", ".join(
            f"{name.replace('_', ' ')} {loss:.3f}" for name, loss in losses["baselines"].items()
        )
        print(
            f"best validation loss {losses['validation']:.3f} {losses['unit']} at step "
            f"{progress.best_step}; {told_baselines}; in {config.out / 'best'}"
        )
        if config.push_to_hub is not None:
            push(config.out / "best", config.push_to_hub, config.private)


def push(checkpoint: Path, repo: str, private: bool) -> None:
    """Publishes a checkpoint as `publish.py` does."""
    # Imported here: training itself needs neither sound nor pictures.
    import publish

    config = publish.PublishConfig(checkpoint=checkpoint, repo=repo, private=private, yes=True)
    publish.main(config)


def open_store(config: TrainConfig, n_processes: int) -> NoteStore:
    """Returns the training set, on disk or on the Hub."""
    if config.stream is None:
        assert config.data is not None  # the parser sees to it
        return NoteStore(config.data)
    # Imported here: training from disk does without the libraries of data sets.
    from pyzzicato.training.streaming import StreamedStore

    return StreamedStore(config.stream, config.revision, n_processes)


def parse_args() -> TrainConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("preset", type=Path, help="TOML file of settings, see train/presets/")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="prepared data, from prepare_data.py")
    source.add_argument("--stream", metavar="REPO", help="training set on the Hub, NAMESPACE/NAME")
    add("--revision", help="commit, tag or branch of --stream")
    add("--push-to-hub", metavar="REPO", help="publish the best checkpoint there in the end")
    add("--private", action="store_true", help="make a new repository private")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--max-steps", type=int)
    add("--batch-size", type=int)
    add("--eval-every", type=int)
    add("--learning-rate", type=float)
    add("--start-from", metavar="MODEL", help="name or folder of a model to go on from")
    add("--precision", choices=PRECISIONS)
    add("--composers", nargs="+", help="full names; default: the preset's, else all")
    add("--seed", type=int)
    args = vars(parser.parse_args())
    preset, data, out = args.pop("preset"), args.pop("data"), args.pop("out")
    hub = {name: args.pop(name) for name in ("stream", "revision", "push_to_hub", "private")}
    return TrainConfig(data, out, read_settings(preset, **args), **hub)


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
