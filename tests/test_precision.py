"""Which precision a machine trains in."""

import pytest
import torch

from pyzzicato.training.precision import precision_here


@pytest.mark.parametrize(
    ("asked", "capabilities", "has_gpu", "expected"),
    [
        ("no", {"avx512_bf16": True}, True, "no"),
        ("bf16", {"avx512_bf16": True}, False, "bf16"),
        ("bf16", {"bf16": True}, False, "bf16"),
        ("bf16", {"avx2": True, "avx512_bf16": False}, True, "bf16"),
        ("bf16", {"avx2": True, "avx512_bf16": False}, False, "no"),
    ],
)
def test_bf16_is_used_where_it_is_more_than_imitated(
    asked: str,
    capabilities: dict[str, bool],
    has_gpu: bool,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert precision_here(asked) == expected
    said = capsys.readouterr().err
    assert ("training in float32" in said) == (asked != expected)


def test_this_machine_tells_what_it_can_do() -> None:
    assert precision_here("bf16") in ("no", "bf16")
