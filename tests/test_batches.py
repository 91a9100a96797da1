"""Batches: drawn by seed, step and process alone, and true to the pieces."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import tiny_settings

from pyzzicato.notes import Note
from pyzzicato.representations import Representation
from pyzzicato.representations.note_events import NoteEvents
from pyzzicato.representations.passages import Change
from pyzzicato.representations.roll import PianoRoll
from pyzzicato.training.batches import CropSampler
from pyzzicato.training.store import NoteStore, StoredPiece, StoreWriter, pack_notes

REPRESENTATIONS = [PianoRoll(20), NoteEvents()]


@pytest.fixture(params=REPRESENTATIONS, ids=lambda steps: steps.unit)
def steps(request: pytest.FixtureRequest) -> Representation:
    """Returns each representation in turn."""
    chosen: Representation = request.param
    return chosen


def sampler_of(
    store: NoteStore,
    steps: Representation,
    pieces: list[StoredPiece] | None = None,
    composers: Mapping[str, int] | None = None,
    density: Callable[[np.ndarray], int] | None = None,
    **choices: object,
) -> CropSampler:
    """Returns a sampler of the training pieces, by default without any change to them."""
    plain = {"batch_size": 4, "crop_steps": 16, "transpose": 0, "stretch": 0.0}
    no_dropout = {"composer_dropout": 0.0, "density_dropout": 0.0}
    settings = tiny_settings(**{**plain, **no_dropout, **choices})
    pieces = store.of_split("train") if pieces is None else pieces
    return CropSampler(store, pieces, steps, settings, composers, density)


def whole(store: NoteStore, piece: StoredPiece, steps: Representation) -> list[np.ndarray]:
    """Returns all crops of 17 steps that a piece has, in order of their places."""
    return [steps.crop(store, piece, p, 17, Change()) for p in range(steps.room(piece, 17))]


def test_targets_are_the_steps_after(store: NoteStore, steps: Representation) -> None:
    batch = sampler_of(store, steps).batch(0)
    width = 88 if steps.unit == "frame" else 4
    assert batch.steps.shape == batch.targets.shape == (4, 16, width)
    assert batch.steps.dtype == batch.targets.dtype == torch.uint8
    assert torch.equal(batch.steps[:, 1:], batch.targets[:, :-1])
    assert not torch.equal(batch.steps, batch.targets)


def test_a_batch_depends_on_seed_step_and_process_alone(
    store: NoteStore, steps: Representation
) -> None:
    changes = {
        "transpose": 5,
        "stretch": 0.1,
        "noise": 0.1,
        "detours": 0.2,
        "composer_dropout": 0.5,
    }
    composers = {"Bach": 1, "Chopin": 2}

    def sampler(seed: int = 0) -> CropSampler:
        return sampler_of(store, steps, composers=composers, seed=seed, **changes)

    def same(step: int, process: int, seed: int = 0) -> bool:
        other = sampler(seed).batch(step, process)
        return all(torch.equal(a, b) for a, b in zip(expected, other, strict=True))

    used = sampler()
    used.batch(1)
    expected = used.batch(7, 0)
    assert same(7, 0)
    assert not same(8, 0) and not same(7, 1) and not same(7, 0, seed=1)
    # Nor is one process's next step the other's present one.
    expected = used.batch(7, 1)
    assert not same(8, 0)


def test_crops_are_unbroken_parts_of_pieces(store: NoteStore, steps: Representation) -> None:
    crops = [crop for piece in store.of_split("train") for crop in whole(store, piece, steps)]
    known = {crop.tobytes() for crop in crops if len(crop) == 17}
    # One piece is shorter than a crop: it begins again.
    known |= {np.resize(crop, (17, crop.shape[1])).tobytes() for crop in crops if len(crop) < 17}
    sampler = sampler_of(store, steps)
    for step in range(10):
        batch = sampler.batch(step)
        drawn = torch.cat((batch.steps, batch.targets[:, -1:]), dim=1).numpy()
        assert {crop.tobytes() for crop in drawn} <= known


def test_a_short_piece_begins_again(store: NoteStore, steps: Representation) -> None:
    short = next(piece for piece in store.pieces if piece.seconds < 1)
    crop = steps.crop(store, short, 0, 65, Change())
    assert len(crop) < 32
    batch = sampler_of(store, steps, [short], batch_size=1, crop_steps=64).batch(0)
    assert torch.equal(batch.steps[0, : len(crop)], torch.from_numpy(crop))
    assert torch.equal(batch.steps[0, len(crop) : 2 * len(crop)], torch.from_numpy(crop))


def test_crops_reach_both_ends_of_a_piece(store: NoteStore, steps: Representation) -> None:
    piece = store.of_split("train")[2]
    n = len(steps.encode(store.notes(piece)))
    n_places = steps.room(piece, n - 3)
    assert n_places == 4
    places = [steps.crop(store, piece, p, n - 3, Change())[:-1] for p in range(4)]
    sampler = sampler_of(store, steps, [piece], batch_size=64, crop_steps=n - 4)
    drawn = {
        next(i for i, crop in enumerate(places) if np.array_equal(crop, row))
        for row in sampler.batch(0).steps.numpy()
    }
    assert drawn == {0, 1, 2, 3}


def test_pieces_are_drawn_by_their_share_of_notes(store: NoteStore, steps: Representation) -> None:
    pieces = store.of_split("train")[:3:2]
    sampler = sampler_of(
        store, steps, pieces, {"Bach": 1, "Chopin": 2}, batch_size=1000, crop_steps=4
    )
    share = float((sampler.batch(0).composers == 1).float().mean())
    lengths = [piece.length for piece in pieces]
    assert share == pytest.approx(lengths[0] / sum(lengths), abs=0.06)


@pytest.mark.parametrize("evenness", [0.0, 0.5, 1.0])
def test_composers_are_drawn_as_evenly_as_wanted(
    store: NoteStore, steps: Representation, evenness: float
) -> None:
    """Debussy is not known: he is one of the others."""
    composers = {"Bach": 1, "Chopin": 2}
    pieces = store.of_split("train")
    sampler = sampler_of(
        store, steps, composers=composers, batch_size=2000, crop_steps=2, evenness=evenness
    )
    drawn = np.bincount(sampler.batch(0).composers.numpy(), minlength=3) / 2000
    lengths = np.zeros(3)
    for piece in pieces:
        lengths[composers.get(piece.composer, 0)] += piece.length
    wanted = lengths ** (1 - evenness)
    assert drawn == pytest.approx(wanted / wanted.sum(), abs=0.045)


def test_composers_have_their_numbers_and_the_others_0(
    store: NoteStore, steps: Representation
) -> None:
    def numbers(**choices: object) -> set[int]:
        sampler = sampler_of(
            store, steps, composers={"Debussy": 3, "Chopin": 7}, batch_size=100, **choices
        )
        return set(sampler.batch(0).composers.tolist())

    assert numbers() == {0, 3, 7}
    assert set(sampler_of(store, steps, batch_size=50).batch(0).composers.tolist()) == {0}
    assert numbers(composer_dropout=1.0) == {0}


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_a_share_of_the_composers_is_dropped(
    store: NoteStore, steps: Representation, share: float
) -> None:
    bach = [piece for piece in store.of_split("train") if piece.composer == "Bach"]
    sampler = sampler_of(
        store, steps, bach, {"Bach": 1}, batch_size=1000, crop_steps=2, composer_dropout=share
    )
    dropped = float((sampler.batch(0).composers == 0).float().mean())
    # Four standard deviations of a share of 1000.
    assert dropped == pytest.approx(share, abs=0.06)


def test_densities_are_those_of_the_crops_as_written(
    store: NoteStore, steps: Representation
) -> None:
    def densities(**choices: object) -> list[int]:
        sampler = sampler_of(
            store, steps, density=lambda crop: int(crop.sum()), batch_size=100, **choices
        )
        batch = sampler.batch(0)
        if not choices:
            crops = torch.cat((batch.steps, batch.targets[:, -1:]), dim=1)
            assert batch.densities.tolist() == crops.sum((1, 2)).tolist()
        return batch.densities.tolist()

    assert densities() == densities(crowds=0.5, noise=0.5, detours=0.5, stutters=0.5)
    dropped = densities(density_dropout=0.5).count(0) - densities().count(0)
    assert 25 < dropped < 75
    assert set(sampler_of(store, steps).batch(0).densities.tolist()) == {0}


def test_transposition_stays_within_its_limit(store: NoteStore, steps: Representation) -> None:
    piece = store.of_split("train")[0]
    places = {}
    for semitones in range(-11, 12):
        for place in range(steps.room(piece, 17)):
            crop = steps.crop(store, piece, place, 17, Change(semitones))
            places[crop[:-1].tobytes()] = semitones
    sampler = sampler_of(store, steps, [piece], batch_size=200, transpose=2, seed=3)
    seen = {places[crop.tobytes()] for crop in sampler.batch(0).steps.numpy()}
    assert seen == {-2, -1, 0, 1, 2}


def test_tempo_stays_within_its_limit(tmp_path: Path) -> None:
    # Single notes one second apart: how many frames lie between them tells the tempo.
    writer = StoreWriter(tmp_path, "extend", "Tunes", "CC0 1.0")
    clock = [Note(60, float(t), t + 0.5, 64) for t in range(100)]
    writer.add(pack_notes(clock), composer="C", title="T", split="train", path="p")
    writer.close()
    store = NoteStore(tmp_path)
    sampler = sampler_of(store, PianoRoll(20), batch_size=100, crop_steps=400, stretch=0.25)
    gaps = []
    for crop in sampler.batch(0).steps.numpy():
        onsets = np.flatnonzero(np.diff(crop[:, 39].astype(int)) == 1)
        gaps.append((onsets[-1] - onsets[0]) / (len(onsets) - 1))
    # 20 frames a second, a quarter faster or slower.
    assert 20 / 1.25 - 0.1 <= min(gaps) < 17 and 23.5 < max(gaps) <= 20 * 1.25 + 0.1
    plain = sampler_of(store, PianoRoll(20), batch_size=4, crop_steps=100).batch(0).steps.numpy()
    for crop in plain:
        assert set(np.diff(np.flatnonzero(np.diff(crop[:, 39].astype(int)) == 1))) == {20}


def test_a_share_of_the_crops_is_at_another_tempo_altogether(tmp_path: Path) -> None:
    writer = StoreWriter(tmp_path, "extend", "Tunes", "CC0 1.0")
    clock = [Note(60, float(t), t + 0.5, 64) for t in range(200)]
    writer.add(pack_notes(clock), composer="C", title="T", split="train", path="p")
    writer.close()
    sampler = sampler_of(
        NoteStore(tmp_path), PianoRoll(20), batch_size=200, crop_steps=400, tempos=0.3
    )
    gaps = []
    for crop in sampler.batch(0).steps.numpy():
        onsets = np.flatnonzero(np.diff(crop[:, 39].astype(int)) == 1)
        gaps.append((onsets[-1] - onsets[0]) / (len(onsets) - 1))
    others = [gap for gap in gaps if abs(gap - 20) > 0.2]
    assert 0.2 < len(others) / len(gaps) < 0.4
    assert 20 / 3 - 0.1 <= min(others) < 8 and 50 < max(others) <= 60.1


def test_mistakes_are_seen_and_never_learnt(store: NoteStore, steps: Representation) -> None:
    noisy, clean = (
        sampler_of(store, steps, batch_size=50, noise=noise).batch(0) for noise in (0.2, 0.0)
    )
    # In both the first batch of the same crops, since mistakes are drawn after all crops are.
    assert torch.equal(noisy.targets, clean.targets)
    wrong = (noisy.steps != clean.steps).any(dim=-1).float().mean()
    assert 0.1 < float(wrong) < 0.9


def test_no_piece_is_refused(store: NoteStore, steps: Representation) -> None:
    with pytest.raises(ValueError, match="no piece to train on; check the composers and splits"):
        sampler_of(store, steps, [])
