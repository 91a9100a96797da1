"""What transformers knows of this package once it is imported: kinds by name, models saved whole.

    import pyzzicato.auto
    from transformers import AutoModel, pipeline

    network = AutoModel.from_pretrained("runs/lstm/best")
    play = pipeline("piano-continuation", model="runs/lstm/best")

A model on the Hub brings the same code along, for machines without this package; with it, no
`trust_remote_code` is needed.
"""

import os
import warnings
from pathlib import Path
from typing import Any

from transformers import AutoConfig, AutoModel
from transformers.pipelines import PIPELINE_REGISTRY

from .models.config import PyzzicatoConfig
from .models.model import PyzzicatoModel as _Network
from .pipeline import PianoContinuationPipeline

TASK = "piano-continuation"


class PyzzicatoModel(_Network):
    """A network in torch that saves and publishes itself whole: with graph, code, tag and card."""

    def save_pretrained(
        self,
        save_directory: str | os.PathLike[str],
        *args: Any,
        licence: str | None = None,
        **kwargs: Any,
    ) -> None:
        """Saves weights and config, and all else that a published model has.

        Where nobody says what the music may be used for that it has learnt from, or the extra
        `publish` is not installed, weights and config are all, and a warning says so.

        Args:
            save_directory: made if absent.
            args: as transformers takes them.
            licence: of the music it has learnt from since it was loaded, or where its record does
                not say; "CC BY 4.0" say.
            kwargs: as transformers takes them.
        """
        super().save_pretrained(save_directory, *args, **kwargs)
        try:
            self._complete(Path(save_directory), licence)
        except (ValueError, ModuleNotFoundError) as error:
            warnings.warn(f"only weights and config were saved: {error}", stacklevel=2)

    def push_to_hub(  # type: ignore[override]
        self,
        repo_id: str,
        *,
        commit_message: str | None = None,
        private: bool | None = None,
        licence: str | None = None,
        **kwargs: Any,
    ) -> str:
        """Publishes it whole and returns its address.

        Args:
            repo_id: NAMESPACE/NAME; an empty repository, or one that carries our tag.
            commit_message: of the commit.
            private: whether a new repository is private.
            licence: see `save_pretrained`.
            kwargs: none: what transformers takes beside these is refused by name.

        Raises:
            ValueError: if the token may not write there, the repository holds something else, or
                nobody says what the music may be used for.
        """
        if kwargs:
            raise ValueError(f"push_to_hub must be asked without {', '.join(sorted(kwargs))}")
        # Imported here: only publishing needs what it needs.
        from .publishing.sharing import push

        def lay_out(folder: Path) -> None:
            super(PyzzicatoModel, self).save_pretrained(folder)
            self._complete(folder, licence)

        return push(lay_out, repo_id, message=commit_message or "", private=bool(private)).url

    def _complete(self, folder: Path, licence: str | None) -> None:
        from .publishing.sharing import save_network

        save_network(self, folder, licence=licence)


AutoConfig.register(PyzzicatoConfig.model_type, PyzzicatoConfig, exist_ok=True)
AutoModel.register(PyzzicatoConfig, PyzzicatoModel, exist_ok=True)
PIPELINE_REGISTRY.register_pipeline(
    TASK, pipeline_class=PianoContinuationPipeline, pt_model=AutoModel, type="audio"
)
