"""Mistakes that training music is given on purpose, and what shall follow them."""

import numpy as np
import pytest
from conftest import tune

from pyzzicato.representations import Representation
from pyzzicato.representations.event_bins import ONSET_TICKS, SIZES, onset_bins
from pyzzicato.representations.note_events import NoteEvents
from pyzzicato.representations.roll import PianoRoll
from pyzzicato.training.mistakes import take_crowds, take_detours, take_stutters

FS = 20


@pytest.mark.parametrize("steps", [PianoRoll(FS), NoteEvents()], ids=lambda steps: steps.unit)
def test_no_noise_changes_nothing(steps: Representation) -> None:
    clean = steps.encode(tune())
    noised = steps.add_noise(clean, 0.0, np.random.default_rng(0))
    assert np.array_equal(noised, clean)


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_a_share_of_notes_is_wrong_within_an_octave(share: float) -> None:
    rng = np.random.default_rng(0)
    clean = np.stack([rng.integers(size, size=5000) for size in SIZES], axis=1).astype(np.uint8)
    kept = clean.copy()
    noised = NoteEvents().add_noise(clean, share, rng)
    assert np.array_equal(clean, kept)
    moves = noised.astype(int) - clean
    assert not moves[:, [0, 3]].any()
    assert np.abs(moves).max(axis=0).tolist() == [0, 12, 6, 0]
    assert (noised < np.array(SIZES)).all()
    # One move in 25 * 13 is none at all; at the ends of a scale a few more are.
    wrong = moves.any(axis=1).mean()
    assert wrong == pytest.approx(share, rel=0.25)


@pytest.mark.parametrize("share", [0.01, 0.1])
def test_in_a_share_of_frames_a_key_goes_wrong_for_a_while(share: float) -> None:
    # One chord throughout, so that each mistake can be seen.
    n_frames = 20_000
    clean = np.zeros((n_frames, 88), dtype=np.uint8)
    clean[:, [40, 44]] = 1
    kept = clean.copy()
    noised = PianoRoll(FS).add_noise(clean, share, np.random.default_rng(0))
    assert np.array_equal(clean, kept)
    assert set(np.unique(noised)) == {0, 1}
    wrong = noised != clean
    # Half of them silence a key that sounds, for one to eight frames, 4.5 on the average.
    silenced = wrong[:, [40, 44]].sum() / 4.5 / n_frames
    assert 0.35 * share < silenced < 0.55 * share
    # Now and then many keys at once sound, wherever they lie.
    handfuls = wrong.sum(axis=1) >= 3
    assert wrong[:, :28].any() and wrong[:, 57:].any()
    assert (wrong[handfuls].sum(axis=1) <= 45).all()
    assert 0.01 * share < handfuls.mean() < 6 * share
    if share == 0.01:
        # The others lie within an octave of what sounds, most for a moment, some for seconds.
        alone = wrong & ~wrong[:, :28].any(axis=1, keepdims=True)
        edges = np.diff(np.pad(alone, ((1, 1), (0, 0))).astype(int), axis=0)
        lengths = np.nonzero(edges.T == -1)[1] - np.nonzero(edges.T == 1)[1]
        assert set(range(1, 9)) <= set(lengths.tolist())
        assert np.median(lengths) <= 8
        assert 40 < lengths.max() <= 18 * FS


def test_now_and_then_no_key_is_let_go_for_a_while() -> None:
    # Up the keyboard again and again, two frames a key.
    clean = np.zeros((20_000, 88), dtype=np.uint8)
    for key in range(88):
        clean[2 * key :: 176, key] = clean[2 * key + 1 :: 176, key] = 1
    noised = PianoRoll(FS).add_noise(clean, 0.02, np.random.default_rng(0))
    # Of 40 keys at once hardly one can be a cluster's, which last a second at most.
    n_held = noised.sum(axis=1)
    assert 60 < n_held.max() <= 88
    assert 0.005 < (n_held > 40).mean() < 0.05


