"""What backbone and head are given: vectors and planes of 88 keys, by hand."""

import pytest
import torch

from pyzzicato.events import SIZES
from pyzzicato.models.embeddings import EVENT_SIZES, EventEmbedding, RollEmbedding


def test_a_frame_alone_is_its_own_vector_and_plane() -> None:
    roll = (torch.rand(2, 5, 88) < 0.2).to(torch.uint8)
    embedding = RollEmbedding()
    vectors, planes, state = embedding(roll, embedding.start(2), torch.float32)
    assert (embedding.out_size, embedding.n_planes, embedding.n_attributes) == (88, 1, 88)
    assert torch.equal(vectors, roll.float())
    assert torch.equal(planes, roll.float()[..., None])
    assert state == ()


def test_planes_of_a_roll_are_this_frame_the_one_before_and_what_was_struck() -> None:
    roll = torch.zeros(1, 4, 88, dtype=torch.uint8)
    roll[0, 0:3, 10] = 1  # struck once, held for three frames
    roll[0, [1, 3], 20] = 1  # struck twice
    embedding = RollEmbedding([1.0])
    _, planes, _ = embedding(roll, embedding.start(1), torch.float32)
    assert planes.shape == (1, 4, 88, embedding.n_planes)
    assert planes[0, :, 10, 0].tolist() == [1, 1, 1, 0]
    assert planes[0, :, 10, 1].tolist() == [0, 1, 1, 1]
    assert planes[0, :, 20, 1].tolist() == [0, 0, 1, 0]
    fade = float(torch.exp(torch.tensor(-1.0)))
    assert planes[0, :, 10, 2].tolist() == pytest.approx([1, fade, fade**2, fade**3])
    assert planes[0, :, 20, 2].tolist() == pytest.approx([0, 1, fade, 1 + fade**2])


def test_a_key_held_over_a_cut_is_not_struck_anew() -> None:
    roll = torch.zeros(1, 4, 88, dtype=torch.uint8)
    roll[0, 1:, 30] = 1
    embedding = RollEmbedding([3.0])
    _, whole, _ = embedding(roll, embedding.start(1), torch.float32)
    _, _, state = embedding(roll[:, :2], embedding.start(1), torch.float32)
    _, rest, _ = embedding(roll[:, 2:], state, torch.float32)
    assert torch.allclose(rest, whole[:, 2:])


def test_the_model_and_the_events_count_the_same_bins() -> None:
    # The networks are shipped without the rest of the package, so the sizes are written twice.
    assert EVENT_SIZES == SIZES


def test_a_note_is_the_sum_of_four_vectors() -> None:
    embedding = EventEmbedding(6, [3.0])
    vectors, _, _ = embedding(
        torch.tensor([[[56, 87, 47, 15]]], dtype=torch.uint8), embedding.start(1), torch.float32
    )
    rows = [table.weight[n] for table, n in zip(embedding.tables, (56, 87, 47, 15), strict=True)]
    assert torch.allclose(vectors[0, 0], torch.stack(rows).sum(0), atol=1e-6)


@pytest.mark.parametrize("lengths", [(12,), (1,) * 12, (5, 7)])
def test_planes_of_notes_are_the_last_eight_and_memories(lengths: tuple[int, ...]) -> None:
    pitches = [(5 * t) % 88 for t in range(12)]
    notes = torch.zeros(1, 12, 4, dtype=torch.uint8)
    notes[0, :, 1] = torch.tensor(pitches)
    embedding = EventEmbedding(4, [3.0, 10.0])
    state, parts = embedding.start(1), []
    for part in notes.split(lengths, dim=1):
        _, planes, state = embedding(part, state, torch.float32)
        parts.append(planes)
    planes = torch.cat(parts, dim=1)[0]
    assert planes.shape == (12, 88, 8 + 2) == (12, 88, embedding.n_planes)
    for t in range(12):
        for back in range(8):
            # The last of the eight planes is the present note, the first the seventh before it.
            expected = [pitches[t - back]] if t >= back else []
            assert planes[t, :, 7 - back].nonzero().flatten().tolist() == expected
    present = float(planes[11, pitches[11], 8])
    assert present == pytest.approx(3.0**-0.5)
    assert float(planes[11, pitches[10], 9]) == pytest.approx(10**-0.5 * 2.718281828**-0.1)
