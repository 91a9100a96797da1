"""Heads in the middle of a piece, in numpy and in torch, for the tests of the draws."""

from dataclasses import dataclass

import numpy as np
import torch
from lively_heads import lively_independent_head, lively_joint_head, lively_note_head
from torch import Tensor

from pyzzicato.models.backbone_steps import as_array
from pyzzicato.models.draws import Draw, IndependentDraw, JointDraw, NoteDraw
from pyzzicato.models.embeddings import EventEmbedding, RollEmbedding
from pyzzicato.models.independent_head import IndependentHead
from pyzzicato.models.joint_head import JointHead
from pyzzicato.models.note_head import NoteHead
from pyzzicato.models.pitch_steps import EventPast, FirstLayer, RollPast
from pyzzicato.representations.event_bins import SIZES

CHANNELS = 5


@dataclass
class Scene:
    """A head in the middle of a piece.

    Attributes:
        draw: the head in numpy.
        head: the head in torch.
        views: `(C,)` hidden vectors.
        seen: the same with the planes, `(n_views, C + 88 * F)`, for the head in torch.
    """

    draw: Draw
    head: IndependentHead | JointHead | NoteHead
    views: list[np.ndarray]
    seen: Tensor


def scene_of(draw: Draw, head: torch.nn.Module, planes: Tensor, n_views: int) -> Scene:
    """Returns a scene with random hidden vectors after the last of `(1, T, 88, F)` planes."""
    hidden = torch.randn(n_views, CHANNELS)
    seen = torch.cat((hidden, planes[0, -1].flatten().expand(n_views, -1)), dim=1)
    return Scene(draw, head, list(hidden.numpy()), seen)


def random_frames(n: int) -> np.ndarray:
    """Returns `(n, 88)` frames in which one key in ten sounds."""
    return (torch.rand(n, 88) < 0.1).numpy().astype(np.uint8)


def independent_scene(n_views: int = 1) -> Scene:
    """Returns the head of 88 coins after a frame."""
    head = IndependentHead(CHANNELS)
    with torch.no_grad():
        head.out.weight.mul_(5)
        head.out.bias.fill_(-1.0)
        head.stay.copy_(torch.randn(88))
    past = RollPast(None)
    (frame,) = random_frames(1)
    past.take(frame)
    planes = torch.from_numpy(frame).float()[None, None, :, None]
    return scene_of(IndependentDraw(head, past), head, planes, n_views)


def after_frames(
    head: IndependentHead | JointHead, embedding: RollEmbedding
) -> tuple[RollPast, Tensor]:
    """Returns what a head remembers of a few frames, and their planes `(1, T, 88, F)`."""
    assert embedding.memory is not None and head.net is not None
    past = RollPast(FirstLayer(head.net, embedding.memory), embedding.n_recent)
    frames = random_frames(4)
    for frame in frames:
        past.take(frame)
    _, planes, _ = embedding(torch.from_numpy(frames)[None], embedding.start(1), torch.float32)
    return past, planes


@torch.no_grad()
def remembering_scene(n_views: int = 1) -> Scene:
    """Returns the head of 88 coins with memories after a few frames."""
    embedding = RollEmbedding([20.0], n_recent=2)
    head = lively_independent_head(CHANNELS, embedding.n_planes, embedding.n_memories)
    past, planes = after_frames(head, embedding)
    return scene_of(IndependentDraw(head, past), head, planes, n_views)


@torch.no_grad()
def joint_scene(n_views: int = 1, head: JointHead | None = None) -> Scene:
    """Returns a joint head after a few frames, by default a lively one."""
    embedding = RollEmbedding([20.0], n_recent=2)
    head = head or lively_joint_head(CHANNELS, embedding.n_planes, embedding.n_memories)
    past, planes = after_frames(head, embedding)
    return scene_of(JointDraw(head, past), head, planes, n_views)


@torch.no_grad()
def note_scene(n_views: int = 1) -> Scene:
    """Returns a head of notes after a few notes."""
    embedding = EventEmbedding(7, [10.0], n_recent=3)
    head = lively_note_head(CHANNELS, embedding.n_planes, embedding.n_memories)
    tables = [as_array(table.weight) for table in embedding.tables]
    past = EventPast(tables, FirstLayer(head.net, embedding.memory), 3)
    notes = torch.stack([torch.randint(size, (5,)) for size in SIZES], dim=1).to(torch.uint8)
    for note in notes.numpy():
        past.take(note)
    _, planes, _ = embedding(notes[None], embedding.start(1), torch.float32)
    return scene_of(NoteDraw(head, past), head, planes, n_views)
