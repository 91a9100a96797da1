"""Heads for tests: their keys, or numbers, depend much on each other."""

import torch

from pyzzicato.models.independent_head import IndependentHead
from pyzzicato.models.joint_head import JointHead
from pyzzicato.models.note_head import NoteHead


def fixed_head(*probabilities: float) -> IndependentHead:
    """Returns a head that gives these probabilities after silence, whatever the backbone says."""
    head = IndependentHead(1, n_keys=len(probabilities))
    with torch.no_grad():
        head.out.weight.zero_()
        head.out.bias.copy_(torch.logit(torch.tensor(probabilities)))
    return head


def lively_independent_head(channels: int, n_planes: int, n_memories: int) -> IndependentHead:
    """Returns a head whose keys hear much of what has sounded, each for itself."""
    head = IndependentHead(channels, n_planes, n_memories, size=6).eval()
    with torch.no_grad():
        torch.nn.init.normal_(head.key.weight, std=1.0)
        head.out.bias.fill_(-1.0)
        head.stay.fill_(1.5)
    return head


def lively_joint_head(
    channels: int, n_planes: int, n_memories: int, keys: list[int] | None = None
) -> JointHead:
    """Returns a head whose keys speak to each other; only `keys` can sound, None for all."""
    head = JointHead(channels, n_planes, n_memories, size=6).eval()
    with torch.no_grad():
        torch.nn.init.normal_(head.below, std=1.0)
        torch.nn.init.normal_(head.out.weight, std=1.0)
        head.stay.fill_(1.5)
        head.own.bias.fill_(-1.0)
        if keys is not None:
            head.own.bias.fill_(-60.0)
            head.own.bias[keys] = 0.0
    return head


def lively_note_head(
    channels: int, n_planes: int, n_memories: int, hears_ends: bool = False
) -> NoteHead:
    """Returns a head in which each number depends much on those before it, and on ends."""
    head = NoteHead(channels, n_planes, n_memories, size=5, n_ends=int(hears_ends)).eval()
    with torch.no_grad():
        if head.onset_ends is not None and head.duration_ends is not None:
            assert head.net.held is not None
            for reader in (head.onset_ends, head.duration_ends):
                torch.nn.init.normal_(reader.conv2.weight)
                torch.nn.init.normal_(reader.enter.weight)
            torch.nn.init.normal_(head.net.held.weight)
        for table in (head.after_onset, head.after_pitch, head.after_duration):
            table.weight.mul_(20)
        for layer in (head.onset, head.own, head.duration[2], head.velocity[2]):
            layer.weight.mul_(3)
    return head
