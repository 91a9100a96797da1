"""What is known of the keys that sound, against the same added up note by note."""

import numpy as np
import pytest
import torch
from model_cases import random_events
from torch import Tensor

from pyzzicato.models.sounding import (
    DURATIONS_S,
    N_HELD,
    ONSET_TICKS,
    PAST_MS,
    EndReader,
    follow_ends,
    lay_out,
    pass_time,
)
from pyzzicato.representations import event_bins

BINS_S = [0.0, 0.1, 0.2, 0.4, 0.8]


def slow_ends(notes: Tensor) -> list[list[int]]:
    """Returns ms that each key sounds on after each note of one piece, note by note."""
    left, rows = [-PAST_MS] * 88, []
    for onset, pitch, duration, _ in notes.tolist():
        passed = 10 * int(event_bins.ONSET_TICKS[onset])
        left = [max(-PAST_MS, ms - passed) for ms in left]
        left[pitch] = round(1000 * float(event_bins.DURATIONS_S[duration]))
        rows.append(list(left))
    return rows


def test_times_are_those_of_the_representation() -> None:
    assert ONSET_TICKS.tolist() == event_bins.ONSET_TICKS.tolist()
    assert DURATIONS_S.tolist() == event_bins.DURATIONS_S.tolist()


def test_each_key_sounds_until_its_last_note_ends() -> None:
    notes = random_events(3, 60).long()
    notes[..., 0] //= 3  # Short waits and few keys: many are struck again while they sound.
    notes[..., 1] = 30 + notes[..., 1] % 9
    after, last = follow_ends(notes, torch.zeros(3, 88, dtype=torch.long))
    for piece, found in zip(notes, after, strict=True):
        assert found.tolist() == slow_ends(piece)
    assert torch.equal(last, after[:, -1] + PAST_MS)
    assert (after > 0).sum(-1).max() > 3


def test_in_parts_and_note_by_note_it_is_the_same() -> None:
    notes = random_events(2, 40).long()
    start = torch.zeros(2, 88, dtype=torch.long)
    whole, _ = follow_ends(notes, start)
    for size in (1, 7):
        state, parts = start, []
        for part in notes.split(size, dim=1):
            after, state = follow_ends(part, state)
            parts.append(after)
        assert torch.equal(torch.cat(parts, dim=1), whole)


def test_time_passes_with_the_onset_step() -> None:
    left = torch.zeros(2, 88)
    left[:, 40], left[:, 50] = 1.0, 0.05
    onsets = torch.tensor([0, event_bins.onset_bins(50)])
    passed = float(ONSET_TICKS[onsets[1]]) * 0.01
    after = pass_time(left, onsets)
    assert torch.equal(after[0], left[0])
    assert after[1, [40, 50, 60]].tolist() == pytest.approx([1 - passed, 0.05 - passed, -passed])


def test_keys_that_end_now_stand_out() -> None:
    left = torch.full((1, 88), -4.0)
    left[0, [40, 50, 60]] = torch.tensor([1.0, 0.02, -0.02])
    planes = lay_out(left)[0]
    assert planes.shape == (88, N_HELD)
    assert planes[:, 0].nonzero().flatten().tolist() == [40, 50]
    assert float(planes[40, 1]) == pytest.approx(np.log(2.0)) and planes[60, 1] == 0
    for near in planes[:, 2:].T:
        assert near[50] == near[60] > 0.5 > near[40]
        assert near[0] < 1e-5


def test_an_end_is_shared_between_the_bins_it_lies_between() -> None:
    left = torch.zeros(1, 88)
    left[0, [10, 20, 30]] = torch.tensor([0.1, 0.25, 7.0])
    plain = EndReader(4, BINS_S, in_ratios=False).count(left)[0]
    assert plain.tolist() == pytest.approx([0, 1, 0.75, 0.25, 1], abs=1e-5)
    ratios = EndReader(4, BINS_S[1:], in_ratios=True).count(left)[0]
    part = float(np.log2(0.25 / 0.2))
    assert ratios.tolist() == pytest.approx([1, 1 - part, part, 1], abs=1e-5)
    assert not EndReader(4, BINS_S, in_ratios=False).count(torch.zeros(1, 88)).any()


def test_a_reader_learns_that_notes_end_together() -> None:
    """As with a lifted pedal: what is to be told is in which bin the other keys end."""
    torch.manual_seed(0)
    bins = DURATIONS_S.tolist()
    reader = EndReader(4, bins, in_ratios=True)
    ends = torch.randint(4, 44, (256,))
    left = torch.zeros(256, 88)
    left[:, 40:43] = torch.tensor(bins)[ends][:, None]
    hidden = torch.zeros(256, 4)
    assert not reader(left, hidden)[0].any() and not reader(left, hidden)[1].any()
    optimizer = torch.optim.Adam(reader.parameters(), lr=0.02)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(reader(left, hidden)[0], ends)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 0.5 < np.log(48)
    assert (reader(left, hidden)[0].argmax(-1) == ends).float().mean() > 0.9
