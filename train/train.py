"""Train a network on prepared data and leave its best checkpoint in Hub layout.

    python train/train.py train/recipes/lstm.toml --data data/notes --out runs/taste --max-steps 50
    python train/train.py train/recipes/lstm.toml --data data/notes --out runs/lstm
    python train/train.py train/recipes/lstm.toml --data data/notes --out runs/lstm     # resumes
    python train/train.py train/recipes/lstm.toml --stream NAMESPACE/DATASET --out runs/lstm
    python train/train.py train/recipes/lstm.toml --data data/notes --out runs/lstm \
        --push-to-hub NAMESPACE/pyzzicato-lstm
    python train/train.py train/recipes/lstm-events.toml --data data/mine --out runs/mine \
        --start-from lstm-events --stage recall --max-steps 300                     # your music
    accelerate launch train/train.py train/recipes/lstm.toml --data ... --out ...       # GPUs
    ACCELERATE_USE_CPU=true torchrun --standalone --local_addr 127.0.0.1 --nproc_per_node 2 \
        train/train.py train/recipes/lstm.toml --data ... --out ...                     # two CPUs

A recipe makes a model from nothing, stage after stage; those of a recipe that it begins with come
first. A run that was stopped goes on where it was, also with other limits (`--max-steps`,
`--decay-steps`, `--eval-every`, `--patience`, `--precision`). A stage that is made is left as it
is. With `--start-from` one stage alone is run, `--stage` or the last. `--batch-size` is of each
process; an update sums over all of them and over `--gradient-accumulation` batches.

`--stream` reads the training set from a repository of `publish.py --dataset`, shard by shard, each
process other ones. `--push-to-hub` publishes the best checkpoint in the end, as `publish.py` does.

A stage in which the model learns from its own playing has it play first, with the values of
decoding of the model it starts from, or with ones that are found then; it keeps them.

A run's folder holds `best/` (config.json, model.safetensors, training.json), `checkpoints/` (to
resume from), `settings.json` and a log; each stage of several has a folder of its own in it.
"""

import argparse
import json
import os
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from accelerate import Accelerator
from accelerate.utils import GradientAccumulationPlugin
from tqdm import tqdm

from pyzzicato.hub import model_info
from pyzzicato.hub.checkpoints import GRAPH, VALUES, read_record
from pyzzicato.hub.data_licences import NOT_RECORDED, all_licences
from pyzzicato.training.calibration import find_values, write_values
from pyzzicato.training.finishing import finish_run
from pyzzicato.training.loop import train
from pyzzicato.training.own_takes import draw_seeds
from pyzzicato.training.precision import PRECISIONS, precision_here
from pyzzicato.training.preference import prefer
from pyzzicato.training.preference_settings import PreferenceSettings
from pyzzicato.training.progress import Progress
from pyzzicato.training.recipes import Recipe, Settings, Stage, read_recipe
from pyzzicato.training.record import earlier_runs
from pyzzicato.training.store import NoteStore

CALIBRATED_ON = 48
CALIBRATION_LOOKS = 8
TRACKERS = ("tensorboard", "trackio", "wandb", "none")


@dataclass(frozen=True)
class TrainConfig:
    """One making of a model: where the data is, where the checkpoints go, and the recipe.

    Either `data`, a folder, or `stream`, a repository on the Hub, is set.
    """

    data: Path | None
    out: Path
    recipe: Recipe
    stream: str | None = None
    revision: str | None = None
    push_to_hub: str | None = None
    private: bool = False
    report_to: str = "tensorboard"
    workers: int | None = None


class ProgressBar:
    """Shows loss and steps a second, and logs all figures; on the main process only."""

    def __init__(self, name: str, log: str, settings: Settings, accelerator: Accelerator) -> None:
        self._accelerator = accelerator
        self._log, self._settings, self._has_log = log, settings, False
        self._steps = settings.gradient_accumulation * settings.steps_a_batch
        self._steps *= accelerator.num_processes
        self._bar = tqdm(
            total=settings.max_steps,
            desc=name,
            unit="step",
            disable=not accelerator.is_main_process,
        )
        self._shown: dict[str, str] = {}

    def __call__(self, step: int, figures: dict[str, float]) -> None:
        """Takes the figures of a step."""
        if not self._has_log:
            # Not before there is something to log: a start that fails leaves nothing.
            self._accelerator.init_trackers(self._log, config=logged(self._settings))
            self._has_log = True
        self._accelerator.log(figures, step=step)
        if not self._bar.n:
            # A resumed run is timed from where it goes on.
            self._bar.initial = self._bar.n = step - 1
        self._bar.update(step - self._bar.n)
        shown = {name: figures[name] for name in ("loss", "validation") if name in figures}
        self._shown |= {name: f"{value:.3f}" for name, value in shown.items()}
        rate = self._bar.format_dict["rate"] or 0.0
        self._bar.set_postfix({**self._shown, "steps/s": f"{rate * self._steps:.0f}"})

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self._bar.close()


