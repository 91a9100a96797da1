"""Folders of requests: apart from each other, not to be guessed, gone after their time."""

import os
import stat
import time

import pytest

from pyzzicato.space.folders import (
    KEPT_SECONDS,
    FolderSweeper,
    new_folder,
    remove_old_folders,
    requests_folder,
)


@pytest.fixture(autouse=True)
def uploads(tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))


def test_each_request_has_a_folder_of_its_own_that_cannot_be_guessed():
    folders = {new_folder() for _ in range(20)}
    assert len(folders) == 20
    for folder in folders:
        assert folder.parent == requests_folder()
        assert len(folder.name) == 32
        assert not list(folder.iterdir())
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_folders_of_an_hour_ago_are_removed_with_what_is_in_them_and_younger_ones_stay():
    old, new = new_folder(), new_folder()
    for folder in (old, new):
        (folder / "continuation.mid").write_bytes(b"MThd")
    hour_ago = time.time() - KEPT_SECONDS
    os.utime(old, (hour_ago - 5, hour_ago - 5))
    os.utime(new, (hour_ago + 60, hour_ago + 60))
    assert remove_old_folders() == 1
    assert not old.exists()
    assert (new / "continuation.mid").exists()


def test_nothing_to_remove_is_no_error():
    assert remove_old_folders() == 0


def test_the_sweeper_sweeps_until_it_is_stopped():
    folder = new_folder()
    sweeper = FolderSweeper(kept_seconds=0.05, every_seconds=0.02)
    deadline = time.monotonic() + 60
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
    sweeper.stop()
    kept = new_folder()
    time.sleep(0.2)
    assert kept.exists()
