"""What has sounded, step by step: the sums of the fast way against the torch network's."""

import numpy as np
import pytest
import torch
from torch import Tensor

from pyzzicato.models.backbone_steps import as_array
from pyzzicato.models.embeddings import EventEmbedding, RollEmbedding
from pyzzicato.models.pitch import PitchMemory, PitchNet
from pyzzicato.models.pitch_steps import EventPast, FirstLayer, PitchStep, RollPast, by_interval
from pyzzicato.representations.event_bins import SIZES

CONTEXT = 5


def sparse_roll(n: int) -> np.ndarray:
    """Returns `(n, 88)` frames of held keys: some four sound, and one is struck now and then."""
    frames = (torch.rand(n, 88) < 0.05).numpy()
    for t in range(1, n):
        stays = (torch.rand(88) < 0.8).numpy()
        frames[t, stays] = frames[t - 1, stays]
    return frames.astype(np.uint8)


def full_roll(n: int) -> np.ndarray:
    """Returns `(n, 88)` frames in which half of all keys change."""
    return (torch.rand(n, 88) < 0.5).numpy().astype(np.uint8)


def edge_roll(n: int) -> np.ndarray:
    """Returns `(n, 88)` frames of the keyboard's outermost keys and, now and then, of none."""
    frames = np.zeros((n, 88), dtype=np.uint8)
    frames[0:3, 0] = 1
    frames[[1, 5, 6], 87] = 1
    frames[8:10, [0, 1, 86, 87]] = 1
    frames[12:] = 1
    return frames


ROLLS = {"sparse": sparse_roll, "full": full_roll, "edges": edge_roll}


def random_net(n_planes: int, n_memories: int, kernels: tuple[int, int]) -> PitchNet:
    """Returns a network in which no number is small."""
    net = PitchNet(n_planes, n_memories, 6, CONTEXT, kernels)
    with torch.no_grad():
        for weight in net.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return net


@torch.no_grad()
def check_sums(net: PitchNet, sums: np.ndarray, planes: Tensor) -> None:
    """Asserts that the sums and the rest of the network give what the whole network gives."""
    context = torch.randn(1, CONTEXT)
    expected = net(planes[None], context)[0].numpy()
    units = PitchStep(net)(sums, context[0].numpy())
    assert units.shape == expected.shape == (88, 6)
    assert units == pytest.approx(expected, abs=1e-4, rel=1e-4)


def test_intervals_by_hand() -> None:
    kernel = np.arange(175 * 2, dtype=np.float32).reshape(175, 2)
    rows = by_interval(kernel)
    assert rows.shape == (88, 88 * 2)
    for speaks in (0, 1, 40, 87):
        for hears in (0, 39, 40, 87):
            # Row 87 of the kernel is what a key says to itself.
            said = rows[speaks].reshape(88, 2)[hears]
            assert said.tolist() == kernel[87 + hears - speaks].tolist()
    assert not rows.flags.writeable


@pytest.mark.parametrize("music", ROLLS)
@pytest.mark.parametrize("n_recent, n_chords", [(1, 0), (2, 3), (5, 1)])
@pytest.mark.parametrize("kernels", [(37, 13), (5, 3), (1, 1)])
def test_frames_equal_the_torch_network(
    music: str, n_recent: int, n_chords: int, kernels: tuple[int, int]
) -> None:
    frames = ROLLS[music](16)
    embedding = RollEmbedding([2.0, 30.0], n_recent, n_chords)
    net = random_net(embedding.n_planes, embedding.n_memories, kernels)
    assert embedding.memory is not None
    past = RollPast(FirstLayer(net, embedding.memory), n_recent, n_chords)
    steps = torch.from_numpy(frames)[None]
    vectors, planes, _ = embedding(steps, embedding.start(1), torch.float32)
    for t, frame in enumerate(frames):
        assert np.array_equal(past.take(frame), vectors[0, t].numpy())
        assert np.array_equal(past.present, frame)
        check_sums(net, past.sums(), planes[0, t])


