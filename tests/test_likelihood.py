"""Likelihood: hand-computed rates, chunks against one pass, baselines, edges."""

import json
from dataclasses import replace
from math import log

import numpy as np
import pytest
import torch
from conftest import tiny_config, tune

from pyzzicato.evaluation.likelihood import (
    Likelihood,
    baseline_nats,
    count_onsets,
    model_likelihoods,
    piece_likelihood,
    roll_likelihood,
    step_nats,
    total_likelihood,
)
from pyzzicato.evaluation.markov import MarkovModel
from pyzzicato.models.model import PyzzicatoModel
from pyzzicato.representations import representation_of
from pyzzicato.representations.event_bins import encode_events
from pyzzicato.representations.pianoroll import notes_to_roll
from pyzzicato.training.baselines import count_baselines
from pyzzicato.training.store import NoteStore

PIECES = [
    (notes_to_roll(tune(seconds, semitones)) > 0).astype(np.uint8)
    for seconds, semitones in ((2, 0), (4, 2), (1, -5))
]


def built(backbone: str) -> PyzzicatoModel:
    """Returns an untrained debug model."""
    return PyzzicatoModel(tiny_config(backbone=backbone)).eval()


def coin_model() -> PyzzicatoModel:
    """Returns a model that gives each key one half in each frame, whatever came before."""
    model = built("lstm")
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
    return model


def markov_model(stay: float, start: float) -> PyzzicatoModel:
    """Returns a network that is a per-key Markov model: its hidden vector plays no part."""
    model = built("lstm")
    with torch.no_grad():
        model.head.out.weight.zero_()
        model.head.out.bias.fill_(log(start / (1 - start)))
        model.head.stay.fill_(log(stay / (1 - stay)) - log(start / (1 - start)))
    return model


def stored_rolls(store: NoteStore, split: str) -> list[np.ndarray]:
    """Returns the zeros and ones of all pieces of a split."""
    found = store.each(store.of_split(split))
    return [(notes_to_roll(notes) > 0).astype(np.uint8) for notes in found]


def test_rates_by_hand() -> None:
    measured = Likelihood(nats=20 * log(2), seconds=4.0, n_notes=5, n_frames=80)
    assert measured.bits_a_note == pytest.approx(4.0)
    assert measured.nats_a_frame == pytest.approx(log(2) / 4)
    assert measured.nats_a_second == pytest.approx(5 * log(2))


def test_a_model_of_known_chances_by_hand() -> None:
    piece = np.zeros((21, 88), dtype=np.uint8)
    piece[:3, 10] = 90  # begins in the frame that is not scored: no onset
    piece[5:9, 40] = 60
    piece[7:9, 44] = 60
    piece[10:, 40] = 1
    [measured] = model_likelihoods(coin_model(), [piece])
    assert (measured.n_frames, measured.n_notes, measured.seconds) == (20, 3, 1.0)
    assert measured.nats == pytest.approx(20 * 88 * log(2), rel=1e-5)
    assert measured.nats_a_frame == pytest.approx(88 * log(2), rel=1e-5)
    assert measured.bits_a_note == pytest.approx(20 * 88 / 3, rel=1e-5)


def test_each_frame_is_foreseen_from_the_one_before() -> None:
    stay, start = 0.8, 0.02
    counted = MarkovModel(np.full(88, stay), np.full(88, start))
    for piece, nats in zip(PIECES, step_nats(markov_model(stay, start), PIECES), strict=True):
        assert nats == pytest.approx(counted.nll(piece), rel=1e-4)


def test_seconds_follow_the_frame_rate() -> None:
    model = PyzzicatoModel(tiny_config(backbone="lstm", fs=4))
    [measured] = model_likelihoods(model, [np.zeros((9, 88), dtype=np.uint8)])
    assert measured.seconds == 2.0


KINDS = {
    "conv1d": {"backbone": "conv1d"},
    "wavenet": {"backbone": "wavenet"},
    "lstm": {"backbone": "lstm"},
    "joint": {"backbone": "lstm", "head": "joint"},
    "notes": {"backbone": "lstm", "representation": "events", "head": "notes"},
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("chunk", "batch"), [(5, 1), (7, 2), (2000, 8)])
def test_chunks_and_batches_equal_one_pass(kind: str, chunk: int, batch: int) -> None:
    model = PyzzicatoModel(tiny_config(**KINDS[kind])).eval()
    steps = representation_of(model.config)
    pieces = [steps.encode(tune(seconds, moved)) for seconds, moved in ((2, 0), (4, 2), (1, -5))]
    chunked = list(step_nats(model, pieces, chunk_steps=chunk, batch_size=batch))
    for nats, piece in zip(chunked, pieces, strict=True):
        frames = torch.from_numpy(piece)[None]
        with torch.no_grad():
            hidden, _ = model.hidden(frames[:, :-1], model.start(1))
            whole = model.head.nll(hidden, frames[:, 1:])[0]
        assert nats == pytest.approx(whole.numpy(), rel=1e-4)


def test_velocities_of_notes_can_be_left_out() -> None:
    model = PyzzicatoModel(tiny_config(**KINDS["notes"])).eval()
    events = encode_events(tune(4))
    steps = torch.from_numpy(events)[None]
    with torch.no_grad():
        seen, _ = model.hidden(steps[:, :-1], model.start(1))
        attributes = model.head.attribute_nll(seen, steps[:, 1:])[0].numpy()
    (whole,) = step_nats(model, [events])
    (part,) = step_nats(model, [events], velocities=False)
    assert whole == pytest.approx(attributes.sum(1), rel=1e-4)
    assert part == pytest.approx(attributes[:, :3].sum(1), rel=1e-4)


