"""The preset seeds: that all can be played, and facts about them typed in by hand."""

import subprocess
import sys

import pytest

from pyzzicato.notes import HIGHEST_PITCH, LOWEST_PITCH, sort_notes
from pyzzicato.seeds import Seed, list_seeds, load_seed

SEEDS = {seed.name: seed for seed in list_seeds()}
EVERY_SEED = pytest.mark.parametrize("seed", SEEDS.values(), ids=SEEDS)


def first_pitches(name: str, count: int) -> list[int]:
    """Returns the first pitches by onset, chords ascending."""
    return [note.pitch for note in load_seed(name).notes[:count]]


def test_the_promised_works_are_there() -> None:
    assert len(SEEDS) >= 12
    assert set(SEEDS) >= {
        "bach-chromatic-fantasia",
        "bach-prelude-c-major",
        "chopin-ballade-g-minor",
        "chopin-mazurka-a-minor",
        "chopin-nocturne-e-flat",
        "debussy-arabesque-1",
        "debussy-clair-de-lune",
        "debussy-girl-flaxen-hair",
    }
    assert len({seed.composer for seed in SEEDS.values()}) >= 6


def test_the_order_is_by_year() -> None:
    years = [seed.year for seed in list_seeds()]
    assert years == sorted(years)
    assert list_seeds()[0].composer == "Johann Sebastian Bach"


@EVERY_SEED
def test_length_and_keys(seed: Seed) -> None:
    assert 30 <= seed.seconds <= 40  # ten seconds of seed, then twenty of the composer's own
    assert seed.notes[0].start <= 0.5
    assert all(LOWEST_PITCH <= note.pitch <= HIGHEST_PITCH for note in seed.notes)
    assert list(seed.notes) == sort_notes(seed.notes)


@EVERY_SEED
def test_it_is_played_not_typed(seed: Seed) -> None:
    velocities = [note.velocity for note in seed.notes]
    assert len(set(velocities)) >= 8
    assert max(velocities) - min(velocities) >= 15
    assert min(velocities) >= 25
    assert max(velocities) <= 110


@EVERY_SEED
def test_no_key_is_struck_while_it_is_held(seed: Seed) -> None:
    held: dict[int, float] = {}
    for note in seed.notes:
        assert note.start >= held.get(note.pitch, 0.0) - 1e-9
        held[note.pitch] = note.end


@EVERY_SEED
def test_the_music_is_never_silent_for_long(seed: Seed) -> None:
    sounding_until = 0.0
    for note in seed.notes:
        # The ballade's introduction has rests of three beats before its last chords.
        assert note.start - sounding_until < (1.0 if note.start < 10 else 3.0)
        sounding_until = max(sounding_until, note.end)


@EVERY_SEED
def test_the_facts_are_filled_in(seed: Seed) -> None:
    assert len(seed.title) > 8
    assert len(seed.composer.split()) >= 2
    assert seed.key.endswith((" major", " minor"))
    assert 1600 < seed.year < 1928
    assert "checked against" in seed.source


def test_bach_prelude_begins_as_bach_wrote_it() -> None:
    half_bar = [60, 64, 67, 72, 76, 67, 72, 76]
    assert first_pitches("bach-prelude-c-major", 16) == half_bar + half_bar
    assert len(load_seed("bach-prelude-c-major").notes) == 9 * 16


def test_bach_fantasia_runs_up_from_d_to_d() -> None:
    assert first_pitches("bach-chromatic-fantasia", 8) == [62, 64, 65, 67, 69, 71, 73, 74]


def test_chopin_nocturne_begins_on_b_flat_then_g_over_e_flat() -> None:
    assert first_pitches("chopin-nocturne-e-flat", 5) == [70, 39, 79, 55, 63]


def test_chopin_ballade_begins_with_a_long_c_in_octaves() -> None:
    first, second = load_seed("chopin-ballade-g-minor").notes[:2]
    assert (first.pitch, second.pitch) == (36, 48)
    assert first.end > 2.0


def test_chopin_mazurka_begins_with_three_rising_chords() -> None:
    chords = [57, 59, 65, 57, 60, 65, 57, 62, 65]
    assert first_pitches("chopin-mazurka-a-minor", 9) == chords


def test_debussy_openings() -> None:
    assert first_pitches("debussy-girl-flaxen-hair", 7) == [73, 70, 66, 63, 66, 70, 73]
    assert first_pitches("debussy-clair-de-lune", 4) == [65, 68, 77, 80]
    assert first_pitches("debussy-arabesque-1", 7) == [61, 64, 69, 73, 76, 78, 80]


def test_melody_of_the_nocturne_is_above_its_accompaniment() -> None:
    notes = load_seed("chopin-nocturne-e-flat").notes
    melody = [n.velocity for n in notes if n.pitch >= 70 and n.end - n.start > 0.3]
    rest = [n.velocity for n in notes if n.pitch < 70]
    assert sum(melody) / len(melody) > sum(rest) / len(rest) + 10


def test_unknown_name_lists_the_names_and_the_closest() -> None:
    with pytest.raises(
        ValueError, match="seed must be one of .*got 'chopin-balade-g-minor'"
    ) as info:
        load_seed("chopin-balade-g-minor")
    assert all(name in str(info.value) for name in SEEDS)
    assert str(info.value).endswith("did you mean 'chopin-ballade-g-minor'?")


def test_a_name_like_no_other_gets_no_suggestion() -> None:
    with pytest.raises(ValueError, match="got 'xyz'$"):
        load_seed("xyz")


def test_listing_is_read_once() -> None:
    assert list_seeds() is list_seeds()
    assert load_seed("debussy-arabesque-1") is SEEDS["debussy-arabesque-1"]


def test_seeds_do_not_import_torch() -> None:
    code = "import sys, pyzzicato.seeds; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
