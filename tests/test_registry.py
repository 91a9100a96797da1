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


@pytest.fixture(autouse=True)
def registry(tmp_path, monkeypatch):
    path = tmp_path / "registry.json"
    monkeypatch.setenv("PYZZICATO_REGISTRY", str(path))
    return path


def test_pins_are_kept_in_order_and_moved(registry):
    assert read_registry() == {}
    write_pin("wavenet", Pin("me/wavenet", COMMIT))
    write_pin("lstm", Pin("me/lstm", COMMIT))
    write_pin("wavenet", Pin("me/wavenet", "f" * 40))
    assert list(json.loads(registry.read_text())) == ["lstm", "wavenet"]
    assert read_registry()["wavenet"] == Pin("me/wavenet", "f" * 40)


def test_the_packages_own_registry_is_one(monkeypatch):
    monkeypatch.delenv("PYZZICATO_REGISTRY")
    assert registry_path() == BUNDLED_REGISTRY
    for pin in read_registry().values():
        assert is_repo_id(pin.repo)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"lstm": 3}', '{"lstm": {"repo": "me/lstm"}}', "\xff"]
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
        Pin(repo, commit)


@pytest.mark.parametrize("text", ["a/b", "A-1/b.c_d"])
def test_what_names_a_repository(text):
    assert is_repo_id(text)


@pytest.mark.parametrize("text", ["", "a", "a/b/c", "../b", "a/..", "a b/c", "a/b\n", None, 3])
def test_what_does_not(text):
    assert not is_repo_id(text)
