"""The learnt recall: what it reads, from where, and that it can learn to copy."""

import pytest
import torch
from model_cases import random_events
from torch import Tensor, nn

from pyzzicato.models.soft_recall import REACH, SoftRecall


def lively(n_heads: int = 2, view: int = 1024) -> SoftRecall:
    """Returns a recall none of whose parts is still."""
    recall = SoftRecall(n_heads, 6, view)
    for weight in recall.parameters():
        weight.data += 0.3 * torch.randn_like(weight)
    return recall


def events(pitches: list[int]) -> Tensor:
    """Returns `(1, T, 4)` notes alike in all but their keys."""
    numbers = torch.tensor([[3, 0, 20, 8]]).repeat(len(pitches), 1)
    numbers[:, 1] = torch.tensor(pitches)
    return numbers[None]


@torch.no_grad()
@pytest.mark.parametrize("view", [1024, 300, 7])
def test_any_cut_gives_what_the_whole_gives(view: int) -> None:
    recall = lively(view=view)
    # Longer than a block of queries.
    notes = random_events(2, 330).long()
    planes, vectors, _ = recall(notes, recall.start(2))
    for cuts in ((330,), (1, 299, 1, 29), (260, 70)):
        state, found = recall.start(2), []
        for part in notes.split(cuts, dim=1):
            *read, state = recall(part, state)
            found.append(read)
        assert torch.allclose(torch.cat([p for p, _ in found], dim=1), planes, atol=1e-5)
        assert torch.allclose(torch.cat([v for _, v in found], dim=1), vectors, atol=1e-4)
        assert state.keys.past.shape[1] <= view - 1


@torch.no_grad()
def test_nothing_is_read_from_the_future() -> None:
    recall = lively()
    notes = random_events(2, 20).long()
    other = torch.cat((notes[:, :12], random_events(2, 8).long()), dim=1)
    (a, x, _), (b, y, _) = (recall(n, recall.start(2)) for n in (notes, other))
    assert torch.equal(a[:, :12], b[:, :12]) and torch.equal(x[:, :12], y[:, :12])
    assert not torch.allclose(a[:, 12:], b[:, 12:])


@torch.no_grad()
def test_planes_by_hand() -> None:
    """With equal attention each place counts alike, the place before the first note too.

    Places: before the first note, after 40, after 44, after 47; followed by 40, 44, 47, 52. The
    first of the moves is not known. Attention may also rest on nothing.
    """
    recall = SoftRecall(1, 6, 1024)
    for weight in recall.parameters():
        nn.init.zeros_(weight)
    planes, _, _ = recall(events([40, 44, 47, 52]), recall.start(1))
    as_was, moved = planes[0, -1].unbind(-1)
    assert dict(zip(as_was.nonzero().flatten().tolist(), [0.2] * 4, strict=True)) == {
        key: pytest.approx(float(as_was[key])) for key in (40, 44, 47, 52)
    }
    # Moves of 4, 3 and 5 from 52.
    assert moved.nonzero().flatten().tolist() == [55, 56, 57]
    assert moved[[55, 56, 57]].tolist() == pytest.approx([0.2] * 3)
    # Of those before a view of three notes nothing is read.
    short = SoftRecall(1, 6, 3)
    short.load_state_dict(recall.state_dict())
    planes, _, _ = short(events([40, 44, 47, 52]), short.start(1))
    assert planes[0, -1, :, 0].nonzero().flatten().tolist() == [44, 47, 52]


@torch.no_grad()
def test_moves_off_the_keyboard_and_beyond_reach_say_nothing() -> None:
    recall = SoftRecall(1, 6, 1024)
    for weight in recall.parameters():
        nn.init.zeros_(weight)
    planes, _, _ = recall(events([0, REACH + 1, 80, 87]), recall.start(1))
    # The first leap is too wide; the others, of 31 and 7, lead beyond the last key.
    assert not planes[0, -1, :, 1].any()


@torch.no_grad()
def test_the_same_figure_elsewhere_is_found_alike_if_keys_do_not_count() -> None:
    recall = lively()
    nn.init.zeros_(recall.pitch.weight)
    low = [30, 34, 37, 30, 34, 37, 30, 34]
    planes, vectors, _ = recall(events(low), recall.start(1))
    higher, likewise, _ = recall(events([key + 9 for key in low]), recall.start(1))
    assert torch.allclose(planes[:, :, :79], higher[:, :, 9:], atol=1e-6)
    assert torch.allclose(vectors, likewise, atol=1e-5)


def twice(n_notes: int) -> Tensor:
    """Returns `(8, 2 n, 4)` notes of random keys, each figure played twice."""
    once = torch.randint(20, 60, (8, n_notes))
    notes = torch.zeros(8, 2 * n_notes, 4, dtype=torch.long)
    notes[..., 1] = torch.cat((once, once), dim=1)
    return notes


def read_of_next(recall: SoftRecall, notes: Tensor, first: int) -> Tensor:
    """Returns `(8, T, 2 H)`: the share of each key that follows, from note `first` on."""
    planes, _, _ = recall(notes, recall.start(len(notes)))
    keys = notes[:, first + 1 :, 1]
    return planes[:, first:-1].gather(2, keys[..., None, None].expand(-1, -1, 1, 4))[:, :, 0]


@torch.no_grad()
def test_from_the_first_it_finds_what_was_played_before() -> None:
    recall = SoftRecall(2, 6, 1024)
    notes = twice(40)
    # Eight notes into the second time nothing is in doubt.
    assert read_of_next(recall, notes, 48).min() > 0.9
    # What has not been played before has not been found.
    assert recall(notes[:, :30], recall.start(8))[0].sum(2).mean() < 0.1


def test_it_learns_where_to_look() -> None:
    recall = SoftRecall(2, 6, 1024)
    # Not as a match model.
    nn.init.normal_(recall.looks.weight, std=0.002)
    nn.init.zeros_(recall.nowhere)
    optimizer = torch.optim.Adam(recall.parameters(), 5e-4)
    shares = []
    for _ in range(120):
        shares.append(read_of_next(recall, twice(24), 30)[..., 0])
        optimizer.zero_grad()
        (-(shares[-1] + 1e-3).log().mean()).backward()
        optimizer.step()
    assert shares[0].mean() < 0.3 and shares[-1].mean() > 0.7


def test_at_first_it_says_nothing_to_the_backbone() -> None:
    recall = SoftRecall(2, 6, 1024)
    _, vectors, _ = recall(random_events(1, 9).long(), recall.start(1))
    assert not vectors.any()
