"""Folders of requests: apart from each other, not to be guessed, gone after their time."""

import os
import stat
import time

import pytest

from pyzzicato.space.folders import (
    KEPT_SECONDS,
    FolderSweeper,
    new_folder,
    private_folder,
    requests_folder,
    sweep,
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


def write(path, n_bytes=4, age=0.0):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(n_bytes))
    written = time.time() - age
    os.utime(path, (written, written))
    os.utime(path.parent, (written, written))
    return path


def test_files_of_an_hour_ago_are_removed_whoever_wrote_them_and_younger_ones_stay(tmp_path):
    hour = KEPT_SECONDS
    old = [
        write(new_folder() / "continuation.mid", age=hour + 5),
        write(tmp_path / "a hash" / "upload.mid", age=hour + 5),
        write(tmp_path / "tmp_cut_off", age=hour + 5),
    ]
    young = [
        write(new_folder() / "continuation.mid", age=hour - 60),
        write(tmp_path / "another hash" / "upload.mid", age=hour - 60),
    ]
    assert sweep() == 3
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in young)
    assert not old[0].parent.exists()
    assert not old[1].parent.exists()
    assert requests_folder().is_dir()


def test_the_oldest_go_while_all_have_too_much(tmp_path):
    paths = [write(tmp_path / str(i) / "sound.wav", 1000, age=600 - i) for i in range(5)]
    fresh = write(tmp_path / "fresh" / "sound.wav", 5000)
    assert sweep(max_bytes=8000) == 2
    assert [path.exists() for path in (*paths, fresh)] == [False, False, True, True, True, True]
    # Files that are being fetched just now stay, however much there is.
    assert sweep(max_bytes=0) == 3
    assert fresh.exists()


def test_links_are_not_followed(tmp_path, tmp_path_factory):
    outside = write(tmp_path_factory.mktemp("outside") / "precious", age=KEPT_SECONDS + 5)
    (tmp_path / "link").symlink_to(outside)
    (tmp_path / "folder").symlink_to(outside.parent)
    sweep(kept_seconds=-1)
    assert outside.exists()


def test_nothing_to_remove_is_no_error():
    assert sweep() == 0


def test_the_private_folder_is_ours_alone_and_the_same_again(tmp_path, monkeypatch):
    monkeypatch.setenv("PYZZICATO_CACHE", str(tmp_path / "cache"))
    folder = private_folder("piano")
    assert folder == private_folder("piano") == tmp_path / "cache" / "piano"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o777)
    private_folder("piano")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_planted_folder_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setenv("PYZZICATO_CACHE", str(tmp_path / "cache"))
    (tmp_path / "theirs").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "piano").symlink_to(tmp_path / "theirs")
    (tmp_path / "cache" / "files").write_text("")
    for name in ("piano", "files"):
        other = private_folder(name)
        assert tmp_path not in other.parents
        assert stat.S_IMODE(other.stat().st_mode) == 0o700
        other.rmdir()


def test_the_sweeper_sweeps_until_it_is_stopped():
    folder = new_folder()
    (folder / "a file").write_text("")
    sweeper = FolderSweeper(kept_seconds=0.05, every_seconds=0.02)
    deadline = time.monotonic() + 60
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
    sweeper.stop()
    kept = new_folder() / "a file"
    kept.write_text("")
    time.sleep(0.2)
    assert kept.exists()
