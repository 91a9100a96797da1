"""Sheet music: what a MusicXML file of a piece says when it is read back."""

import random
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import partitura
import pytest
from midi_builder import meta, midi, off, on, tempo

from pyzzicato.midi import Performance, read_midi
from pyzzicato.notes import Note
from pyzzicato.score import engrave, musicxml, write_musicxml
from pyzzicato.seeds import load_seed


def waltz() -> Performance:
    """Returns eight bars of 3/4 in G minor: a tune over a bass note and two chords."""
    signs = [meta(0, 3, b"Waltz"), tempo(0, 500_000), meta(0, 0x58, bytes((3, 2, 24, 8)))]
    signs.append(meta(0, 0x59, b"\xfe\1"))
    tune = [one for i in range(24) for one in (on(0, 67 + i % 8), off(480, 67 + i % 8))]
    bar = [on(0, 43), off(480, 43), *[on(0, 55), on(0, 58), off(480, 55), off(0, 58)] * 2]
    return read_midi(midi(signs, tune, bar * 8))


def read(path: Path) -> Any:
    """Returns the only part of a score."""
    (part,) = partitura.load_musicxml(path).parts
    return part


def test_a_score_has_the_bars_the_metre_the_key_and_all_notes(tmp_path: Path) -> None:
    like = waltz()
    part = read(write_musicxml(like.music(), tmp_path / "waltz.musicxml", like))
    assert Counter(n.midi_pitch for n in part.notes_tied) == Counter(n.pitch for n in like.notes)
    assert len(part.measures) == 8
    assert [(t.beats, t.beat_type) for t in part.time_sigs] == [(3, 4)]
    assert [(k.fifths, k.mode) for k in part.key_sigs] == [(-2, "minor")]
    onsets = sorted(part.note_array()["onset_quarter"])
    assert onsets == pytest.approx(sorted(2 * note.start for note in like.notes))


@pytest.mark.parametrize("division", [1, 2, 3, 4, 6, 8, 12, 24])
def test_every_length_is_written_in_note_values_tied_within_its_bars(
    division: int, tmp_path: Path
) -> None:
    like = waltz()
    step = 24 // division
    notes, lengths = [], []
    for i, length in enumerate(range(step, 150, step)):
        start = 3 * 24 * 3 * i + step * (i % division)
        notes.append(Note(67, start / 48, (start + length) / 48, 64))
        lengths.append(length / 24)
    text = musicxml(notes, like, division=division)
    written = [note for note in text.split("<note") if "<pitch>" in note]
    assert all("<type>" in note for note in written)  # without it MuseScore reads a quarter
    path = tmp_path / "lengths.musicxml"
    path.write_text(text)
    found = read(path).note_array()["duration_quarter"]
    assert found.tolist() == pytest.approx(lengths)


def test_a_bar_without_a_note_is_a_rest(tmp_path: Path) -> None:
    notes = [Note(67, 0.0, 0.5, 64), Note(67, 7.5, 8.0, 64)]  # bars last 1.5 s
    part = read(write_musicxml(notes, tmp_path / "pause.musicxml", waltz()))
    assert len(part.measures) == 6
    assert part.note_array()["onset_quarter"].tolist() == [0, 15]


def test_hands_are_staves_and_voices_do_not_overlap(tmp_path: Path) -> None:
    rng = random.Random(2)
    like = waltz()
    wild = [
        Note(rng.randint(40, 80), t / 8, t / 8 + rng.choice((0.125, 0.5, 1.5)), 64)
        for t in range(0, 80)
        for _ in range(rng.randint(1, 3))
    ]
    part = read(write_musicxml(wild, tmp_path / "wild.musicxml", like))
    assert {note.staff for note in part.notes} == {1, 2}
    ends: dict[int, tuple[int, int]] = {}
    for note in sorted(part.notes_tied, key=lambda n: n.start.t):
        start, end = note.start.t, note.end_tied.t
        before = ends.get(note.voice, (-1, 0))
        # Of one voice notes begin and end together, or follow each other.
        assert (start, end) == before or start >= before[1], note
        ends[note.voice] = start, end
    upper = [note.midi_pitch for note in part.notes if note.staff == 1]
    lower = [note.midi_pitch for note in part.notes if note.staff == 2]
    assert min(upper) > max(lower)


def test_notes_are_called_what_the_key_calls_them() -> None:
    text = musicxml(waltz().music(), waltz())
    assert "<step>B</step>" in text and "<alter>-1</alter>" in text
    assert "<step>A</step><alter>1</alter>" not in "".join(text.split())
    assert "Waltz" in text and "Another" in musicxml(waltz().music(), waltz(), title="Another")


def test_a_seed_within_a_bar_begins_behind_a_rest(tmp_path: Path) -> None:
    like = waltz()
    part = read(
        write_musicxml([Note(72, 0.0, 0.5, 64)], tmp_path / "a.musicxml", like, like_start_s=2.0)
    )
    assert part.note_array()["onset_quarter"].tolist() == [1.0]


def test_a_preset_with_an_upbeat_is_a_score(tmp_path: Path) -> None:
    seed = load_seed("chopin-nocturne-e-flat")
    part = read(write_musicxml(seed.notes, tmp_path / "nocturne.musicxml", seed.performance))
    assert [(t.beats, t.beat_type) for t in part.time_sigs] == [(1, 8), (12, 8)]
    assert len(part.notes_tied) == len(seed.notes)


def test_what_cannot_be_a_score_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(1)
    free = read_midi(
        midi([one for _ in range(60) for one in (on(rng.randint(1, 400), 60), off(77, 60))])
    )
    with pytest.raises(ValueError, match="needs notes on a grid, got a free performance"):
        musicxml(free.music(), free)
    with pytest.raises(ValueError, match="at least one note, got none"):
        musicxml([], waltz())
    with pytest.raises(ValueError, match="cannot be written: .*choose an existing folder"):
        write_musicxml(waltz().music(), tmp_path / "none" / "a.musicxml", waltz())
    monkeypatch.setitem(sys.modules, "partitura", None)
    with pytest.raises(ValueError, match="partitura is needed for scores; install it"):
        musicxml(waltz().music(), waltz())


def test_scores_are_drawn_in_whatever_thread() -> None:
    text = musicxml(waltz().music(), waltz())
    with ThreadPoolExecutor(1) as pool:
        drawn = [engrave(text), pool.submit(engrave, text).result()]
    assert all(svg is not None and svg.startswith("<svg") for svg in drawn)
    assert engrave("no score") is None
