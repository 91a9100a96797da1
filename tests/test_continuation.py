"""Carrying a seed on: the same notes for the same settings, and none lost at the border."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import tune
from graph_store import playable
from made_graphs import architecture, made_events, made_roll
from model_cases import CASES, halved, livened

from pyzzicato.hub import load_model
from pyzzicato.notes import Note, sort_notes
from pyzzicato.playing.continuation import Continuation, continue_seed, stream_continuation
from pyzzicato.playing.loaded_model import Model
from pyzzicato.playing.seed import SILENT_SEED
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations.pianoroll import FS
from pyzzicato.seeds import load_seed

SHORT = GenerationSettings(seconds=3.0, seed_seconds=4.0)


def frames_of(notes: list[Note]) -> list[tuple[int, int, int]]:
    """Returns (onset frame, pitch, offset frame) of each note, in order."""
    return sorted((round(n.start * FS), n.pitch, round(n.end * FS)) for n in notes)


@pytest.fixture(params=["roll", "events"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    """Returns a model of each representation; it plays at random, whatever was played."""
    if request.param == "roll":
        made = made_roll(tmp_path, -4.0, stay=4.5)
    else:
        made = made_events(tmp_path, onset=np.linspace(1, -3, 57))
    made.config.composers = ["bach", "chopin"]
    return made


@pytest.fixture
def ready(tmp_path: Path) -> Model:
    """Returns a model of a roll, likewise."""
    return made_roll(tmp_path, -4.0, stay=4.5)


def test_same_settings_same_notes_and_other_draw_other_notes(model: Model) -> None:
    first = continue_seed(model, tune(), SHORT)
    again = continue_seed(model, tune(), SHORT)
    assert (first.notes, first.new_notes) == (again.notes, again.new_notes)
    other = continue_seed(model, tune(), replace(SHORT, rng=1))
    assert frames_of(list(other.new_notes)) != frames_of(list(first.new_notes))
    assert first.remarks == ()


def test_a_longer_continuation_begins_like_a_shorter_one(model: Model) -> None:
    # One of events waits long from note to note.
    seconds = 3.0 if model.config.representation == "roll" else 20.0
    short = continue_seed(model, tune(), replace(SHORT, seconds=seconds))
    long = continue_seed(model, tune(), replace(SHORT, seconds=2 * seconds))
    end = short.seed_seconds + seconds
    cut = [replace(n, end=min(n.end, end)) for n in long.new_notes if n.start < end]
    assert list(short.new_notes) == cut
    assert len(cut) > 5


def test_chunks_make_up_the_continuation(model: Model) -> None:
    settings = replace(SHORT, seconds=12.5)
    chunks = list(stream_continuation(model, tune(), settings))
    *earlier, last = chunks
    assert len(earlier) > 3
    assert all(chunk.piece is None for chunk in earlier)
    assert last.piece is not None and last.seconds == 12.5 and last.sounding == ()
    streamed = sort_notes(
        replace(n, start=n.start + 4.0, end=n.end + 4.0) for chunk in chunks for n in chunk.notes
    )
    assert streamed == list(last.piece.new_notes)
    again = continue_seed(model, tune(), settings)
    assert again.new_notes == last.piece.new_notes
    # Each chunk goes on to the next whole second at least, and no note in it ends outside it.
    for before, chunk in zip([0.0, *(c.seconds for c in chunks)], chunks, strict=False):
        assert chunk is last or int(chunk.seconds + 1e-9) > int(before + 1e-9)
        assert all(before - 1e-9 <= n.end <= chunk.seconds + 1e-9 for n in chunk.notes)


def test_what_sounds_at_the_end_of_a_chunk_ends_in_a_later_one(model: Model) -> None:
    chunks = list(stream_continuation(model, tune(), replace(SHORT, seconds=20.0)))
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


def test_a_slow_listener_is_not_the_models_time(ready: Model) -> None:
    for chunk in stream_continuation(ready, tune(), replace(SHORT, seconds=3.0)):
        if chunk.piece is None:
            time.sleep(0.5)
        else:
            assert 0 < chunk.piece.wall_seconds < 0.9


def test_chunks_of_a_roll_are_a_second_each(ready: Model) -> None:
    chunks = stream_continuation(ready, tune(), replace(SHORT, seconds=3.5))
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


def test_nothing_of_the_seed_is_lost(model: Model) -> None:
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
        check_border(continue_seed(model, notes, settings), notes, start)


def test_length_and_clock_of_a_continuation(tmp_path: Path) -> None:
    # Forty keys sound in every frame.
    loud = made_roll(tmp_path, [20.0 if 20 <= key < 60 else -20.0 for key in range(88)])
    made = continue_seed(loud, tune(), replace(SHORT, seconds=2.5))
    assert made.seed_seconds == 4.0
    assert {n.end for n in made.new_notes} == {6.5}
    assert {n.start for n in made.new_notes} == {4.0}
    assert made.continuation_only == [replace(n, start=0.0, end=2.5) for n in made.new_notes]
    assert made.wall_seconds > made.heard_seconds > 0
    assert made.real_time_factor == pytest.approx(2.5 / made.wall_seconds)


def test_a_silent_model_plays_nothing_and_keeps_the_seed(tmp_path: Path) -> None:
    made = continue_seed(made_roll(tmp_path, -50.0), tune(), SHORT)
    assert made.new_notes == ()
    assert made.notes == [n for n in tune() if n.start < 4.0]


def test_the_temperature_and_the_threshold_reach_the_model(tmp_path: Path) -> None:
    model = made_roll(tmp_path, -4.0, 4.5)
    counts = [
        len(continue_seed(model, tune(), replace(SHORT, **how)).new_notes)
        for how in ({"temperature": 0.2}, {}, {"temperature": 4.0})
    ]
    assert counts[0] < counts[1] < counts[2]
    # A key of probability 0.018 sounds where the threshold is below that, and nothing is drawn.
    for threshold, n_notes in ((0.017, 87), (0.019, 0), (0.999, 0)):
        settings = replace(SHORT, seed_start=3.1, seed_seconds=1.0, threshold=threshold)
        first, again = (
            continue_seed(model, [Note(60, 3.5, 4.0, 40)], replace(settings, rng=rng)).new_notes
            for rng in (0, 1)
        )
        assert [(n.pitch, n.start, n.end) for n in first] == [
            (n.pitch, n.start, n.end) for n in again
        ]
        assert len(first) == n_notes


def lively() -> Model:
    """Returns a model of note events that plays otherwise as each of two composers."""
    torch.manual_seed(3)
    return playable(halved(livened(CASES["wavenet, notes"].build())))


def test_the_composer_and_the_guidance_reach_the_model() -> None:
    model = lively()
    settings = replace(SHORT, seconds=20.0)
    played = [
        continue_seed(model, tune(), replace(settings, **how)).new_notes
        for how in (
            {"composer": "any"},
            {"composer": "bach"},
            {"composer": "satie"},
            {"composer": "satie", "guidance": 3.0},
            {"composer": "satie", "guidance": 0.0},
        )
    ]
    anybody, bach, satie, more_satie, no_satie = played
    assert len({anybody, bach, satie, more_satie}) == 4
    # Without any guidance the composer does not count at all.
    assert no_satie == anybody
    # Without a composer there is nothing to exaggerate.
    anybody_more = replace(settings, composer="any", guidance=3.0)
    assert continue_seed(model, tune(), anybody_more).new_notes == anybody


def test_a_seed_is_carried_on_as_its_composer_where_the_model_knows_him() -> None:
    model = lively()
    asked = {
        who: continue_seed(model, tune(), replace(SHORT, seconds=20.0, composer=who))
        for who in ("any", "bach", "satie")
    }
    for value, played_as in ((None, "any"), ("satie", "satie"), ("bach", "bach"), ("liszt", "any")):
        made = continue_seed(model, tune(), replace(SHORT, seconds=20.0), value)
        assert made.new_notes == asked[played_as].new_notes
        assert made.composer == (None if played_as == "any" else played_as)
    # Who is asked for counts more than whose the seed is.
    settings = replace(SHORT, seconds=20.0, composer="satie")
    assert continue_seed(model, tune(), settings, "bach").new_notes == asked["satie"].new_notes
    nobody = replace(settings, composer="any")
    assert continue_seed(model, tune(), nobody, "bach").new_notes == asked["any"].new_notes


def test_the_density_reaches_a_model_with_that_condition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half as dense and twice as dense are other levels; where the keeper is off, none is given."""
    model = made_events(tmp_path)
    model.config = architecture(representation="events", head="notes", densities=[2.0, 4.0, 8.0])
    arguments: list[list[int]] = []
    start = Model.start

    def noting(model: Model, conditions, weights=(1.0,)):  # type: ignore[no-untyped-def]
        arguments.append(list(conditions["density"]))
        return start(model, conditions, weights)

    monkeypatch.setattr(Model, "start", noting)
    # Of five notes a second six and more are to be expected.
    settings = replace(SHORT, seconds=1.0, composer="any")
    for how in ({"density": 0.5}, {}, {"density": 2.0}, {"without": ("density",)}):
        continue_seed(model, tune(), replace(settings, **how))
    assert arguments == [[2], [3], [3], [0]]


