"""Carrying a seed on: the same notes for the same settings, and none lost at the border."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import tiny_config, tune

from pyzzicato.generation import (
    Continuation,
    GenerationSettings,
    RollPlayer,
    continue_seed,
    cut_seed,
    one_thread,
    stream_continuation,
)
from pyzzicato.models import PyzzicatoModel, SamplingRule
from pyzzicato.notes import Note, sort_notes
from pyzzicato.pianoroll import FS, notes_to_roll, roll_to_notes
from pyzzicato.touch import SeedTouch

SHORT = GenerationSettings(seconds=3.0, seed_seconds=4.0)


def frames_of(notes: list[Note]) -> list[tuple[int, int, int]]:
    """Returns (onset frame, pitch, offset frame) of each note, in order."""
    return sorted((round(n.start * FS), n.pitch, round(n.end * FS)) for n in notes)


def new_player(seed: list[Note], seed_seconds: float) -> RollPlayer:
    """Returns a player of a seed at the project's frame rate."""
    return RollPlayer(seed, seed_seconds, FS, SeedTouch(seed, 0))


def test_same_settings_same_notes_and_other_draw_other_notes(model: PyzzicatoModel) -> None:
    first = continue_seed(model, tune(), SHORT)
    again = continue_seed(model, tune(), SHORT)
    assert (first.notes, first.new_notes) == (again.notes, again.new_notes)
    other = continue_seed(model, tune(), replace(SHORT, rng=1))
    assert frames_of(list(other.new_notes)) != frames_of(list(first.new_notes))
    assert len(first.new_notes) > 20


def test_a_longer_continuation_begins_like_a_shorter_one(model: PyzzicatoModel) -> None:
    short = continue_seed(model, tune(), SHORT)
    long = continue_seed(model, tune(), replace(SHORT, seconds=8.0))
    end = short.seed_seconds + 3.0
    cut = [replace(n, end=min(n.end, end)) for n in long.new_notes if n.start < end]
    assert list(short.new_notes) == cut


def test_chunks_make_up_the_continuation_a_second_at_a_time(model: PyzzicatoModel) -> None:
    settings = replace(SHORT, seconds=3.5)
    seed, seconds = cut_seed(tune(), settings, FS)
    chunks = list(stream_continuation(model, new_player(seed, seconds), settings))
    assert [chunk.seconds for chunk in chunks] == [1.0, 2.0, 3.0, 3.5]
    before = 0.0
    for chunk in chunks:
        assert all(before <= n.end <= chunk.seconds for n in chunk.notes)
        before = chunk.seconds
    streamed = sort_notes(
        replace(n, start=n.start + seconds, end=n.end + seconds)
        for chunk in chunks
        for n in chunk.notes
    )
    assert streamed == list(continue_seed(model, tune(), settings).new_notes)


def test_inference_mode_is_off_while_a_stream_waits(model: PyzzicatoModel) -> None:
    seed, seconds = cut_seed(tune(), SHORT, FS)
    for _ in stream_continuation(model, new_player(seed, seconds), SHORT):
        assert not torch.is_inference_mode_enabled()


@pytest.mark.parametrize("backbone", ["conv1d", "wavenet", "lstm"])
@pytest.mark.parametrize("settings", [SHORT, replace(SHORT, threshold=0.3)], ids=["draw", "0.3"])
def test_equals_the_slow_obvious_way(backbone: str, settings: GenerationSettings) -> None:
    """The slow way: the whole roll through the model again for every frame."""
    model = PyzzicatoModel(tiny_config(backbone=backbone, hidden_size=32)).eval()
    with torch.no_grad():
        # An untrained model copies the present frame; this one goes by its backbone, restlessly.
        model.head.stay.zero_()
        model.head.out.bias.fill_(-1.0)
        model.head.out.weight.mul_(10)
    made = continue_seed(model, tune(), settings)
    assert len(made.new_notes) > 20

    seed, seconds = cut_seed(tune(), settings, FS)
    roll = (notes_to_roll(seed, round(seconds * FS)) > 0).astype(np.uint8)
    generator = torch.Generator().manual_seed(settings.rng)
    rule = SamplingRule(settings.temperature, settings.threshold)
    with torch.no_grad():
        for _ in range(round(settings.seconds * FS)):
            hidden, _ = model.hidden(torch.from_numpy(roll)[None], model.start(1))
            frame = model.sample(hidden[:, -1], rule, generator)
            roll = np.concatenate((roll, frame.numpy()))
    assert frames_of(made.notes) == frames_of(roll_to_notes(roll))


