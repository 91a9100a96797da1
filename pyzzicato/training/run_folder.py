"""The folder of a run: whose it is, what a stopped run goes on from, what survives a fault."""

import json
import pickle
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from accelerate import Accelerator  # type: ignore[import-untyped]
from safetensors import SafetensorError

_KEPT = 2
_FAULTS = (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.PickleError)


class RunFolder:
    """A folder that holds one run: its settings, its checkpoints, its best model.

    Args:
        path: the folder; made when there is something to write.
        accelerator: of the run.
    """

    def __init__(self, path: Path, accelerator: Accelerator) -> None:
        self.path = path
        self.best = path / "best"
        self._before = path / "best.before"
        self._checkpoints = path / "checkpoints"
        self._accelerator = accelerator

    def check(self, settings: Mapping[str, Any], limits: tuple[str, ...]) -> None:
        """Keeps the folder to one run: two would mix into one curve.

        Nothing is written yet, so that a start that fails leaves nothing behind.

        Args:
            settings: of the run, plain JSON values.
            limits: names of those that may change from one start to the next.

        Raises:
            ValueError: if another run is in the folder.
        """
        file = self.path / "settings.json"
        if not file.exists():
            return
        try:
            before = json.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise ValueError(f"{file} cannot be read: {error}; choose another folder") from error
        now = json.loads(json.dumps(dict(settings)))
        # A setting that this file does not know yet is as it was when there was none of it.
        changed = sorted(
            name for name, value in before.items() if name not in limits and now.get(name) != value
        )
        if changed:
            raise ValueError(
                f"{self.path} holds a run with other settings ({', '.join(changed)}); begin anew "
                "in another folder"
            )

    def claim(self, settings: Mapping[str, Any]) -> None:
        """Writes down whose folder it is."""
        if self._accelerator.is_main_process:
            self.path.mkdir(parents=True, exist_ok=True)
            text = json.dumps(dict(settings), indent=1)
            (self.path / "settings.json").write_text(text, encoding="utf-8")
        self._accelerator.wait_for_everyone()

    def save_best(self, step: int, write: Callable[[Path], object]) -> None:
        """Puts the model that validates best in the place of the one before.

        Args:
            step: updates done.
            write: writes the model into a folder.

        Raises:
            ValueError: if it cannot be written; the one before is kept.
        """
        part = self.path / "best.part"
        try:
            write(part)
        except (OSError, RuntimeError, SafetensorError) as error:
            shutil.rmtree(part, ignore_errors=True)
            raise ValueError(
                f"the model of update {step} could not be written ({error}); {self._last_words()}"
            ) from error
        # The one before goes last: a run that is killed in between has it still.
        shutil.rmtree(self._before, ignore_errors=True)
        if self.best.exists():
            self.best.rename(self._before)
        part.rename(self.best)
        shutil.rmtree(self._before, ignore_errors=True)

    def save(self, step: int) -> None:
        """Saves a checkpoint beside those before and only then removes all but the last two.

        Raises:
            ValueError: if it cannot be written; those before are kept.
        """
        target = self._checkpoints / f"{step:08d}"
        try:
            self._accelerator.save_state(str(target))
            self._accelerator.wait_for_everyone()
            if self._accelerator.is_main_process:
                (target / "complete").touch()
        except (OSError, RuntimeError, SafetensorError) as error:
            shutil.rmtree(target, ignore_errors=True)
            raise ValueError(
                f"the checkpoint of update {step} could not be written ({error}); "
                f"{self._last_words()}"
            ) from error
        if self._accelerator.is_main_process:
            kept = self._complete()[-_KEPT:]
            for folder in self._checkpoints.iterdir():
                if folder not in kept:
                    shutil.rmtree(folder)

    def resume(self) -> None:
        """Loads the last checkpoint that can be read, if there is any.

        Raises:
            ValueError: if there are some and none can be read.
        """
        complete = self._complete()
        if self._before.exists() and not self.best.exists() and self._accelerator.is_main_process:
            self._before.rename(self.best)
        for checkpoint in reversed(complete):
            try:
                self._accelerator.load_state(str(checkpoint))
            except (*_FAULTS, SafetensorError) as error:
                print(f"{checkpoint} is damaged ({error}); trying the one before", file=sys.stderr)
            else:
                return
        if complete:
            raise ValueError("no checkpoint of the run can be read; begin anew in another folder")

    def refuse_loss(self, step: int, loss: float) -> None:
        """Raises ValueError: the loss of an update is not a number."""
        raise ValueError(
            f"the loss of update {step} is {loss}: the learning rate may be too high; "
            f"{self._last_words()}"
        )

    def _complete(self) -> list[Path]:
        return sorted(mark.parent for mark in self._checkpoints.glob("*/complete"))

    def _last_words(self) -> str:
        complete = self._complete()
        if not complete:
            return "there is no earlier checkpoint: begin anew"
        return f"the checkpoint of update {int(complete[-1].name)} is kept: go on from it"
