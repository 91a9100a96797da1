"""The Space: what is uploaded is enough and no more, and its card configures it."""

import check_space
import publish
import pytest
import yaml
from conftest import ROOT
from huggingface_hub import SpaceCard

from pyzzicato.hub import list_models
from pyzzicato.hub.registry import Pin, write_pin
from pyzzicato.publishing.space_repo import build_space_repo, space_card


def test_what_is_uploaded_starts_alone_and_plays():
    assert check_space.main(check_space.CheckConfig(here=True)) > 20


def test_neither_tests_nor_training_are_uploaded(tmp_path):
    paths = build_space_repo("me/page", tmp_path / "space")
    assert {"app.py", "README.md", "requirements.txt", "packages.txt", "LICENSE"} <= set(paths)
    assert "pyzzicato/playing/continuation.py" in paths
    assert "pyzzicato/hub/registry.json" in paths
    for info in list_models():
        assert f"pyzzicato/pretrained/{info.name}/model.onnx" in paths
    assert any(path.startswith("pyzzicato/seed_scores/") for path in paths)
    unwanted = ("tests/", "train/", "data/", "runs/", "pyzzicato/publishing/", "pyproject")
    assert not [path for path in paths if path.startswith(unwanted) or "__pycache__" in path]
    with pytest.raises(ValueError, match="must be an empty folder"):
        build_space_repo("me/page", tmp_path / "space")
    with pytest.raises(ValueError, match=r"must hold app\.py"):
        build_space_repo("me/page", tmp_path / "other", root=tmp_path)


def test_the_card_names_the_pinned_models_and_the_exact_gradio(hub):
    pin = Pin("me/pyzzicato-lstm", "0123456789" * 4, {"model.onnx": "0" * 64})
    assert "preload_from_hub" not in yaml.safe_load(space_card("me/page").split("---")[1])
    write_pin("lstm", pin)
    text = space_card("me/page")
    SpaceCard(text).validate("space")
    answer = yaml.safe_load(text.split("---")[1])
    assert (answer["sdk"], answer["app_file"]) == ("gradio", "app.py")
    required = (ROOT / "requirements.txt").read_text()
    assert f"=={answer['sdk_version']}\n" in required
    assert answer["models"] == [pin.repo]
    files = "config.json,training.json,model.safetensors"
    assert answer["preload_from_hub"] == [f"{pin.repo} {files} {pin.commit}"]
    assert len(answer["short_description"]) <= 60
    assert {"python_version", "tags"} <= answer.keys()


def test_the_card_tells_code_from_weights():
    text = space_card("me/page")
    answer = yaml.safe_load(text.split("---")[1])
    assert (answer["license"], answer["license_name"]) == (
        "other",
        "code-apache-2.0-weights-by-their-data",
    )
    assert answer["license_link"].endswith("/spaces/me/page/blob/main/README.md#licence")
    assert "\n## Licence\n" in text
    for info in list_models():
        assert info.as_dict()["licence"] in text
    assert "The code is under [Apache-2.0]" in text


def test_the_space_is_published_and_updated(hub):
    config = publish.PublishConfig(space="me/page", yes=True)
    first = publish.main(config)
    assert first.is_new
    assert not publish.main(config).is_new
    assert hub.read("me/page", "app.py", kind="spaces") == (ROOT / "app.py").read_bytes()
    assert b"sdk: gradio" in hub.read("me/page", "README.md", kind="spaces")
