"""Tempo, metre and key that are found where none is given."""

import sys

import pytest

from pyzzicato.grid import share_on_grid
from pyzzicato.notes import Note, transpose_notes
from pyzzicato.seeds import load_seed
from pyzzicato.tempo import find_timing


def melody(*lengths_s: float) -> list[Note]:
    scale, notes, now = (60, 64, 67, 65, 62, 59), [], 0.0
    for i, length in enumerate(lengths_s):
        notes.append(Note(scale[i % 6], now, now + length, 64))
        now += length
    return notes


@pytest.mark.parametrize("eighth_s", [0.21, 0.3, 0.36])
def test_a_steady_pulse_is_found(eighth_s: float) -> None:
    notes = melody(*(eighth_s * n for n in (1, 1, 2, 1, 1, 1, 1, 2, 2) * 4))
    timing, division = find_timing(notes)
    assert share_on_grid(notes, timing, division) == 1.0
    quarter_s = timing.tempos[-1].us_per_quarter / 1e6
    assert quarter_s / eighth_s == pytest.approx(2, abs=0.01)
    # After the last beat it goes on as before.
    beat = timing.seconds_at(480 * 101) - timing.seconds_at(480 * 100)
    assert beat == pytest.approx(quarter_s)


def test_a_tempo_that_bends_is_followed() -> None:
    notes = melody(*(0.3 * 1.01**i for i in range(30)))
    timing, division = find_timing(notes)
    assert share_on_grid(notes, timing, division) > 0.9
    first, last = timing.tempos[0].us_per_quarter, timing.tempos[-2].us_per_quarter
    assert 1.2 < last / first < 1.5


def test_the_key_is_that_of_the_notes() -> None:
    notes = [n for n in load_seed("bach-prelude-c-major").notes if n.start < 10]
    (key,) = find_timing(notes)[0].keys
    assert (key.sharps, key.minor) == (0, False)
    (key,) = find_timing(transpose_notes(notes, 2))[0].keys
    assert (key.sharps, key.minor) == (2, False)


def test_what_has_no_pulse_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    for notes in ([], [Note(60, 0, 1, 64)], [Note(60 + i, 0, 1, 64) for i in range(9)]):
        with pytest.raises(ValueError, match="whose beat cannot be found; a longer seed may help"):
            find_timing(notes)
    monkeypatch.setitem(sys.modules, "partitura.musicanalysis", None)
    with pytest.raises(ValueError, match=r"needs partitura to find one; install it: pip install"):
        find_timing(melody(*[0.3] * 30))
