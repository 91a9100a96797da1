"""Bounds on what is heard, made and rendered for visitors; what is written can be read again."""

import base64
import random
from dataclasses import replace

import pytest
from conftest import tune

from pyzzicato.midi import midi_bytes
from pyzzicato.notes import Note
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.sources import SeedPiece
from pyzzicato.space import take_requests
from pyzzicato.space.posted import notes_as_json, read_posted
from pyzzicato.space.request_limits import (
    MAX_MUSIC_SECONDS,
    MAX_NOTES,
    MAX_RENDERED_NOTES,
    MAX_RENDERED_SECONDS,
    MAX_SEED_NOTES,
    MAX_UPLOAD_BYTES,
)
from pyzzicato.space.sounds import render_file
from pyzzicato.space.take_requests import read_request, stream_request


def notes(n: int, seconds: float) -> list[Note]:
    """Returns so many notes, no two of them alike, within so many seconds."""
    dice = random.Random(n)
    starts = sorted(dice.uniform(0, seconds - 1) for _ in range(n))
    return [
        Note(21 + i % 88, start, start + dice.uniform(0.01, 0.9), dice.randint(1, 127))
        for i, start in enumerate(starts)
    ]


def test_more_notes_than_a_model_hears_are_refused_before_it_hears_any() -> None:
    within = notes_as_json(notes(MAX_SEED_NOTES, 119))
    asked = {"model": "lstm-events", "seed_seconds": 120, "seconds": 1}
    assert len(read_request(notes=within, **asked).piece.notes) == MAX_SEED_NOTES
    beyond = notes_as_json(notes(MAX_SEED_NOTES + 1, 119))
    with pytest.raises(ValueError, match=f"must have at most {MAX_SEED_NOTES} notes, got 4001"):
        read_request(notes=beyond, **asked)
    # Of a piece that has more, a part that has fewer will do.
    assert read_request(notes=beyond, **{**asked, "seed_seconds": 60})


def test_no_more_is_rendered_than_memory_has_room_for() -> None:
    with pytest.raises(ValueError, match=f"at most {MAX_RENDERED_NOTES} notes to be rendered"):
        render_file(notes(MAX_RENDERED_NOTES + 1, 500), "wav")
    late = [Note(60, MAX_RENDERED_SECONDS, MAX_RENDERED_SECONDS + 1, 64)]
    with pytest.raises(ValueError, match="must end within 600 s to be rendered, got 601 s"):
        render_file(late, "wav")


def test_a_take_ends_where_it_could_not_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(take_requests, "MAX_NOTES", 60)
    request = read_request(seed=None, notes=notes_as_json(tune()), model="lstm-events", seconds=60)
    with pytest.raises(ValueError, match=r"a take may have 60 notes .* ask for fewer seconds"):
        list(stream_request(request))
    # Two takes have room for half as many each.
    two = replace(request, settings=(GenerationSettings(seconds=60),) * 2)
    with pytest.raises(ValueError, match="a take may have 30 notes"):
        list(stream_request(two))


def test_the_longest_that_is_written_is_read_again() -> None:
    written = midi_bytes(notes(MAX_NOTES, MAX_MUSIC_SECONDS))
    assert len(written) < MAX_UPLOAD_BYTES
    piece = read_posted("extend", midi=base64.b64encode(written).decode())
    assert isinstance(piece, SeedPiece)
    assert len(piece.notes) == MAX_NOTES