def test_the_result_names_whom_a_piece_was_played_as(model: Model) -> None:
    asked = ("any", *(model.config.composers or []))
    found = [continue_seed(model, tune(), replace(SHORT, composer=who)).composer for who in asked]
    assert found == [None, *asked[1:]]
    assert continue_seed(model, [], SHORT).composer is None


@pytest.mark.parametrize("name", ["lstm-events", "lstm"])
def test_at_the_lowest_temperature_there_is_still_music(name: str) -> None:
    answer = GenerationSettings(seconds=90, temperature=0.1)
    piece = continue_seed(load_model(name), load_seed("bach-chromatic-fantasia").notes, answer)
    # Below it models repeated themselves, and the guard brought them back some five times a minute.
    assert len(piece.rescues) <= 2
    assert len({note.pitch for note in piece.new_notes}) > 5
    assert max(note.start for note in piece.new_notes) > 80


def test_what_a_model_cannot_do_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="one of none: this model knows no composers; got 'bach'"):
        continue_seed(made_roll(tmp_path, 0.0), tune(), replace(SHORT, composer="bach"))
    events = made_events(tmp_path)
    with pytest.raises(ValueError, match="threshold must be left out .* got 0.3; it is the way of"):
        continue_seed(events, tune(), replace(SHORT, threshold=0.3))
    events.config = architecture(composers=["bach", "chopin"])
    with pytest.raises(ValueError, match="composer must be one of bach, chopin, any; got 'sat'"):
        continue_seed(events, tune(), replace(SHORT, composer="sat"))


