"""Note density: read off a model's steps, and told to the model that plays on."""

import numpy as np
import pytest
import torch
from conftest import tiny_config

from pyzzicato.density import FEWEST_STROKES, USUAL, USUAL_OF, VARIETY, density_number
from pyzzicato.models.architecture import COMPOSERS
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.notes import Note
from pyzzicato.playing.continuation import continue_seed
from pyzzicato.playing.decoding.density import density_to_come, note_density
from pyzzicato.playing.settings import GenerationSettings
from pyzzicato.representations.event_bins import encode_events
from pyzzicato.representations.pianoroll import notes_to_roll

ROLL = tiny_config(densities=[2.0, 8.0])
EVENTS = tiny_config(representation="events", head="notes", densities=[2.0, 8.0])


def notes_every(seconds: float, n: int) -> list[Note]:
    """Returns `n` short notes at a steady pace, from 0."""
    return [Note(40 + i % 30, i * seconds, i * seconds + 0.1, 64) for i in range(n)]


def test_a_roll_and_note_events_have_the_density_of_their_notes() -> None:
    notes = notes_every(0.25, 41)
    frames = (notes_to_roll(notes, 201, 20) > 0).astype(np.uint8)
    assert note_density(frames, ROLL) == pytest.approx(4.0)
    assert note_density(encode_events(notes), EVENTS) == pytest.approx(4.0, rel=0.05)


def test_held_notes_are_struck_once() -> None:
    frames = np.zeros((101, 88), dtype=np.uint8)
    # The keys of the first frame were struck before it.
    frames[:50, 10:20] = 1
    frames[60:, 30:40] = 1
    assert note_density(frames, ROLL) == pytest.approx(10 / 5)


def test_a_few_strokes_tell_nothing() -> None:
    for config in (ROLL, EVENTS):
        for n, tells in ((1, False), (FEWEST_STROKES, False), (FEWEST_STROKES + 1, True)):
            notes = notes_every(0.5, n)
            roll = (notes_to_roll(notes, fs=20) > 0).astype(np.uint8)
            steps = roll if config is ROLL else encode_events(notes)
            assert (note_density(steps, config) is not None) == tells
            assert density_number(steps, config) == (1 if tells else 0)
    chord = encode_events([Note(40 + i, 0.0, 1.0, 64) for i in range(20)])
    assert note_density(chord, EVENTS) is None
    assert density_number(encode_events(notes_every(0.1, 50)), tiny_config()) == 0


def test_what_follows_a_seed_is_meant_a_little_nearer_to_the_usual() -> None:
    meant = [
        density_to_come(encode_events(notes_every(1 / density, 60)), EVENTS, None, rng=0)
        for density in (1, 2, 9.4, 20, 40)
    ]
    assert meant == pytest.approx([2.1, 3.3, 9.4, 15.6, 24.8], rel=0.05)


def test_a_density_that_a_seed_does_not_tell_is_drawn_as_the_composers_pieces_vary() -> None:
    note = encode_events(notes_every(1.0, 1))

    def drawn(composer: str | None) -> np.ndarray:
        densities = [density_to_come(note, EVENTS, composer, rng) for rng in range(400)]
        assert density_to_come(note, EVENTS, composer, 7) == densities[7]
        return np.log(densities)

    for composer, usual in ((None, USUAL), ("any", USUAL), ("liszt", USUAL_OF["liszt"])):
        assert drawn(composer).mean() == pytest.approx(np.log(usual), abs=0.07)
        assert drawn(composer).std() == pytest.approx(VARIETY, rel=0.15)
    assert set(USUAL_OF) == set(COMPOSERS)


def test_a_piece_is_played_at_the_density_of_its_seed() -> None:
    torch.manual_seed(0)
    model = PyzzicatoModel(tiny_config(head="joint", densities=[2.5, 8.0])).eval()
    with torch.no_grad():
        # Told of a high density it strikes any key now and then, told of a low one hardly any.
        model.densities.weight[1:] = torch.tensor([[-1.0], [1.0]])
        model.manner.weight.fill_(1.0)
        model.head.own.weight.fill_(0.0)
        model.head.own.weight[:, 0] = 0.05

    def n_notes(seconds: float, density: float) -> int:
        settings = GenerationSettings(seconds=10.0, density=density)
        return len(continue_seed(model, notes_every(seconds, 60), settings).new_notes)

    sparse, dense = n_notes(0.5, 1.0), n_notes(0.125, 1.0)
    assert dense > 2 * sparse
    # Of a model with two densities a ratio makes one the other.
    assert (n_notes(0.5, 2.0), n_notes(0.125, 0.5)) == pytest.approx((dense, sparse), rel=0.2)
