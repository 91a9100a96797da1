"""The tones of the page's piano: where they lie in the file, and that they are there."""

import io
import json

import numpy as np
import pytest
import soundfile

from pyzzicato.space import piano
from pyzzicato.space.piano import PITCHES, VELOCITIES, Piano, describe_json, lay_out_tones


@pytest.fixture(scope="module")
def tones(tmp_path_factory):
    """Two keys are enough to try it, and quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piano, "PITCHES", range(43, 80, 30))
        player = Piano(tmp_path_factory.mktemp("piano"))
        yield player, player.tones_file(), lay_out_tones()


def test_every_key_is_near_a_tone():
    for pitch in range(21, 109):
        assert min(abs(pitch - recorded) for recorded in PITCHES) <= 2
    tones = lay_out_tones()
    assert len(tones) == len(PITCHES) * len(VELOCITIES)
    for one, other in zip(tones, tones[1:], strict=False):
        assert one.start + one.seconds < other.start


def test_each_tone_sounds_where_it_is_said_to_and_not_before(tones):
    _, path, places = tones
    sound, rate = soundfile.read(path)
    for tone in places:
        begin = round(tone.start * rate)
        assert np.abs(sound[begin : begin + rate // 5]).max() > 0.01
        before = sound[max(0, begin - rate // 10) : max(0, begin - rate // 20)]
        assert np.abs(before).max(initial=0) < 0.02


def test_harder_strokes_are_louder(tones):
    _, path, places = tones
    sound, rate = soundfile.read(path)

    def peak(tone):
        return np.abs(sound[round(tone.start * rate) :][: rate // 2]).max()

    soft, hard = (next(t for t in places if t.velocity == v) for v in VELOCITIES)
    assert peak(hard) > 1.5 * peak(soft)


def test_the_tones_are_played_once_and_kept(tones, monkeypatch):
    player, path, _ = tones
    monkeypatch.setattr(piano, "_play_tones", lambda: pytest.fail("they were there already"))
    assert player.tones_file() == path
    assert not list(path.parent.glob("tmp*"))
    assert soundfile.info(io.BytesIO(path.read_bytes())).format == "MP3"


def test_tones_played_in_parts_sound_as_loud_and_in_the_same_places(tones, monkeypatch, tmp_path):
    _, path, places = tones
    monkeypatch.setattr(piano, "PITCHES", range(43, 80, 30))
    monkeypatch.setattr(piano, "_TONES_A_PART", 3)
    parts, rate = soundfile.read(Piano(tmp_path).tones_file())
    whole, _ = soundfile.read(path)
    assert len(parts) == len(whole)
    for tone in places:
        begin, end = round(tone.start * rate), round((tone.start + tone.seconds) * rate)
        loud = [np.sqrt((sound[begin:end] ** 2).mean()) for sound in (parts, whole)]
        assert loud[0] == pytest.approx(loud[1], rel=0.02)


def test_a_silent_soundfont_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(piano, "play", lambda *_: np.zeros((44_100, 2), np.float32))
    with pytest.raises(ValueError, match="silence"):
        Piano(tmp_path).tones_file()


def test_no_engine_is_reported_as_null(monkeypatch):
    def choose(*_):
        raise ValueError("no engine can play here")

    assert json.loads(describe_json(Piano()))["engine"] in ("fluidsynth", "midirenderer")
    monkeypatch.setattr(piano, "choose_engine", choose)
    assert describe_json(Piano()) == "null"