def test_mistakes_in_silence_are_keys_that_sound() -> None:
    silence = np.zeros((2000, 88), dtype=np.uint8)
    noised = PianoRoll(FS).add_noise(silence, 0.1, np.random.default_rng(0))
    assert 0.2 < noised.any(axis=1).mean() < 0.9


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_a_share_of_the_steps_is_in_another_key(share: float) -> None:
    clean = np.full((60_000, 4), 44, dtype=np.uint8)
    strayed = take_detours(clean, share, NoteEvents(), np.random.default_rng(0))
    assert (clean == 44).all()
    assert (strayed[:, [0, 2, 3]] == 44).all()
    moves = strayed[:, 1].astype(int) - 44
    assert set(np.unique(moves)) == set(range(-6, 7))
    # A few passages lie in others.
    assert (moves != 0).mean() == pytest.approx(share, rel=0.2)
    edges = np.flatnonzero(np.diff(np.pad(moves, 1)))
    lengths = np.diff(edges)[moves[edges[:-1]] != 0]
    # Where passages overlap, the later one covers the earlier.
    assert lengths.max() <= 95
    assert (lengths >= 16).mean() > 0.7
    assert lengths.mean() == pytest.approx(55, rel=0.25)


def test_detours_move_whole_chords_of_a_roll() -> None:
    clean = np.zeros((5000, 88), dtype=np.uint8)
    clean[:, [40, 44, 47]] = 1
    strayed = take_detours(clean, 0.1, PianoRoll(FS), np.random.default_rng(0))
    assert (strayed.sum(axis=1) == 3).all()
    lowest = strayed.argmax(axis=1)
    assert all(
        np.flatnonzero(frame).tolist() == [low, low + 4, low + 7]
        for frame, low in zip(strayed, lowest, strict=True)
    )
    assert 0.05 < (lowest != 40).mean() < 0.2


def test_without_detours_nothing_is_drawn() -> None:
    rng = np.random.default_rng(5)
    clean = NoteEvents().encode(tune())
    assert take_detours(clean, 0.0, NoteEvents(), rng) is clean
    assert rng.random() == np.random.default_rng(5).random()


def test_crowded_passages_of_a_roll_hold_more_or_fewer_whole_notes() -> None:
    rng = np.random.default_rng(0)
    # One key after the other, half a second each, all within reach of an echo's octave.
    clean = np.zeros((200, 88), dtype=np.uint8)
    for i in range(20):
        clean[10 * i : 10 * i + 10, 30 + i] = 1
    counts = []
    for _ in range(200):
        crowded = PianoRoll(FS).crowd(clean, rng)
        assert crowded.dtype == np.uint8 and set(np.unique(crowded)) <= {0, 1}
        struck = np.diff(crowded.astype(int), axis=0, prepend=0) == 1
        counts.append(int(struck.sum()))
        # Nothing is cut short, but for an echo by the end of the passage.
        lengths = crowded[:, :36].sum(axis=0)
        assert set(lengths.tolist()) <= {0, *range(10, 19), 20}
        if counts[-1] > 20:
            assert (crowded >= clean).all()
        else:
            assert (crowded <= clean).all() or counts[-1] == 20
    assert min(counts) <= 4 and max(counts) >= 36
    # An echo in the same place only makes notes longer.
    assert 0.3 < np.mean(np.array(counts) > 20) < 0.6
    for n_frames in range(1, 10):
        assert PianoRoll(FS).crowd(clean[:n_frames], rng).shape == (n_frames, 88)


