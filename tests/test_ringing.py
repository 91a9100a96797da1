"""Lengths of notes as if no key were struck twice."""

from pathlib import Path

import numpy as np
import pytest

from pyzzicato.midi import read_midi, write_midi
from pyzzicato.notes import Note, PedalSpan, end_of, sustain_notes
from pyzzicato.representations.event_bins import DURATIONS_S
from pyzzicato.representations.note_events import NoteDecoder, NoteEvents
from pyzzicato.representations.passages import Change
from pyzzicato.representations.ringing import TOLERANCE_S, as_heard, let_ring
from pyzzicato.training.store import NoteStore, StoreWriter, pack_notes

LIFTED_S = 4.0
RINGING = NoteEvents(lets_ring=True)


def pedalled(n: int = 24, seed: int = 0) -> tuple[list[Note], list[Note]]:
    """Returns short notes under a pedal that is lifted every 4 s: as heard, and as they ring."""
    rng = np.random.default_rng(seed)
    starts = np.sort(rng.choice(np.arange(0, 1200, 5), n, replace=False)) / 100
    short = [
        Note(int(pitch), float(start), float(start) + 0.04, 64)
        for pitch, start in zip(rng.integers(60, 66, n), starts, strict=True)
    ]
    # Down again 10 ms after it was lifted: what is struck just before a lift ends by itself.
    pedals = [PedalSpan(k * LIFTED_S + 0.01, (k + 1) * LIFTED_S) for k in range(4)]
    alone = [sustain_notes([note], pedals)[0] for note in short]
    return sustain_notes(short, pedals), alone


@pytest.mark.parametrize("seed", range(5))
def test_a_note_that_its_key_ends_rings_until_the_dampers_fall(seed: int) -> None:
    heard, alone = pedalled(seed=seed)
    n_cut = sum(a.end < b.end for a, b in zip(heard, alone, strict=True))
    assert n_cut > 5
    assert let_ring(heard) == alone
    assert as_heard(alone) == heard
    assert let_ring(alone) == alone  # What rings already stays.


def test_where_other_voices_go_on_a_repeated_note_ends_with_its_key() -> None:
    # A score: no pedal, every note as long as it is written.
    upper = [Note(72, t / 2, (t + 1) / 2, 64) for t in range(8)]
    lower = [Note(48 + t, t / 2, (t + 1) / 2, 64) for t in range(8)]
    assert let_ring([*upper, *lower]) == sorted([*upper, *lower], key=lambda n: (n.start, n.pitch))


def test_what_nothing_tells_stays_as_it_is() -> None:
    assert let_ring([]) == as_heard([]) == []
    # Of a key alone it cannot be known whether the dampers are up.
    alone = [Note(60, 0.0, 1.0, 64), Note(60, 1.0, 2.5, 64)]
    assert let_ring(alone) == [Note(60, 0.0, 2.5, 64), alone[1]]
    apart = [Note(60, 0.0, 1.0, 64), Note(60, 1.0 + 2 * TOLERANCE_S, 2.5, 64)]
    assert let_ring(apart) == apart


def test_what_was_written_to_a_file_rings_as_before(tmp_path: Path) -> None:
    heard, alone = pedalled()
    write_midi(heard, tmp_path / "take.mid")
    rung = let_ring(read_midi(tmp_path / "take.mid").sounding())
    assert [n.end for n in rung] == pytest.approx([n.end for n in alone], abs=0.003)


def test_the_steps_hold_lengths_that_ring_and_are_heard_as_they_were() -> None:
    heard, alone = pedalled()
    steps = RINGING.encode(heard)
    assert np.array_equal(steps, NoteEvents().encode(alone))
    back = RINGING.decode(steps)
    assert [n.pitch for n in back] == [n.pitch for n in heard]
    # A length is rounded by up to 6 %; where the key is struck again the end is exact.
    for note, was in zip(back, heard, strict=True):
        assert note.end == pytest.approx(was.end, abs=0.06 * LIFTED_S)


def test_a_decoder_lets_the_seed_ring_for_the_network_alone() -> None:
    heard, _ = pedalled()
    seconds = np.ceil(end_of(heard))
    decoder = NoteDecoder(heard, seconds, lets_ring=True)
    assert np.array_equal(decoder.seed_steps, RINGING.encode(heard))
    assert decoder.seed_as_held() == heard
    # A new note that its key ends is heard to end there, however long it was to ring.
    decoder.play(np.array([56, 40, 47, 8], dtype=np.uint8))
    (ended,) = decoder.play(np.array([10, 40, 47, 8], dtype=np.uint8))
    assert ended.duration < 0.2 < DURATIONS_S[47]


def test_a_crop_rings_as_the_whole_piece_does(tmp_path: Path) -> None:
    heard, _ = pedalled(n=200)
    writer = StoreWriter(tmp_path, "extend", "Tunes", "CC0 1.0")
    writer.add(pack_notes(heard), composer="", title="", split="train", path="a.mid")
    writer.close()
    store = NoteStore(tmp_path)
    (piece,) = store.pieces
    whole = RINGING.crop(store, piece, 0, 200, Change())
    assert np.array_equal(whole[1:], RINGING.encode(store.notes(piece))[1:])
    # The notes around a crop are looked at as well, but not those of a crop's length before.
    for place in (1, 60, 130):
        crop = RINGING.crop(store, piece, place, 40, Change())
        assert crop.shape == (40, 4)
        assert np.array_equal(crop[:, 1:], whole[place : place + 40, 1:])
