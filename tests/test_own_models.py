"""Models of one's own, by name: kept, listed beside the bundled ones, left out if broken."""

import shutil
from pathlib import Path

import pytest
from conftest import tiny_config, tune
from graph_store import save_playable

from pyzzicato.hub import find_models, list_models, load_model, model_info
from pyzzicato.hub.own_models import as_name, check_name, is_kept, keep_model, own_folder, own_names
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.settings import GenerationSettings


@pytest.fixture
def checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "kept"))
    config = tiny_config(representation="events", head="notes", composers=["bach", "my-band"])
    return save_playable(PyzzicatoModel(config), tmp_path / "best")


def test_a_kept_model_is_found_and_plays_by_its_name(checkpoint: Path) -> None:
    bundled = [info.name for info in list_models()]
    keep_model(checkpoint, "my-band")
    assert [info.name for info in list_models()] == [*bundled, "my-band"]
    assert find_models().models[len(bundled)]["name"] == "my-band"
    assert model_info("my-band").folder == own_folder() / "my-band"
    settings = GenerationSettings(seconds=2, composer="my-band")
    piece = continue_seed(load_model("my-band"), tune(), settings)
    assert piece.composer == "my-band"
    with pytest.raises(ValueError, match="revision must be left out for your own model"):
        load_model("my-band", "main")
    with pytest.raises(ValueError, match="did you mean my-band"):
        load_model("my-bend")


def test_keeping_again_replaces_and_reports_other_weights(checkpoint: Path, tmp_path: Path) -> None:
    assert not is_kept(checkpoint, "my-band")
    keep_model(checkpoint, "my-band")
    assert is_kept(checkpoint, "my-band")
    other = PyzzicatoModel(tiny_config(representation="events", head="notes"))
    other.save_pretrained(tmp_path / "other")
    assert not is_kept(tmp_path / "other", "my-band")
    keep_model(tmp_path / "other", "my-band")
    assert is_kept(tmp_path / "other", "my-band")
    assert [path.name for path in own_folder().iterdir()] == ["my-band"]


def test_what_cannot_be_read_is_left_out(checkpoint: Path) -> None:
    keep_model(checkpoint, "broken")
    (own_folder() / "broken" / "config.json").write_text("{")
    shutil.copytree(checkpoint, own_folder() / "Not a name")
    assert own_names() == ["broken"]
    assert "broken" not in [info.name for info in list_models()]


def test_names_are_words_of_small_letters() -> None:
    assert check_name("my-band-2") == "my-band-2"
    for wrong in ("", "My Band", "-band", "a/b", "..", "x" * 41):
        with pytest.raises(ValueError, match="name must be 1 to 40 small letters"):
            check_name(wrong)
    assert as_name("My Band (live)") == "my-band-live"
    assert as_name("音楽") == "my-music"


def test_a_place_that_cannot_be_written_is_said(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PYZZICATO_MODELS", str(tmp_path / "file"))
    assert own_names() == []
    with pytest.raises(ValueError, match="cannot be kept as"):
        keep_model(checkpoint, "my-band")


def test_the_page_lists_it_by_its_name_with_its_style(checkpoint: Path) -> None:
    from pyzzicato.space import api, names
    from pyzzicato.space.page_models import forget_models

    forget_models()
    titles = names.model_titles()
    keep_model(checkpoint, "my-band")
    forget_models()
    try:
        assert names.model_titles() == {**titles, "my-band": "my-band"}
        answer = api.describe_models()
        assert answer["composers"]["my-band"] == "my-band"
        assert answer["composers"]["bach"] == "Johann Sebastian Bach"
        assert answer["models"][-1]["composers"] == ["bach", "my-band"]
    finally:
        forget_models()
