"""Carrying a seed on: the same notes for the same settings, and none lost at the border."""

import time
from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import tiny_config, tune

from pyzzicato.attribution import likeliest_composer
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note, sort_notes
from pyzzicato.playing.continuation import Continuation, continue_seed, stream_continuation
from pyzzicato.playing.seed import SILENT_SEED, cut_seed
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations.event_bins import encode_events
from pyzzicato.representations.pianoroll import FS

SHORT = GenerationSettings(seconds=3.0, seed_seconds=4.0)


def frames_of(notes: list[Note]) -> list[tuple[int, int, int]]:
    """Returns (onset frame, pitch, offset frame) of each note, in order."""
    return sorted((round(n.start * FS), n.pitch, round(n.end * FS)) for n in notes)


# Two ways to play: by frames of a roll, by note events.
KINDS = {
    "roll": {"backbone": "lstm"},
    "joint": {"backbone": "lstm", "head": "joint", "composers": ["bach", "chopin"]},
    "events": {"representation": "events", "head": "notes", "composers": ["bach", "chopin"]},
}


@pytest.fixture(params=KINDS)
def player(request: pytest.FixtureRequest) -> PyzzicatoModel:
    """Returns an untrained debug model of each kind in turn."""
    return PyzzicatoModel(tiny_config(**KINDS[request.param])).eval()


def test_same_settings_same_notes_and_other_draw_other_notes(player: PyzzicatoModel) -> None:
    first = continue_seed(player, tune(), SHORT)
    again = continue_seed(player, tune(), SHORT)
    assert (first.notes, first.new_notes) == (again.notes, again.new_notes)
    other = continue_seed(player, tune(), replace(SHORT, rng=1))
    assert frames_of(list(other.new_notes)) != frames_of(list(first.new_notes))
    assert first.remarks == ()


def test_a_longer_continuation_begins_like_a_shorter_one(player: PyzzicatoModel) -> None:
    # Untrained, a model of events waits two seconds from note to note.
    seconds = 3.0 if player.config.representation == "roll" else 20.0
    short = continue_seed(player, tune(), replace(SHORT, seconds=seconds))
    long = continue_seed(player, tune(), replace(SHORT, seconds=2 * seconds))
    end = short.seed_seconds + seconds
    cut = [replace(n, end=min(n.end, end)) for n in long.new_notes if n.start < end]
    assert list(short.new_notes) == cut
    assert len(cut) > 5


def test_chunks_make_up_the_continuation(player: PyzzicatoModel) -> None:
    settings = replace(SHORT, seconds=12.5)
    chunks = list(stream_continuation(player, tune(), settings))
    *earlier, last = chunks
    assert len(earlier) > 3
    assert all(chunk.piece is None for chunk in earlier)
    assert last.piece is not None and last.seconds == 12.5 and last.sounding == ()
    streamed = sort_notes(
        replace(n, start=n.start + 4.0, end=n.end + 4.0) for chunk in chunks for n in chunk.notes
    )
    assert streamed == list(last.piece.new_notes)
    again = continue_seed(player, tune(), settings)
    assert again.new_notes == last.piece.new_notes
    # Each chunk goes on to the next whole second at least, and no note in it ends outside it.
    for before, chunk in zip([0.0, *(c.seconds for c in chunks)], chunks, strict=False):
        assert chunk is last or int(chunk.seconds + 1e-9) > int(before + 1e-9)
        assert all(before - 1e-9 <= n.end <= chunk.seconds + 1e-9 for n in chunk.notes)


def test_what_sounds_at_the_end_of_a_chunk_ends_in_a_later_one(player: PyzzicatoModel) -> None:
    chunks = list(stream_continuation(player, tune(), replace(SHORT, seconds=20.0)))
    n_held = 0
    for i, chunk in enumerate(chunks):
        n_held += len(chunk.sounding)
        later = {(n.pitch, n.start): n for c in chunks[i + 1 :] for n in c.notes}
        for note in chunk.sounding:
            came = later.pop((note.pitch, note.start))
            assert came.velocity == note.velocity
            assert note.start <= chunk.seconds + 1e-9 <= came.end + 2e-9
        # Whatever else comes later is struck later.
        assert all(start >= chunk.seconds - 1e-9 for _, start in later)
    assert n_held > 0