def main(config: TrainConfig) -> None:
    """Runs or resumes each stage and writes its record."""
    accelerator = build_accelerator(config)
    if config.push_to_hub is not None and accelerator.is_main_process:
        # Better now than after hours. Imported here: training itself does without the Hub.
        import publish

        publish.check_ready(config.push_to_hub, yes=True)
    store = open_store(config, accelerator.num_processes)
    if config.push_to_hub is not None:
        check_licences(config.recipe, store)
    if accelerator.is_main_process:
        compare_data(config.recipe, store)
    for stage in config.recipe.stages:
        settings = as_launched(config.recipe.ready(config.out, stage), accelerator)
        make(stage, settings, config, store, accelerator)
    accelerator.end_training()
    if accelerator.is_main_process and config.push_to_hub is not None:
        best = config.recipe.folder(config.out, config.recipe.stages[-1]) / "best"
        push(best, config.push_to_hub, config.private)


def make(
    stage: Stage,
    settings: Settings,
    config: TrainConfig,
    store: NoteStore,
    accelerator: Accelerator,
) -> None:
    """Runs or resumes one stage, unless it is done, and writes its record."""
    out = config.recipe.folder(config.out, stage)
    if is_made(out / "best", settings):
        accelerator.print(f"{out} is made already, by these settings")
        return
    bar = ProgressBar(out.name, stage.name or "log", settings, accelerator)
    accelerator.print(describe_batches(settings, accelerator.num_processes))
    if isinstance(settings, PreferenceSettings):
        calibrate(model_info(settings.start_from).folder, settings, store, accelerator)
        progress = prefer(store, settings, out, accelerator, bar)
    else:
        workers = default_workers(config, accelerator) if config.workers is None else config.workers
        progress = train(store, settings, out, accelerator, bar, workers)
    bar.close()
    if accelerator.is_main_process:
        best = out / "best"
        finish(store, settings, progress, best, accelerator)
        if isinstance(settings, PreferenceSettings) or settings.only_new:
            # It has learnt from takes that were drawn so, or keeps all weights that it had.
            values = model_info(settings.start_from).folder / VALUES
            if values.exists():
                shutil.copy(values, best / VALUES)
    accelerator.wait_for_everyone()


def is_made(best: Path, settings: Settings) -> bool:
    """Returns whether a stage is done: its record, its graph and what it plays by are there."""
    wanted = [GRAPH, VALUES] if isinstance(settings, PreferenceSettings) else [GRAPH]
    made_by = read_record(best).get("settings")
    return made_by == json.loads(json.dumps(settings.as_dict())) and all(
        (best / name).exists() for name in wanted
    )


def calibrate(
    checkpoint: Path, settings: PreferenceSettings, store: NoteStore, accelerator: Accelerator
) -> None:
    """Finds the values of decoding of a checkpoint that has none."""
    if accelerator.is_main_process and not (checkpoint / VALUES).exists():
        lengths = settings.seed_seconds, settings.seconds
        # Other places than those of the takes, which the model learns from next.
        drawn = draw_seeds(store, CALIBRATED_ON, *lengths, settings.seed + 1)
        limits = find_values(
            checkpoint,
            [excerpt for _, excerpt in drawn.values()],
            looks=CALIBRATION_LOOKS,
            processes=accelerator.num_processes,
        )
        write_values(checkpoint, limits)
    accelerator.wait_for_everyone()


def describe_batches(settings: Settings, n_processes: int) -> str:
    """Returns in words what an update learns from, in all processes together."""
    parts = [f"{n_processes} process" + ("es" if n_processes > 1 else "")]
    parts += [f"{settings.gradient_accumulation} batches"] * (settings.gradient_accumulation > 1)
    n_in_all = n_processes * settings.gradient_accumulation * settings.batch_size
    return (
        f"an update learns from {n_in_all} {settings.batch_in_words}: "
        f"{' x '.join([*parts, str(settings.batch_size)])}, at a rate of up to "
        f"{settings.learning_rate:g} however many they are"
    )


def finish(
    store: NoteStore,
    settings: Settings,
    progress: Progress,
    best: Path,
    accelerator: Accelerator,
) -> None:
    """Writes a run's record and its graph, and says how well it predicts."""
    command = "python " + " ".join(sys.argv)
    record = finish_run(store, settings, progress, best, accelerator, command)
    losses = record["losses"]
    baselines = ", ".join(
        f"{name.replace('_', ' ')} {loss:.3f}" for name, loss in losses["baselines"].items()
    )
    print(
        f"best validation loss {losses['validation']:.3f} {losses['unit']} at step "
        f"{progress.best_step}; {baselines}; in {best}"
    )


