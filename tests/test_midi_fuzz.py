"""Damaged files: a short form of `tests/midi_fuzz.py`."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from midi_builder import chunk, header
from midi_fuzz import Outcome, check, run


def test_damaged_files_are_refused_in_words_or_give_sane_music() -> None:
    outcome = run(1500, seed=1)
    assert min(outcome.n_read, outcome.n_refused) > 150
    assert len(outcome.reasons) > 4
    assert outcome.slowest_s < 2


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.integers(0, 3), st.integers(0, 65_535))
def test_any_bytes_as_a_track(body: bytes, midi_format: int, division: int) -> None:
    check(header(midi_format, 1, division) + chunk(b"MTrk", body), Outcome())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_as_a_file(data: bytes) -> None:
    check(data, Outcome())
