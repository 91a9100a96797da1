"""Tempo, metre and key of typed-in scores, as MIDI files of the presets keep them."""

import pytest

from pyzzicato.midi import Metre, midi_bytes, read_midi
from pyzzicato.scores import parse_score
from pyzzicato.seeds import list_seeds, load_seed

SCORE = """
title: Tune
composer: Franz Schubert
key: {key}
year: 1820
source: none
metre: 6/8
beat: 4.
voices: tune +0

bars 0 (1/8)
tempo | 60
dyn | mf
tune | C5/8

bars 1-2
tempo | 60 | 60..90
tune | C5/4. D5/4. | E5/4. F5/4.
"""


def test_an_upbeat_has_a_metre_of_its_own_and_bars_fall_on_their_beats() -> None:
    score = parse_score(SCORE.format(key="C major"))
    assert score.timing.metres == (Metre(0, 1, 8), Metre(240, 6, 8))
    bars = [score.timing.seconds_at(240 + 1440 * i) for i in range(2)]
    # At 60 dotted quarter notes a minute an eighth is a third of a second.
    assert bars == pytest.approx([1 / 3, 2 + 1 / 3])


def test_a_tempo_that_moves_takes_as_long_beat_by_beat() -> None:
    score = parse_score(SCORE.format(key="C major"))
    starts = [note.start for note in score.notes]
    ticks = [score.timing.tick_at(start) for start in starts]
    assert ticks == pytest.approx([0, 240, 960, 1680, 2400], abs=0.01)
    assert len(score.timing.tempos) == 3


@pytest.mark.parametrize(
    ("name", "sharps", "minor"),
    [
        ("C major", 0, False),
        ("A minor", 0, True),
        ("E flat major", -3, False),
        ("C sharp minor", 4, True),
        ("G flat major", -6, False),
        ("F minor", -4, True),
        ("B flat minor", -5, True),
    ],
)
def test_keys_by_name(name: str, sharps: int, minor: bool) -> None:
    assert parse_score(SCORE.format(key=name)).timing.keys == ((0, sharps, minor),)


@pytest.mark.parametrize("name", ["none", "H major", "C lydian", "D sharp major"])
def test_a_key_that_has_no_signature_is_left_out(name: str) -> None:
    assert parse_score(SCORE.format(key=name)).timing.keys == ()


@pytest.mark.parametrize("seed", list_seeds(), ids=lambda seed: seed.name)
def test_a_file_of_a_preset_has_its_tempo_metre_key_and_title(seed) -> None:  # type: ignore[no-untyped-def]
    like = seed.performance
    found = read_midi(midi_bytes(seed.notes, like=like, seed_seconds=seed.seconds))
    assert found.title == seed.title
    assert found.timing.metres == like.timing.metres and found.timing.keys == like.timing.keys
    assert found.timing.resolution == 480 and found.on_grid()
    assert found.start_s == pytest.approx(seed.begins_s, abs=0.002)
    for one, other in zip(found.music(), seed.notes, strict=True):
        assert (one.pitch, one.velocity) == (other.pitch, other.velocity)
        assert one.start == pytest.approx(other.start, abs=0.002)


def test_the_presets_composers_are_known_by_their_short_names() -> None:
    assert load_seed("bach-prelude-c-major").performance.composer == "bach"
    assert all(seed.performance.composer for seed in list_seeds())