def test_a_piece_of_notes_under_both_representations(model: PyzzicatoModel) -> None:
    notes = tune(4)
    on_roll = piece_likelihood(model, notes)
    assert on_roll == model_likelihoods(model, [notes_to_roll(notes)])[0]
    events = PyzzicatoModel(tiny_config(**KINDS["notes"])).eval()
    on_events = piece_likelihood(events, notes)
    (nats,) = step_nats(events, [encode_events(notes)], velocities=False)
    assert on_events.nats == pytest.approx(nats.sum())
    # The first of the twenty notes is seen and not scored; the last is struck at 3.75 s.
    assert (on_events.n_notes, on_events.n_frames) == (19, None)
    assert on_events.seconds == pytest.approx(3.75)
    # Where the piece begins makes no difference, nor how hard its keys are struck.
    later = [replace(n, start=n.start + 7, end=n.end + 7, velocity=1) for n in notes]
    louder = [replace(n, velocity=1) for n in notes]
    moved = piece_likelihood(events, later)
    assert moved.nats == pytest.approx(piece_likelihood(events, louder).nats)
    assert moved.seconds == pytest.approx(3.75)
    for whatever in (model, events):
        assert piece_likelihood(whatever, []).nats == 0


def test_velocities_do_not_matter(model: PyzzicatoModel) -> None:
    loud = [127 * piece for piece in PIECES]
    assert model_likelihoods(model, loud) == model_likelihoods(model, PIECES)


def test_pieces_are_read_a_few_at_a_time(model: PyzzicatoModel) -> None:
    read = []

    def pieces() -> object:
        for i in range(6):
            read.append(i)
            yield np.zeros((5, 88), dtype=np.uint8)

    next(step_nats(model, pieces(), batch_size=2))  # type: ignore[arg-type]
    assert read == [0, 1]


def test_total_weighs_by_length() -> None:
    total = total_likelihood([Likelihood(10.0, 1.0, 2, 20), Likelihood(1.0, 3.0, 0, 60)])
    assert total == Likelihood(11.0, 4.0, 2, 80)


def test_a_representation_without_frames() -> None:
    notes = Likelihood(nats=8 * log(2), seconds=2.0, n_notes=4)
    assert (notes.nats_a_frame, notes.bits_a_note) == (None, pytest.approx(2.0))
    assert total_likelihood([notes, Likelihood(1.0, 1.0, 1, 20)]).n_frames is None


@pytest.mark.parametrize("n_frames", [0, 1])
def test_a_piece_too_short_to_score(model: PyzzicatoModel, n_frames: int) -> None:
    [measured] = model_likelihoods(model, [np.zeros((n_frames, 88), dtype=np.uint8)])
    assert measured == Likelihood(0.0, 0.0, 0, 0)
    assert measured.nats_a_frame is measured.bits_a_note is measured.nats_a_second is None
    assert "NaN" not in json.dumps(measured.as_dict())


def test_a_short_piece_beside_a_long_one(model: PyzzicatoModel) -> None:
    measured = model_likelihoods(model, [np.zeros((0, 88), dtype=np.uint8), PIECES[0]])
    assert measured[0].n_frames == 0
    assert measured[1] == model_likelihoods(model, [PIECES[0]])[0]


def test_silence_has_no_notes_but_a_price(model: PyzzicatoModel) -> None:
    [measured] = model_likelihoods(model, [np.zeros((41, 88), dtype=np.uint8)])
    assert measured.bits_a_note is None
    assert measured.nats_a_second is not None and measured.nats_a_second > 0
    assert measured.as_dict()["bits_a_note"] is None


def test_onsets_are_counted_after_the_first_frame() -> None:
    piece = np.zeros((4, 88), dtype=np.uint8)
    piece[[0, 2, 3], 5] = 80
    piece[1:3, 6] = 80
    assert count_onsets(piece) == 2
    assert count_onsets(piece[:1]) == count_onsets(piece[:0]) == 0


def test_baselines_agree_with_the_training_record(store: NoteStore) -> None:
    training, held_out = stored_rolls(store, "train"), stored_rolls(store, "validation")
    counted, nats = count_baselines(training), baseline_nats(training)
    for name, mean in (
        ("frequency", counted.frequency_nll(held_out)),
        ("copy", counted.copy_nll(held_out)),
    ):
        measured = total_likelihood(roll_likelihood(nats[name](p), p, 20) for p in held_out)
        assert measured.nats_a_frame == pytest.approx(mean)


def test_a_training_piece_costs_less_than_noise(store: NoteStore) -> None:
    training = stored_rolls(store, "train")
    noise = (np.random.default_rng(0).random(training[0].shape) < 0.04).astype(np.uint8)
    for nats in baseline_nats(training).values():
        assert nats(noise).sum() > 2 * nats(training[0]).sum()


def test_bad_input_is_refused(model: PyzzicatoModel) -> None:
    with pytest.raises(ValueError, match="nats must be finite, got nan"):
        Likelihood(float("nan"), 1.0, 1, 20)
    with pytest.raises(ValueError, match=r"roll must be \(T, 88\)"):
        model_likelihoods(model, [np.zeros((4, 80), dtype=np.uint8)])
    with pytest.raises(ValueError, match="1 or more, got 0 and 8"):
        model_likelihoods(model, PIECES, chunk_frames=0)
