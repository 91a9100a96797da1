"""Train a network on prepared data and leave its best checkpoint in Hub layout.

    python train/train.py train/presets/lstm.toml --data data/notes --out runs/taste --max-steps 50
    python train/train.py train/presets/lstm.toml --data data/notes --out runs/lstm
    python train/train.py train/presets/lstm.toml --data data/notes --out runs/lstm     # resumes
    accelerate launch train/train.py train/presets/lstm.toml --data ... --out ...       # GPUs
    ACCELERATE_USE_CPU=true torchrun --standalone --local_addr 127.0.0.1 --nproc_per_node 2 \
        train/train.py train/presets/lstm.toml --data ... --out ...                     # two CPUs

The run's folder holds `best/` (config.json, model.safetensors, training.json), `checkpoints/` (to
resume from), `settings.json` and a TensorBoard log.
"""

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator
from tqdm import tqdm

from pyzzicato.training.loop import train
from pyzzicato.training.record import training_record, write_record
from pyzzicato.training.settings import TrainSettings, read_settings
from pyzzicato.training.store import NoteStore


@dataclass(frozen=True)
class TrainConfig:
    """One run: where the data is, where the checkpoints go, and the settings."""

    data: Path
    out: Path
    settings: TrainSettings


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
    store = NoteStore(config.data)
    accelerator = Accelerator(
        mixed_precision=config.settings.precision,
        log_with="tensorboard",
        project_dir=config.out,
    )
    accelerator.init_trackers("log")
    bar = ProgressBar(config, accelerator)
    progress = train(store, config.settings, config.out, accelerator, bar)
    accelerator.end_training()
    if accelerator.is_main_process:
        record = training_record(
            store,
            config.settings,
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


def parse_args() -> TrainConfig:
    """Returns the configuration of the command line."""
    assert __doc__ is not None
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("preset", type=Path, help="TOML file of settings, see train/presets/")
    add("--data", type=Path, required=True, help="prepared data, from prepare_data.py")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--max-steps", type=int)
    add("--batch-size", type=int)
    add("--eval-every", type=int)
    add("--learning-rate", type=float)
    add("--precision", choices=("no", "bf16"))
    add("--composers", nargs="+", help="full names; default: the preset's, else all")
    add("--seed", type=int)
    args = vars(parser.parse_args())
    preset, data, out = args.pop("preset"), args.pop("data"), args.pop("out")
    return TrainConfig(data, out, read_settings(preset, **args))


if __name__ == "__main__":
    try:
        main(parse_args())
    except ValueError as error:
        sys.exit(f"error: {error}")