def test_crowded_notes_follow_faster_or_slower_and_chords_stay() -> None:
    rng = np.random.default_rng(0)
    clean = np.full((60, 4), 40, dtype=np.uint8)
    clean[::3, 0] = 2  # two ticks after the note before: of one chord
    clean[1::3, 0] = onset_bins(20)
    clean[2::3, 0] = onset_bins(100)
    ratios = []
    for _ in range(100):
        crowded = NoteEvents().crowd(clean, rng)
        assert np.array_equal(crowded[:, 1:], clean[:, 1:])
        assert (crowded[::3, 0] == 2).all()
        assert len(set(crowded[1::3, 0].tolist())) == 1
        ratios.append(ONSET_TICKS[crowded[2, 0]] / ONSET_TICKS[clean[2, 0]])
    assert 0.45 < min(ratios) < 0.6 and 1.7 < max(ratios) < 2.15


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_a_share_of_the_steps_is_crowded(share: float) -> None:
    clean = np.full((600_000, 4), 44, dtype=np.uint8)
    strayed = take_crowds(clean, share, NoteEvents(), np.random.default_rng(0))
    assert (clean == 44).all()
    # One factor in about sixteen is too small to be heard; a few passages lie in others.
    assert (strayed[:, 0] != 44).mean() == pytest.approx(0.94 * share, rel=0.2)


def test_without_crowds_nothing_is_drawn() -> None:
    rng = np.random.default_rng(5)
    clean = NoteEvents().encode(tune())
    assert take_crowds(clean, 0.0, NoteEvents(), rng) is clean
    assert rng.random() == np.random.default_rng(5).random()


def test_stutters_of_a_roll_strike_one_key_and_hold_what_sounded() -> None:
    written = np.zeros((90, 88), dtype=np.uint8)
    written[:, [40, 44]] = (np.arange(90) % 9 < 8)[:, None]
    written[:30, 20] = 1  # from before, let go in its midst
    written[50:, 60] = 1
    shortest, longest, keys = 99, 0, set()
    for seed in range(100):
        stuttered = PianoRoll(FS).stutter(written, np.random.default_rng(seed))
        assert set(np.unique(stuttered)) == {0, 1}
        struck = np.diff(stuttered.astype(int), axis=0) == 1
        (key,) = struck.any(axis=0).nonzero()[0]
        keys.add(int(key))
        for other in {20, 40, 44} - {key}:
            assert stuttered[:, other].tolist() == [1] * (30 if other == 20 else 8) + [0] * (
                60 if other == 20 else 82
            )
        assert not stuttered[:, 60].any()
        waits = np.diff(np.flatnonzero(struck[:, key]))
        if len(waits):
            shortest, longest = min(shortest, waits.min()), max(longest, waits.max())
    assert keys == {20, 40, 44}
    assert (shortest, longest) == (2, 16)


def test_after_a_stutter_of_a_roll_comes_what_was_written() -> None:
    """Nothing says that the key shall be struck again."""
    written = np.zeros((90, 88), dtype=np.uint8)
    written[:3, 40] = 1
    written[45:50, 70] = 1
    stuttered = PianoRoll(FS).stutter(written, np.random.default_rng(0))
    follows = PianoRoll(FS).intended(written, stuttered)
    struck = (follows > stuttered[:-1]).nonzero()
    assert [part.tolist() for part in struck] == [[44], [70]]


def test_stutters_of_silence_are_silent() -> None:
    silence = np.zeros((50, 88), dtype=np.uint8)
    assert not PianoRoll(FS).stutter(silence, np.random.default_rng(0)).any()


def test_stuttered_notes_are_of_one_key_and_none_with_another() -> None:
    rng = np.random.default_rng(0)
    written = np.stack([rng.integers(size, size=60) for size in SIZES], axis=1).astype(np.uint8)
    written[::3, 0] = 1
    lengths = set()
    for seed in range(200):
        stuttered = NoteEvents().stutter(written, np.random.default_rng(seed))
        assert np.array_equal(stuttered[:, 2:], written[:, 2:])
        n = int(np.random.default_rng(seed).integers(3, 13))
        lengths.add(n)
        assert (stuttered[:n, 1] == written[0, 1]).all()
        assert (ONSET_TICKS[stuttered[:n, 0]] > 3).all()
        assert np.array_equal(stuttered[n:], written[n:])
    assert (min(lengths), max(lengths)) == (3, 12)
    written[:, 0] = 1  # one chord: nothing says how far apart
    assert np.array_equal(NoteEvents().stutter(written, rng)[:, 0], written[:, 0])


