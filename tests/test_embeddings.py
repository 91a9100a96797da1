"""What backbone and head are given: vectors and planes of 88 keys, by hand."""

import math
from itertools import islice

import pytest
import torch

from pyzzicato.models.embeddings import EVENT_SIZES, EventEmbedding, RollEmbedding
from pyzzicato.representations.event_bins import SIZES

GAIN = 8.0


def test_a_frame_alone_is_its_own_vector_and_plane() -> None:
    roll = (torch.rand(2, 5, 88) < 0.2).to(torch.uint8)
    embedding = RollEmbedding()
    vectors, planes, state = embedding(roll, embedding.start(2), torch.float32)
    assert (embedding.out_size, embedding.n_planes, embedding.n_attributes) == (88, 1, 88)
    assert embedding.n_memories == 0
    assert torch.equal(vectors, roll.float())
    assert torch.equal(planes, roll.float()[..., None])
    assert state == ()


def test_planes_of_a_roll_are_the_last_frames_and_what_was_struck() -> None:
    roll = torch.zeros(1, 4, 88, dtype=torch.uint8)
    roll[0, 0:3, 10] = 1  # struck once, held for three frames
    roll[0, [1, 3], 20] = 1  # struck twice
    embedding = RollEmbedding([1.0], n_recent=3)
    vectors, planes, _ = embedding(roll, embedding.start(1), torch.float32)
    assert planes.shape == (1, 4, 88, embedding.n_planes) == (1, 4, 88, 3 + 1)
    assert embedding.n_memories == 1
    assert torch.equal(vectors, roll.float())
    # The present frame first.
    assert planes[0, :, 10, 0].tolist() == [1, 1, 1, 0]
    assert planes[0, :, 10, 1].tolist() == [0, 1, 1, 1]
    assert planes[0, :, 10, 2].tolist() == [0, 0, 1, 1]
    assert planes[0, :, 20, 1].tolist() == [0, 0, 1, 0]
    fade = math.exp(-1)
    tens, twenties = [1, fade, fade**2, fade**3], [0, 1, fade, 1 + fade**2]
    for key, sums in ((10, tens), (20, twenties)):
        totals = [ten + twenty + 1 for ten, twenty in zip(tens, twenties, strict=True)]
        shares = [GAIN * own / total for own, total in zip(sums, totals, strict=True)]
        assert planes[0, :, key, 3].tolist() == pytest.approx(shares)


@pytest.mark.parametrize("n_recent", [1, 2, 5])
@pytest.mark.parametrize("lengths", [(1,) * 12, (5, 7), (11, 1)])
def test_a_roll_in_parts_has_the_planes_of_the_whole(
    n_recent: int, lengths: tuple[int, ...]
) -> None:
    """A key held over a cut is not struck anew, whether or not the frame before has a plane."""
    roll = (torch.rand(2, 12, 88) < 0.4).to(torch.uint8)
    embedding = RollEmbedding([3.0, 30.0], n_recent)
    _, whole, _ = embedding(roll, embedding.start(2), torch.float32)
    state, parts = embedding.start(2), []
    for part in roll.split(lengths, dim=1):
        _, planes, state = embedding(part, state, torch.float32)
        parts.append(planes)
    assert torch.allclose(torch.cat(parts, dim=1), whole, atol=1e-5)
    for back in range(n_recent):
        assert torch.equal(whole[:, back:, :, back], roll[:, : 12 - back].float())
        assert not whole[:, :back, :, back].any()


def slow_chords(roll: torch.Tensor, n_chords: int) -> torch.Tensor:
    """Returns `(T, 88, N)` of one roll `(T, 88)`, by walking back from every frame."""
    before = torch.cat((torch.zeros(1, 88), roll[:-1].float()))
    struck = roll.float() * (1 - before)
    planes = torch.zeros(len(roll), 88, n_chords)
    for t in range(len(roll)):
        chords = (struck[s] for s in range(t, -1, -1) if struck[s].any())
        for i, chord in enumerate(islice(chords, n_chords)):
            planes[t, :, i] = chord
    return planes


@pytest.mark.parametrize("n_chords", [1, 3, 20])
@pytest.mark.parametrize("lengths", [(24,), (1,) * 24, (5, 19)])
def test_the_last_chords_are_those_of_the_slow_obvious_way(
    n_chords: int, lengths: tuple[int, ...]
) -> None:
    """In one pass and in parts, over pauses, held keys and the beginning of a piece."""
    roll = (torch.rand(3, 24, 88) < 0.3).to(torch.uint8)
    roll *= torch.rand(3, 24, 1) < 0.5
    roll[1] = 0  # nothing ever
    roll[2, 3:15] = roll[2, 3]  # held
    embedding = RollEmbedding([3.0], 2, n_chords, [1])
    assert embedding.n_planes == 2 + n_chords + 1 + 1
    state, parts = embedding.start(3), []
    for part in roll.split(lengths, dim=1):
        _, planes, state = embedding(part, state, torch.float32)
        parts.append(planes)
    found = torch.cat(parts, dim=1)[..., 2 : 2 + n_chords]
    assert torch.equal(found, torch.stack([slow_chords(piece, n_chords) for piece in roll]))


def test_the_model_and_the_events_count_the_same_bins() -> None:
    # The networks are shipped without the rest of the package, so the sizes are written twice.
    assert EVENT_SIZES == SIZES


def test_a_note_is_the_sum_of_four_vectors() -> None:
    embedding = EventEmbedding(6, [3.0], n_recent=8)
    vectors, _, _ = embedding(
        torch.tensor([[[56, 87, 47, 15]]], dtype=torch.uint8), embedding.start(1), torch.float32
    )
    rows = [table.weight[n] for table, n in zip(embedding.tables, (56, 87, 47, 15), strict=True)]
    assert torch.allclose(vectors[0, 0], torch.stack(rows).sum(0), atol=1e-6)


@pytest.mark.parametrize("n_recent", [1, 2, 8])
@pytest.mark.parametrize("lengths", [(12,), (1,) * 12, (5, 7)])
def test_planes_of_notes_are_the_last_ones_and_memories(
    n_recent: int, lengths: tuple[int, ...]
) -> None:
    pitches = [(5 * t) % 88 for t in range(12)]
    notes = torch.zeros(1, 12, 4, dtype=torch.uint8)
    notes[0, :, 1] = torch.tensor(pitches)
    embedding = EventEmbedding(4, [3.0, 10.0], n_recent)
    state, parts = embedding.start(1), []
    for part in notes.split(lengths, dim=1):
        _, planes, state = embedding(part, state, torch.float32)
        parts.append(planes)
    planes = torch.cat(parts, dim=1)[0]
    assert planes.shape == (12, 88, n_recent + 2) == (12, 88, embedding.n_planes)
    assert embedding.n_memories == 2
    for t in range(12):
        for back in range(n_recent):
            # The last of these planes is the present note, the first the oldest.
            expected = [pitches[t - back]] if t >= back else []
            found = planes[t, :, n_recent - 1 - back].nonzero().flatten().tolist()
            assert found == expected
    # A note is struck at each step: all in all the fading of twelve, and one more.
    for plane, span in enumerate((3.0, 10.0)):
        total = 1 + sum(math.exp(-age / span) for age in range(12))
        for age in (0, 1, 11):
            share = GAIN * math.exp(-age / span) / total
            found = float(planes[11, pitches[11 - age], n_recent + plane])
            assert found == pytest.approx(share, rel=1e-4)