def build_accelerator(config: TrainConfig) -> Accelerator:
    """Returns what trains here: as `accelerate launch` was asked, or else as the recipe says."""
    asked = os.environ.get("ACCELERATE_MIXED_PRECISION", "no")
    if asked not in PRECISIONS or asked == "no":
        asked = config.recipe.stages[-1].settings.precision
    tracker = None if config.report_to == "none" else config.report_to
    return Accelerator(
        mixed_precision=precision_here(asked),
        # The loop divides losses itself.
        gradient_accumulation_plugin=GradientAccumulationPlugin(num_steps=1),
        log_with=tracker,
        project_dir=config.out,
    )


def as_launched(settings: Settings, accelerator: Accelerator) -> Settings:
    """Returns the settings with the options of `accelerate launch` on top."""
    batches = int(os.environ.get("ACCELERATE_GRADIENT_ACCUMULATION_STEPS", "1"))
    return replace(
        settings,
        precision=accelerator.mixed_precision,
        gradient_accumulation=batches if batches > 1 else settings.gradient_accumulation,
    )


def logged(settings: Settings) -> dict[str, str | int | float]:
    """Returns the settings as trackers take them: one level, no lists."""
    table = settings.as_dict()
    model = table.pop("model", {})
    flat = {**table, **{f"model.{name}": value for name, value in model.items()}}
    return {
        name: value if isinstance(value, str | int | float) else str(value)
        for name, value in flat.items()
    }


def default_workers(config: TrainConfig, accelerator: Accelerator) -> int:
    """Returns how many processes make batches ahead: none where the processors train.

    Nor beside Apple's GPU: there processes are begun anew, and an open store cannot be handed over.
    """
    return 0 if config.stream or accelerator.device.type != "cuda" else 2


def check_licences(recipe: Recipe, store: NoteStore) -> None:
    """Raises ValueError if the licence of some of the music is not known that is learnt from."""
    start = recipe.stages[0].settings.start_from
    if not store.licence:
        raise ValueError(
            "--push-to-hub needs to know the licence of the music, and the prepared data does not "
            "say it; prepare it again with --licence"
        )
    earlier = all_licences(earlier_runs(start))
    if any(its.licence == NOT_RECORDED for its in earlier):
        raise ValueError(
            f"--push-to-hub needs to know the licence of the music that {start} learnt from, and "
            "its record does not say it; train without, then publish with --licence"
        )


def compare_data(recipe: Recipe, store: NoteStore) -> None:
    """Says so if the data are not those that the recipe was made for."""
    found = store.fingerprint()
    if recipe.data_sha256 and found != recipe.data_sha256:
        print(
            f"the data are not the recipe's (SHA-256 {found[:12]}, not "
            f"{recipe.data_sha256[:12]}): its figures will not be reached exactly",
            file=sys.stderr,
        )


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
    add("recipe", type=Path, help="TOML file, see train/recipes/")
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="prepared data, from prepare_data.py")
    source.add_argument("--stream", metavar="REPO", help="training set on the Hub, NAMESPACE/NAME")
    add("--revision", help="commit, tag or branch of --stream")
    add("--push-to-hub", metavar="REPO", help="publish the best checkpoint there in the end")
    add("--private", action="store_true", help="make a new repository private")
    add("--out", type=Path, required=True, help="folder of the run")
    add("--report-to", choices=TRACKERS, default="tensorboard")
    add("--workers", type=int, help="processes that make batches; default: 2 on a GPU, else 0")
    add("--max-steps", type=int)
    add("--decay-steps", type=int, help="updates in which the rate falls to 0 in the end")
    add("--batch-size", type=int)
    add("--gradient-accumulation", type=int, metavar="N", help="batches an update")
    add("--eval-every", type=int)
    add("--patience", type=int)
    add("--learning-rate", type=float)
    add("--start-from", metavar="MODEL", help="name or folder of a model to go on from")
    add("--only-new", action="store_const", const=True, help="only what that has not learns")
    add("--stage", default="", help="stage of the recipe that goes on from it; default: the last")
    add("--precision", choices=PRECISIONS)
    add("--composers", nargs="+", help="full names; default: the recipe's, else all")
    add("--seed", type=int)
    args = vars(parser.parse_args())
    path, data, out = args.pop("recipe"), args.pop("data"), args.pop("out")
    names = ("stream", "revision", "push_to_hub", "private", "report_to", "workers")
    others = {name: args.pop(name) for name in names}
    return TrainConfig(data, out, read_recipe(path, **args), **others)


if __name__ == "__main__":
    try:
        main(parse_args())
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
