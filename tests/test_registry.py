"""The registry: pins are written and read back; anything else in its place is refused in words."""

import json

import pytest

from pyzzicato.hub.registry import (
    BUNDLED_REGISTRY,
    Pin,
    is_repo_id,
    read_registry,
    registry_path,
    write_pin,
)

COMMIT = "0123456789abcdef" * 2 + "01234567"
SUMS = {"model.onnx": "0123456789abcdef" * 4}


@pytest.fixture(autouse=True)
def registry(tmp_path, monkeypatch):
    path = tmp_path / "registry.json"
    monkeypatch.setenv("PYZZICATO_REGISTRY", str(path))
    return path


def test_pins_are_kept_in_order_and_moved(registry):
    assert read_registry() == {}
    write_pin("wavenet", Pin("me/wavenet", COMMIT, SUMS))
    write_pin("lstm", Pin("me/lstm", COMMIT, SUMS))
    write_pin("wavenet", Pin("me/wavenet", "f" * 40, SUMS))
    assert list(json.loads(registry.read_text())) == ["lstm", "wavenet"]
    assert read_registry()["wavenet"] == Pin("me/wavenet", "f" * 40, SUMS)


def test_the_pin_of_a_model_that_was_replaced_is_not_the_others(registry):
    write_pin("lstm-events", Pin("me/lstm-events", COMMIT, SUMS))
    table = json.loads(registry.read_text())
    table["wavenet-events"] = table["lstm-events"] | {"repo": "me/wavenet-events"}
    registry.write_text(json.dumps(table))
    assert read_registry() == {"lstm-events": Pin("me/lstm-events", COMMIT, SUMS)}


def test_the_packages_own_registry_is_one(monkeypatch):
    monkeypatch.delenv("PYZZICATO_REGISTRY")
    assert registry_path() == BUNDLED_REGISTRY
    for pin in read_registry().values():
        assert is_repo_id(pin.repo)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"lstm": 3}',
        '{"lstm": {"repo": "me/lstm"}}',
        f'{{"lstm": {{"repo": "me/lstm", "commit": "{COMMIT}"}}}}',
        "\xff",
    ],
)
def test_a_file_that_is_no_registry_is_refused(registry, text):
    registry.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="is not a registry of models"):
        read_registry()


@pytest.mark.parametrize(
    ("repo", "commit", "said"),
    [
        ("lstm", COMMIT, "repo must be NAMESPACE/NAME"),
        ("me/../you", COMMIT, "repo must be NAMESPACE/NAME"),
        ("me/lstm", "main", "commit must be 40 hexadecimal digits"),
        ("me/lstm", COMMIT[:39], "commit must be 40"),
        ("me/lstm", 3, "commit must be 40"),
    ],
)
def test_a_pin_names_a_repository_and_a_commit(repo, commit, said):
    with pytest.raises(ValueError, match=said):
        Pin(repo, commit, SUMS)


@pytest.mark.parametrize(
    ("sums", "said"),
    [
        ({}, "sums must hold a checksum for each file"),
        (None, "sums must hold a checksum for each file"),
        ({"model.onnx": "0123"}, "sums must be 64 hexadecimal digits each, got '0123' for 'model"),
        ({"model.onnx": 7}, "sums must be 64"),
    ],
)
def test_a_pin_has_checksums(sums, said):
    with pytest.raises(ValueError, match=said):
        Pin("me/lstm", COMMIT, sums)


@pytest.mark.parametrize("text", ["a/b", "A-1/b.c_d"])
def test_what_names_a_repository(text):
    assert is_repo_id(text)


@pytest.mark.parametrize("text", ["", "a", "a/b/c", "../b", "a/..", "a b/c", "a/b\n", None, 3])
def test_what_does_not(text):
    assert not is_repo_id(text)