def test_a_slow_listener_is_not_the_models_time(model: PyzzicatoModel) -> None:
    for chunk in stream_continuation(model, tune(), replace(SHORT, seconds=3.0)):
        if chunk.piece is None:
            time.sleep(0.5)
        else:
            assert 0 < chunk.piece.wall_seconds < 0.9


def test_chunks_of_a_roll_are_a_second_each(model: PyzzicatoModel) -> None:
    chunks = stream_continuation(model, tune(), replace(SHORT, seconds=3.5))
    assert [chunk.seconds for chunk in chunks] == [1.0, 2.0, 3.0, 3.5]


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
    end = made.seed_seconds + made.settings.seconds
    assert all(n.end <= end + 1e-9 for n in made.notes)


def test_nothing_of_the_seed_is_lost(player: PyzzicatoModel) -> None:
    rng = np.random.default_rng(7)
    notes = []
    for onset in np.sort(rng.uniform(0, 12, size=120)):
        pitch = int(rng.integers(40, 80))
        held = float(rng.uniform(0.01, 3))
        notes.append(Note(pitch, float(onset), float(onset) + held, int(rng.integers(1, 128))))
    notes = sort_notes(notes)
    for start in (0.0, 2.5):
        # Not a whole number of frames, so that the last one reaches over the end.
        settings = GenerationSettings(seconds=2.02, seed_start=start, seed_seconds=6.0)
        check_border(continue_seed(player, notes, settings), notes, start)


def test_length_and_clock_of_a_continuation(model: PyzzicatoModel) -> None:
    loud = PyzzicatoModel(model.config).eval()
    with torch.no_grad():
        loud.head.out.bias.fill_(-20.0)
        loud.head.out.bias[20:60] = 20.0  # sound in every frame
    made = continue_seed(loud, tune(), replace(SHORT, seconds=2.5))
    assert made.seed_seconds == 4.0
    assert {n.end for n in made.new_notes} == {6.5}
    assert {n.start for n in made.new_notes} == {4.0}
    assert made.continuation_only == [replace(n, start=0.0, end=2.5) for n in made.new_notes]
    assert made.wall_seconds > made.heard_seconds > 0
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


def test_the_composer_and_the_guidance_reach_the_model() -> None:
    model = PyzzicatoModel(tiny_config(**KINDS["joint"])).eval()
    with torch.no_grad():
        model.composers.weight.mul_(30)
        model.head.own.weight.mul_(5)
    settings = replace(SHORT, seconds=5.0)
    played = [
        continue_seed(model, tune(), replace(settings, **how)).new_notes
        for how in (
            {"composer": "any"},
            {"composer": "bach"},
            {"composer": "chopin"},
            {"composer": "chopin", "guidance": 3.0},
            {"composer": "chopin", "guidance": 0.0},
        )
    ]
    anybody, bach, chopin, more_chopin, no_chopin = played
    assert len({anybody, bach, chopin, more_chopin}) == 4
    # Without any guidance the composer is not heard at all.
    assert no_chopin == anybody
    # Without a composer there is nothing to exaggerate.
    anybody_more = replace(settings, composer="any", guidance=3.0)
    assert continue_seed(model, tune(), anybody_more).new_notes == anybody


def test_a_seed_is_played_on_as_the_composer_the_model_hears_in_it() -> None:
    model = PyzzicatoModel(tiny_config(**KINDS["events"])).eval()
    assert model.composers is not None
    with torch.no_grad():
        model.composers.weight.mul_(30)
    heard = []
    for _ in range(2):
        number = likeliest_composer(model, encode_events(cut_seed(tune(), SHORT, FS)[0]))
        made = continue_seed(model, tune(), replace(SHORT, guidance=2.0))
        assert made.composer == ("bach", "chopin")[number - 1]
        asked = replace(SHORT, guidance=2.0, composer=made.composer)
        assert continue_seed(model, tune(), asked).new_notes == made.new_notes
        heard.append(made)
        # The two change places: what was the one's is now the other's.
        with torch.no_grad():
            model.composers.weight[1:] = model.composers.weight[1:].flip(0)
    assert heard[0].composer != heard[1].composer
    assert heard[0].new_notes == heard[1].new_notes


