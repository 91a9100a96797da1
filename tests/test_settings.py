"""Settings of a continuation, and the seed that they cut from a piece."""

from dataclasses import replace

import pytest
from conftest import tune

from pyzzicato.models.architecture import Architecture
from pyzzicato.notes import Note
from pyzzicato.playing.decoding import PART_NAMES
from pyzzicato.playing.seed import begin, cut_seed
from pyzzicato.playing.settings import GenerationSettings, check_settings, has_threshold
from pyzzicato.representations import representation_of

ROLL = representation_of(Architecture())
EVENTS = representation_of(Architecture("events"))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"seconds": 0.5}, "seconds must be 1 to 600, got 0.5; for more, carry"),
        ({"seconds": 601}, "seconds must be 1 to 600, got 601"),
        ({"seconds": float("nan")}, "seconds must be 1 to 600, got nan"),
        ({"seconds": "30"}, "seconds must be 1 to 600, got '30'"),
        ({"seconds": True}, "seconds must be 1 to 600, got True"),
        ({"seed_start": -1}, "seed_start must be a number 0 or more, got -1; 0 is the beginning"),
        ({"seed_seconds": 0}, "seed_seconds must be 1 to 120, got 0; 10 is usual"),
        ({"seed_seconds": 121.0}, "seed_seconds must be 1 to 120, got 121.0"),
        ({"temperature": 0}, "temperature must be 0.1 to 4, got 0; 1 plays"),
        ({"temperature": 4.1}, "temperature must be 0.1 to 4, got 4.1"),
        ({"threshold": 0}, "threshold must be 0.001 to 0.999, got 0; try 0.3"),
        ({"threshold": 1.0}, "threshold must be 0.001 to 0.999, got 1.0"),
        ({"threshold": 0.3, "temperature": 0.9}, "exclude each other, got 0.3 and 0.9; leave"),
        ({"threshold": 0.3, "density": 2}, "exclude each other, got 0.3 and 2; leave one"),
        ({"guidance": -0.5}, "guidance must be 0 to 4, got -0.5; 1.5 is a little more"),
        ({"guidance": 5}, "guidance must be 0 to 4, got 5"),
        ({"density": 0.4}, "density must be 0.5 to 2, got 0.4; 2 asks for twice as many"),
        ({"density": 2.5}, "density must be 0.5 to 2, got 2.5"),
        ({"composer": 3}, "composer must be a name, got 3; try 'chopin'"),
        ({"rng": -1}, "rng must be a whole number from 0 to 4294967295, got -1; try 0"),
        ({"rng": 2**32}, "rng must be a whole number from 0 to 4294967295, got 4294967296"),
        ({"rng": 1.5}, "rng must be a whole number from 0 to 4294967295, got 1.5"),
        ({"rng": True}, "rng must be a whole number from 0 to 4294967295, got True"),
        (
            {"without": ("gard",)},
            "without must be of top_a, density, lengths, ",
        ),
        ({"without": "everything"}, "without must be of top_a"),
    ],
)
def test_bad_settings_name_value_range_and_fix(values: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError) as caught:
        GenerationSettings(**values)  # type: ignore[arg-type]
    assert words in str(caught.value)


def test_the_ends_of_the_ranges_are_taken() -> None:
    low = GenerationSettings(1, 0, 1, 0.1, rng=0, guidance=0, density=0.5)
    high = GenerationSettings(600, 0, 120, 4, rng=2**32 - 1, guidance=4, density=2)
    assert (low.seconds, low.density, high.seed_seconds, high.guidance) == (1, 0.5, 120, 4)


def test_parts_to_leave_out_are_taken_as_json_and_shells_have_them() -> None:
    assert GenerationSettings().without == ()
    for value in (["guard"], "guard", ("guard",)):
        assert GenerationSettings(without=value).without == ("guard",)  # type: ignore[arg-type]
    assert GenerationSettings(without=PART_NAMES).without == PART_NAMES


def test_only_models_that_decide_on_each_key_have_a_threshold() -> None:
    on_events = Architecture("events")
    assert has_threshold(Architecture()) and not has_threshold(on_events)
    settings = GenerationSettings(threshold=0.3)
    check_settings(Architecture(), settings)
    with pytest.raises(ValueError, match="threshold must be left out for a model of note events"):
        check_settings(on_events, settings)
    with pytest.raises(ValueError, match="composer must be one of"):
        check_settings(on_events, GenerationSettings(composer="bach"))


# ---- The seed -----------------------------------------------------------------------------------


def test_a_seed_is_cut_and_moved_to_0() -> None:
    settings = GenerationSettings(seed_start=1.0, seed_seconds=2.0)
    seed, seconds = cut_seed(tune(), settings, ROLL)
    assert seconds == 2.0
    assert seed == [
        replace(n, start=n.start - 1, end=min(n.end, 3.0) - 1) for n in tune() if 1 <= n.start < 3
    ]


def test_a_shorter_piece_is_taken_whole_to_the_next_frame() -> None:
    notes = [Note(60, 0.0, 1.01, 40)]
    assert cut_seed(notes, GenerationSettings(), ROLL) == (notes, 1.05)
    assert cut_seed([Note(60, 0.0, 1.1, 40)], GenerationSettings(), ROLL)[1] == 1.1


def test_a_seed_after_the_end_is_refused_and_one_without_a_stroke_has_no_length() -> None:
    settings = GenerationSettings(seed_start=6.0, seed_seconds=2.0)
    with pytest.raises(ValueError, match=r"seed_start must be below 5\.0 s, .* ends, got 6"):
        cut_seed(tune(5), settings, ROLL)
    assert cut_seed([], settings, ROLL) == ([], 0.0)
    # One note sounds throughout, but none is struck.
    assert cut_seed([Note(60, 0.0, 9.0, 40)], settings, ROLL) == ([], 0.0)


def test_without_a_stroke_a_piece_begins_with_a_note_by_the_number_of_the_draw() -> None:
    for representation in (ROLL, EVENTS):
        begun = [begin([], GenerationSettings(rng=n), representation) for n in (0, 0, 1, 2, 3)]
        assert begun[0] == begun[1]
        assert (begun[0].seed, begun[0].seed_seconds, begun[0].ahead) == ([], 0.0, 0.5)
        assert len({b.opening[0].pitch for b in begun}) > 1
        assert all(48 <= b.opening[0].pitch <= 72 for b in begun)
        (opening,) = begun[0].opening
        assert (opening.start, opening.end, opening.velocity) == (0.0, 0.5, 64)
    seeded = begin(tune(), GenerationSettings(), ROLL)
    assert (len(seeded.seed), seeded.opening, seeded.ahead) == (len(tune()), [], 0.0)
