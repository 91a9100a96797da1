"""What is freed in training stays with the process: no pages are made anew."""

import resource
import sys

import pytest
import torch

from pyzzicato.training import memory


def faults_of_updates() -> int:
    """Returns how many pages are made while forty blocks of 40 MB come and go."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(40):
        torch.zeros(10_000_000).add_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is asked")
def test_blocks_are_used_again() -> None:
    if not memory.keep_freed_memory():
        pytest.skip("no glibc here")
    faults_of_updates()
    assert faults_of_updates() < 1000  # without it 40 times 40 MB, some 390,000 pages


def test_elsewhere_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.sys, "platform", "darwin")
    assert not memory.keep_freed_memory()