def test_it_is_told_whom_a_piece_was_played_as(player: PyzzicatoModel) -> None:
    asked = ("any", *(player.config.composers or []))
    told = [continue_seed(player, tune(), replace(SHORT, composer=who)).composer for who in asked]
    assert told == [None, *asked[1:]]
    # In silence nobody is heard.
    assert continue_seed(player, [], SHORT).composer is None


def test_what_a_model_cannot_do_is_refused(model: PyzzicatoModel) -> None:
    with pytest.raises(ValueError, match="one of none: this model knows no composers; got 'bach'"):
        continue_seed(model, tune(), replace(SHORT, composer="bach"))
    events = PyzzicatoModel(tiny_config(**KINDS["events"]))
    with pytest.raises(ValueError, match="composer must be one of bach, chopin, any; got 'sat'"):
        continue_seed(events, tune(), replace(SHORT, composer="sat"))
    with pytest.raises(ValueError, match="threshold must be left out .* got 0.3; it is the way of"):
        continue_seed(events, tune(), replace(SHORT, threshold=0.3))


@pytest.mark.parametrize(
    ("notes", "start"),
    [
        ([], 0.0),
        ([Note(60, 0.0, 9.0, 40), Note(62, 8.0, 9.0, 40)], 1.0),
    ],
    ids=["empty", "rest"],
)
def test_from_a_silent_seed_a_new_piece_begins(
    player: PyzzicatoModel, notes: list[Note], start: float
) -> None:
    seconds = 4.0 if player.config.representation == "roll" else 20.0
    settings = GenerationSettings(seconds=seconds, seed_start=start, seed_seconds=2.0)
    made = continue_seed(player, notes, settings)
    assert made.remarks == (SILENT_SEED,)
    assert (made.seed_notes, made.seed_seconds) == ((), 0.0)
    opening = made.new_notes[0]
    assert 48 <= opening.pitch <= 72
    assert (opening.start, opening.velocity) == (0.0, 64)
    assert len(made.new_notes) > 3
    assert all(n.start >= 0.5 for n in made.new_notes[1:])
    assert max(n.end for n in made.new_notes) <= seconds
    assert continue_seed(player, notes, settings).new_notes == made.new_notes
    openings = {
        continue_seed(player, notes, replace(settings, seconds=1, rng=rng)).new_notes[0].pitch
        for rng in range(5)
    }
    assert len(openings) > 1


@pytest.mark.parametrize("fs", [1, 3, 200])
def test_a_new_piece_begins_at_any_frame_rate(fs: int) -> None:
    model = PyzzicatoModel(tiny_config(fs=fs)).eval()
    made = continue_seed(model, [], GenerationSettings(seconds=3.0))
    assert made.new_notes[0].start == 0.0
    assert max(n.end for n in made.new_notes) <= 3.0


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
        ({"threshold": 0.3, "density": 2}, "exclude each other, got 0.3 and 2; leave one"),
        ({"guidance": -0.5}, "guidance must be 0 to 4, got -0.5; 1.5 is a little more"),
        ({"guidance": 5}, "guidance must be 0 to 4, got 5"),
        ({"density": 0.4}, "density must be 0.5 to 2, got 0.4; 2 asks for twice as many"),
        ({"density": 2.5}, "density must be 0.5 to 2, got 2.5"),
        ({"composer": 3}, "composer must be a name, got 3; try 'chopin'"),
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
    low = GenerationSettings(1, 0, 1, 0.01, rng=0, guidance=0, density=0.5)
    high = GenerationSettings(600, 0, 120, 4, rng=2**32 - 1, guidance=4, density=2)
    assert (low.seconds, low.density, high.seed_seconds, high.guidance) == (1, 0.5, 120, 4)


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


def test_a_seed_after_the_end_is_refused_and_one_without_a_stroke_has_no_length() -> None:
    settings = GenerationSettings(seed_start=6.0, seed_seconds=2.0)
    with pytest.raises(ValueError, match=r"seed_start must be below 5\.0 s, .* ends, got 6"):
        cut_seed(tune(5), settings, FS)
    assert cut_seed([], settings, FS) == ([], 0.0)
    # One note sounds throughout, but none is struck.
    assert cut_seed([Note(60, 0.0, 9.0, 40)], settings, FS) == ([], 0.0)