@pytest.mark.parametrize("density", [0.02, 0.5])
def test_player_equals_reading_the_whole_roll(density: float) -> None:
    rng = np.random.default_rng(5)
    seed = tune(3)
    player = new_player(seed, 3.0)
    frames = (rng.random((200, 88)) < density).astype(np.uint8)
    # Long notes too: a key mostly goes on as it was.
    for t in range(1, 200):
        stays = rng.random(88) < 0.8
        frames[t, stays] = frames[t - 1, stays]
    new = [note for frame in frames for note in player.play(frame)] + player.stop()
    moved = [replace(n, start=n.start + 3.0, end=n.end + 3.0) for n in new]
    whole = np.concatenate(((notes_to_roll(seed, 60) > 0).astype(np.uint8), frames))
    assert frames_of(player.seed_as_held() + moved) == frames_of(roll_to_notes(whole))
    assert player.seconds == 10.0


def test_a_note_over_the_border_is_held_as_long_as_the_model_holds_it() -> None:
    seed = [Note(60, 0.0, 0.5, 40), Note(60, 0.75, 1.0, 80), Note(64, 0.0, 1.0, 50)]
    player = new_player(seed, 1.0)
    held, struck = np.zeros(88, np.uint8), np.zeros(88, np.uint8)
    held[60 - 21] = 1
    struck[67 - 21] = 1
    assert player.play(held) == player.play(held) == []
    assert player.play(struck) == []
    assert player.play(np.zeros(88, np.uint8)) == [
        Note(67, 0.1, 0.15, SeedTouch(seed, 0).velocity(67))
    ]
    assert player.stop() == []
    # 60 sounded two frames on, as its last stroke; 64 was let go at once.
    assert player.seed_as_held() == sort_notes([seed[0], replace(seed[1], end=1.1), seed[2]])


def test_notes_still_down_at_the_end_are_let_go_there() -> None:
    seed = [Note(60, 0.0, 1.0, 40)]
    player = new_player(seed, 1.0)
    both = np.zeros(88, np.uint8)
    both[[60 - 21, 67 - 21]] = 1
    player.play(both)
    player.play(both)
    assert [(n.pitch, n.start, n.end) for n in player.stop()] == [(67, 0.0, 0.1)]
    assert player.seed_as_held() == [Note(60, 0.0, 1.1, 40)]


def check_border(made: Continuation, notes: list[Note], start: float = 0.0) -> None:
    """Asserts that the seed is whole, at most lengthened, and that new notes come after it."""
    in_seed = [n for n in notes if start <= n.start < start + made.settings.seed_seconds]
    assert [(n.pitch, n.start, n.velocity) for n in made.seed_notes] == [
        (n.pitch, n.start - start, n.velocity) for n in in_seed
    ]
    for note, original in zip(made.seed_notes, in_seed, strict=True):
        played_to = min(original.end - start, made.seed_seconds)
        assert note.end == pytest.approx(played_to) or note.end > made.seed_seconds
    assert all(n.start >= made.seed_seconds for n in made.new_notes)
    end = made.seed_seconds + math.ceil(made.settings.seconds * FS - 1e-9) / FS
    assert all(n.end <= end + 1e-9 for n in made.notes)


def test_nothing_of_the_seed_is_lost(model: PyzzicatoModel) -> None:
    rng = np.random.default_rng(7)
    notes = []
    for onset in np.sort(rng.uniform(0, 12, size=120)):
        pitch = int(rng.integers(40, 80))
        held = float(rng.uniform(0.01, 3))
        notes.append(Note(pitch, float(onset), float(onset) + held, int(rng.integers(1, 128))))
    notes = sort_notes(notes)
    for start in (0.0, 2.5):
        settings = GenerationSettings(seconds=2.0, seed_start=start, seed_seconds=6.0)
        check_border(continue_seed(model, notes, settings), notes, start)


def test_length_and_clock_of_a_continuation(model: PyzzicatoModel) -> None:
    loud = PyzzicatoModel(model.config).eval()
    with torch.no_grad():
        loud.head.out.bias.fill_(20.0)  # every key sounds in every frame
    made = continue_seed(loud, tune(), replace(SHORT, seconds=2.5))
    assert made.seed_seconds == 4.0
    assert {n.end for n in made.new_notes} == {6.5}
    assert {n.start for n in made.new_notes} == {4.0}
    assert made.continuation_only == [replace(n, start=0.0, end=2.5) for n in made.new_notes]
    assert made.wall_seconds > 0
    assert made.real_time_factor == pytest.approx(2.5 / made.wall_seconds)


def test_a_silent_model_plays_nothing_and_keeps_the_seed(model: PyzzicatoModel) -> None:
    with torch.no_grad():
        model.head.out.bias.fill_(-50.0)
    made = continue_seed(model, tune(), SHORT)
    assert made.new_notes == ()
    assert made.notes == [n for n in tune() if n.start < 4.0]