def event_pitches(music: str, n: int) -> Tensor:
    """Returns `(n,)` keys of notes."""
    if music == "random":
        return torch.randint(88, (n,))
    if music == "edges":
        return torch.tensor([0, 87])[torch.arange(n) // 3 % 2]
    return torch.full((n,), 40)


@pytest.mark.parametrize("music", ["random", "edges", "one key"])
@pytest.mark.parametrize("n_recent", [1, 2, 8])
def test_notes_equal_the_torch_network(music: str, n_recent: int) -> None:
    """From the first note on, when fewer were heard than have a plane."""
    events = torch.stack([torch.randint(size, (20,)) for size in SIZES], dim=1).to(torch.uint8)
    events[:, 1] = event_pitches(music, 20)
    embedding = EventEmbedding(7, [3.0, 10.0, 1000.0], n_recent)
    net = random_net(embedding.n_planes, embedding.n_memories, (37, 13))
    tables = [as_array(table.weight) for table in embedding.tables]
    past = EventPast(tables, FirstLayer(net, embedding.memory), n_recent)
    vectors, planes, _ = embedding(events[None], embedding.start(1), torch.float32)
    for t, event in enumerate(events.numpy()):
        assert past.take(event) == pytest.approx(vectors[0, t].detach().numpy(), abs=1e-5)
        check_sums(net, past.sums(), planes[0, t])


def test_a_long_piece_does_not_drift() -> None:
    embedding = RollEmbedding([4.0, 3000.0], n_recent=2)
    net = random_net(embedding.n_planes, 2, (37, 13))
    assert embedding.memory is not None
    past = RollPast(FirstLayer(net, embedding.memory), 2)
    state = embedding.start(1)
    for _ in range(20):
        frames = sparse_roll(300)
        for frame in frames:
            past.take(frame)
        steps = torch.from_numpy(frames)[None]
        _, planes, state = embedding(steps, state, torch.float32)
        check_sums(net, past.sums(), planes[0, -1])


def silent_net(n_planes: int, n_memories: int) -> PitchNet:
    """Returns a network of one unit a key that hears nothing but its bias, 0.5."""
    net = PitchNet(n_planes, n_memories, 1, CONTEXT, (3, 1))
    with torch.no_grad():
        for weight in net.parameters():
            weight.zero_()
        net.conv1.bias.fill_(0.5)
    return net


@torch.no_grad()
def test_the_sums_of_a_chord_by_hand() -> None:
    net = silent_net(1, 1)
    # A key hears the memory of the key above it, and of all keys a fifth above, in any octave.
    net.conv1.weight[0, 0, 0, 2] = 10.0
    net.classes.weight[0, 7] = 100.0
    layer = FirstLayer(net, PitchMemory([1.0]))
    assert layer.remembered().tolist() == [0.5] * 88
    layer.strike([0, 60, 87])
    share = 8 / (3 + 1)
    sums = layer.remembered()
    assert len(sums) == 88
    for key in range(88):
        above = 10 * share * (key in (59, 86))
        fifths = sum((struck - key) % 12 == 7 for struck in (0, 60, 87))
        assert sums[key] == pytest.approx(0.5 + above + 100 * share * fifths), key
    # A step later the shares are those of less.
    layer.strike([])
    faded = 3 * np.exp(-1)
    assert layer.remembered()[59] == pytest.approx(0.5 + 10 * 8 * np.exp(-1) / (faded + 1))


@torch.no_grad()
def test_only_a_key_that_was_silent_is_struck() -> None:
    net = silent_net(2, 1)
    net.conv1.weight[0, 1, 0, 1] = 1.0
    past = RollPast(FirstLayer(net, PitchMemory([1e6])), 1)
    frame = np.zeros(88, dtype=np.uint8)
    frame[10] = 1
    for _ in range(3):
        past.take(frame)
    assert past.sums()[10] == pytest.approx(0.5 + 8 * 1 / 2, rel=1e-4)
    past.take(frame * 0)
    past.take(frame)
    assert past.sums()[10] == pytest.approx(0.5 + 8 * 2 / 3, rel=1e-4)


def test_asking_twice_gives_the_same_sums_and_new_ones() -> None:
    net = random_net(4, 2, (37, 13))
    past = RollPast(FirstLayer(net, PitchMemory([2.0, 9.0])), 2)
    for frame in sparse_roll(5):
        past.take(frame)
    first = past.sums()
    kept = first.copy()
    first.fill(7.0)
    assert np.array_equal(past.sums(), kept)


def test_the_rest_of_the_network_remembers_nothing() -> None:
    net = random_net(4, 2, (37, 13))
    step = PitchStep(net)
    sums, context = torch.randn(88 * 6).numpy(), torch.randn(CONTEXT).numpy()
    first = step(sums, context)
    kept = first.copy(), sums.copy()
    step(torch.randn(88 * 6).numpy(), torch.randn(CONTEXT).numpy())
    assert np.array_equal(first, kept[0]) and np.array_equal(sums, kept[1])
    assert np.array_equal(step(sums, context), kept[0])


def test_a_head_of_the_present_frame_alone_keeps_no_more() -> None:
    past = RollPast(None)
    assert not past.present.any() and past.present.shape == (88,)
    for frame in edge_roll(16):
        vector = past.take(frame)
        assert vector.dtype == np.float32
        assert np.array_equal(vector, frame) and np.array_equal(past.present, frame)
    with pytest.raises(AssertionError):
        past.sums()
