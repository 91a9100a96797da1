"""Soundfonts: the order of search and the check of the files, with fonts built from bytes."""

from pathlib import Path

import pytest

from pyzzicato.soundfonts import (
    SOUNDFONT_VARIABLE,
    check_soundfont,
    find_soundfont,
    soundfont_candidates,
)


def font_bytes(major: int = 2) -> bytes:
    """Returns the beginning of a soundfont of a version, with a right length and no instruments."""
    version = b"ifil" + (4).to_bytes(4, "little") + major.to_bytes(2, "little") + bytes([4, 0])
    info = b"LIST" + (4 + len(version)).to_bytes(4, "little") + b"INFO" + version
    body = b"sfbk" + info + bytes(64)
    return b"RIFF" + len(body).to_bytes(4, "little") + body


@pytest.fixture
def font(tmp_path: Path) -> Path:
    """Returns a file that looks like a soundfont."""
    path = tmp_path / "piano.sf2"
    path.write_bytes(font_bytes())
    return path


@pytest.fixture(autouse=True)
def _no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keeps the tester's own choice of soundfont out of the tests."""
    monkeypatch.delenv(SOUNDFONT_VARIABLE, raising=False)


def test_a_plain_font_is_always_found() -> None:
    assert soundfont_candidates()[-1].name == "TimGM6mb.sf2"
    assert find_soundfont(compressed=False).suffix == ".sf2"


def test_candidates_are_whole_soundfonts_named_once() -> None:
    candidates = soundfont_candidates()
    assert len(set(candidates)) == len(candidates)
    for candidate in candidates:
        assert check_soundfont(candidate) == candidate


def test_best_candidate_is_taken() -> None:
    assert find_soundfont() == soundfont_candidates()[0]


def test_font_of_the_home_folder_is_found(
    font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    (tmp_path / ".fluidsynth").mkdir()
    home = font.rename(tmp_path / ".fluidsynth" / "default_sound_font.sf2")
    assert soundfont_candidates()[-2] == home.resolve()


def test_variable_comes_before_the_folders_and_the_argument_before_the_variable(
    font: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.sf2"
    other.write_bytes(font_bytes())
    monkeypatch.setenv(SOUNDFONT_VARIABLE, str(other))
    assert find_soundfont() == other
    assert find_soundfont(font) == font


def test_asked_for_and_missing_is_an_error_not_another_font(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ValueError, match=r"soundfont must be .* got .*absent\.sf2': No such file"):
        find_soundfont(tmp_path / "absent.sf2")
    monkeypatch.setenv(SOUNDFONT_VARIABLE, str(tmp_path / "absent.sf2"))
    with pytest.raises(ValueError, match=rf"^{SOUNDFONT_VARIABLE} must be .*absent\.sf2"):
        find_soundfont()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with b''"),
        (b"MThd and so on, a MIDI file", "begins with b'MThd"),
        (font_bytes()[:8] + b"WAVE" + font_bytes()[12:], "WAVE"),
        (font_bytes()[:-1], "99 of 100 bytes"),
        (font_bytes()[:20], "20 of 100 bytes"),
    ],
    ids=["empty", "midi", "wave", "one byte short", "cut"],
)
def test_damaged_files_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "bad.sf2"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="soundfont must be a") as caught:
        check_soundfont(path)
    assert message in str(caught.value)


def test_a_folder_is_not_a_soundfont(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="soundfont must be a soundfont that can be read"):
        check_soundfont(tmp_path)


def test_compressed_fonts_are_known_by_their_content(tmp_path: Path) -> None:
    path = tmp_path / "compressed.sf2"
    path.write_bytes(font_bytes(major=3))
    assert check_soundfont(path) == path
    with pytest.raises(ValueError, match=r"must be an \.sf2 file for this engine"):
        check_soundfont(path, compressed=False)
    with pytest.raises(ValueError, match=r"must be an \.sf2 file for this engine"):
        find_soundfont(path, compressed=False)


def test_a_font_without_a_version_passes_for_plain(tmp_path: Path) -> None:
    path = tmp_path / "odd.sf2"
    path.write_bytes(b"RIFF" + (4).to_bytes(4, "little") + b"sfbk")
    assert check_soundfont(path, compressed=False) == path