def test_the_settings_reach_the_model(model: PyzzicatoModel) -> None:
    counts = [
        len(continue_seed(model, tune(), replace(SHORT, **how)).new_notes)
        for how in ({"temperature": 0.2}, {}, {"temperature": 4.0})
    ]
    assert counts[0] < counts[1] < counts[2]
    assert continue_seed(model, tune(), replace(SHORT, threshold=0.999)).new_notes == ()


def test_progress_is_told_about_once_a_second(model: PyzzicatoModel) -> None:
    told: list[float] = []
    continue_seed(model, tune(), replace(SHORT, seconds=2.25), told.append)
    assert told == [1.0, 2.0, 2.25]


def test_new_notes_have_the_seeds_touch(model: PyzzicatoModel) -> None:
    quiet = [replace(n, velocity=20 + n.pitch % 3) for n in tune()]
    velocities = {n.velocity for n in continue_seed(model, quiet, SHORT).new_notes}
    assert velocities <= {20, 21, 22}


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"seconds": 0.5}, "seconds must be 1 to 600, got 0.5; ask for less"),
        ({"seconds": 601}, "seconds must be 1 to 600, got 601"),
        ({"seconds": float("nan")}, "seconds must be 1 to 600, got nan"),
        ({"seconds": "30"}, "seconds must be 1 to 600, got '30'"),
        ({"seconds": True}, "seconds must be 1 to 600, got True"),
        ({"seed_start": -1}, "seed_start must be 0 to inf, got -1; 0 is the beginning"),
        ({"seed_seconds": 0}, "seed_seconds must be 1 to 120, got 0; 10 is usual"),
        ({"seed_seconds": 121.0}, "seed_seconds must be 1 to 120, got 121.0"),
        ({"temperature": 0}, "temperature must be 0.01 to 4, got 0; 1 plays"),
        ({"temperature": 4.1}, "temperature must be 0.01 to 4, got 4.1"),
        ({"threshold": 0}, "threshold must be 0.001 to 0.999, got 0; try 0.3"),
        ({"threshold": 1.0}, "threshold must be 0.001 to 0.999, got 1.0"),
        ({"threshold": 0.3, "temperature": 0.9}, "exclude each other, got 0.3 and 0.9; leave"),
        ({"rng": -1}, "rng must be 0 to 4294967295, got -1; try 0"),
        ({"rng": 2**32}, "rng must be 0 to 4294967295, got 4294967296"),
        ({"rng": 1.5}, "rng must be a whole number, got 1.5"),
        ({"rng": True}, "rng must be a whole number, got True"),
    ],
)
def test_bad_settings_name_value_range_and_fix(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        GenerationSettings(**values)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_the_ends_of_the_ranges_are_taken() -> None:
    GenerationSettings(seconds=1, seed_seconds=1, temperature=0.01, rng=0)
    GenerationSettings(seconds=600, seed_seconds=120, temperature=4, rng=2**32 - 1)


def test_a_seed_is_cut_and_moved_to_0() -> None:
    settings = GenerationSettings(seed_start=1.0, seed_seconds=2.0)
    seed, seconds = cut_seed(tune(), settings, FS)
    assert seconds == 2.0
    assert frames_of(seed) == frames_of(
        [replace(n, start=n.start - 1, end=min(n.end, 3.0) - 1) for n in tune() if 1 <= n.start < 3]
    )


def test_a_shorter_piece_is_taken_whole_to_the_next_frame() -> None:
    notes = [Note(60, 0.0, 1.01, 40)]
    assert cut_seed(notes, GenerationSettings(), FS) == (notes, 1.05)
    assert cut_seed([Note(60, 0.0, 1.1, 40)], GenerationSettings(), FS)[1] == 1.1


@pytest.mark.parametrize(
    ("notes", "start", "words"),
    [
        ([], 0.0, "the seed has no note between 0 and 2 s"),
        (tune(5), 6.0, "seed_start must be below 5.0 s, where the piece ends, got 6"),
        (
            [Note(60, 0.0, 9.0, 40), Note(62, 5.0, 6.0, 40)],
            1.0,
            "the seed has no note between 1 and 3 s; the next note is at 5.0 s",
        ),
    ],
)
def test_seeds_without_notes_are_refused(notes: list[Note], start: float, words: str) -> None:
    settings = GenerationSettings(seed_start=start, seed_seconds=2.0)
    with pytest.raises(ValueError) as caught:
        cut_seed(notes, settings, FS)
    assert words in str(caught.value)


def test_the_number_of_threads_is_put_back(model: PyzzicatoModel) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        seen: list[int] = []
        continue_seed(model, tune(), SHORT, lambda _: seen.append(torch.get_num_threads()))
        assert set(seen) == {1}
        assert torch.get_num_threads() == 2
        with pytest.raises(ZeroDivisionError), one_thread():
            _ = 1 / 0
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