def test_a_share_of_the_steps_stutters() -> None:
    clean = np.zeros((60_000, 88), dtype=np.uint8)
    clean[:, 40] = 1
    strayed = take_stutters(clean, 0.1, PianoRoll(FS), np.random.default_rng(0))
    assert (clean[:, 40] == 1).all()
    n_frames = 0
    edges = np.flatnonzero(strayed[:, 40] == 0)
    for wait in np.diff(edges):
        n_frames += int(wait) if wait <= 16 else 0
    assert n_frames / 60_000 == pytest.approx(0.1, rel=0.25)


def test_without_stutters_nothing_is_drawn() -> None:
    rng = np.random.default_rng(5)
    clean = NoteEvents().encode(tune())
    assert take_stutters(clean, 0.0, NoteEvents(), rng) is clean
    assert rng.random() == np.random.default_rng(5).random()


def test_openings_of_a_roll_leave_one_note_or_chord_before_the_music() -> None:
    """What sounded last is left, from its stroke to the last frame in which it was held."""
    written = np.zeros((200, 88), dtype=np.uint8)
    written[:, [40, 44]] = (np.arange(200) % 8 < 5)[:, None]
    written[::8, 44] = 0  # struck a frame later
    n_keys, lengths = [], set()
    for seed in range(300):
        opened = PianoRoll(FS).open(written, np.random.default_rng(seed))
        n = int(np.random.default_rng(seed).integers(8, 61))
        lengths.add(n)
        assert np.array_equal(opened[n:], written[n:])
        last = n - 1 - max(0, (n - 1) % 8 - 4)  # the last frame in which anything sounds
        left = {
            key: np.flatnonzero(opened[:n, key]).tolist() for key in opened[:n].any(0).nonzero()[0]
        }
        n_keys.append(len(left))
        for key, frames in left.items():
            assert frames == [*range(last - last % 8 + (key == 44), last + 1)]
    assert {min(lengths), max(lengths)} == {8, 60}
    assert set(n_keys) == {1, 2} and 0.3 < np.mean(np.array(n_keys) == 2) < 0.6


def test_openings_of_silence_and_of_short_crops_are_silent_or_short() -> None:
    rng = np.random.default_rng(1)
    silence = np.zeros((100, 88), dtype=np.uint8)
    assert not PianoRoll(FS).open(silence, rng).any()
    assert PianoRoll(FS).open(np.ones((3, 88), dtype=np.uint8), rng).shape == (3, 88)
    events = NoteEvents().encode(tune())
    assert NoteEvents().open(events, rng) is events


def test_after_a_mistake_new_notes_are_as_written_and_held_ones_as_played() -> None:
    written = np.zeros((6, 88), dtype=np.uint8)
    played = written.copy()
    written[0:4, 10] = played[0:4, 10] = 1  # as written
    written[1:5, 20] = 1  # left out
    played[1:4, 30] = 1  # by mistake
    follows = PianoRoll(FS).intended(written, played)
    assert follows.shape == (5, 88)
    assert follows[:, 10].tolist() == [1, 1, 1, 0, 0]
    assert follows[:, 20].tolist() == [1, 0, 0, 0, 0]
    assert follows[:, 30].tolist() == [0, 1, 1, 0, 0]
    assert follows.sum() == 3 + 1 + 2


def test_without_mistakes_what_follows_is_what_is_written() -> None:
    for steps in (PianoRoll(FS), NoteEvents()):
        written = steps.encode(tune())
        assert np.array_equal(steps.intended(written, written), written[1:])
        strayed = steps.transpose(written, 3)
        if isinstance(steps, NoteEvents):
            assert np.array_equal(steps.intended(written, strayed), written[1:])