@pytest.mark.parametrize(
    ("notes", "start"),
    [
        ([], 0.0),
        ([Note(60, 0.0, 9.0, 40), Note(62, 8.0, 9.0, 40)], 1.0),
    ],
    ids=["empty", "rest"],
)
def test_from_a_silent_seed_a_new_piece_begins(
    model: Model, notes: list[Note], start: float
) -> None:
    seconds = 4.0 if model.config.representation == "roll" else 20.0
    settings = GenerationSettings(seconds=seconds, seed_start=start, seed_seconds=2.0)
    made = continue_seed(model, notes, settings)
    assert made.remarks == (SILENT_SEED,)
    assert (made.seed_notes, made.seed_seconds) == ((), 0.0)
    opening = made.new_notes[0]
    assert 48 <= opening.pitch <= 72
    assert (opening.start, opening.velocity) == (0.0, 64)
    assert len(made.new_notes) > 3
    assert all(n.start >= 0.5 for n in made.new_notes[1:])
    assert max(n.end for n in made.new_notes) <= seconds
    assert continue_seed(model, notes, settings).new_notes == made.new_notes
    openings = {
        continue_seed(model, notes, replace(settings, seconds=1, rng=rng)).new_notes[0].pitch
        for rng in range(5)
    }
    assert len(openings) > 1


@pytest.mark.parametrize("fs", [1, 3, 200])
def test_a_new_piece_begins_at_any_frame_rate(fs: int, tmp_path: Path) -> None:
    model = made_roll(tmp_path, -4.0, 4.0)
    model.config = architecture(fs=fs)
    made = continue_seed(model, [], GenerationSettings(seconds=3.0))
    assert made.new_notes[0].start == 0.0
    assert max(n.end for n in made.new_notes) <= 3.0


def test_progress_is_reported_about_once_a_second(ready: Model) -> None:
    arguments: list[float] = []
    continue_seed(ready, tune(), replace(SHORT, seconds=2.25), on_progress=arguments.append)
    assert arguments == [1.0, 2.0, 2.25]


def test_new_notes_have_the_seeds_touch(ready: Model) -> None:
    quiet = [replace(n, velocity=20 + n.pitch % 3) for n in tune()]
    velocities = {n.velocity for n in continue_seed(ready, quiet, SHORT).new_notes}
    assert velocities <= {20, 21, 22}
