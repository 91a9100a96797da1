"""Which precision a machine trains in."""

import pytest
import torch

from pyzzicato.training.precision import precision_here


@pytest.mark.parametrize(
    ("asked", "capabilities", "gpu", "expected"),
    [
        ("no", {"avx512_bf16": True}, "bf16", "no"),
        ("bf16", {"avx512_bf16": True}, "", "bf16"),
        ("bf16", {"bf16": True}, "", "bf16"),
        ("bf16", {"avx2": True, "avx512_bf16": False}, "bf16", "bf16"),
        ("bf16", {"avx2": True, "avx512_bf16": False}, "old", "fp16"),
        ("fp16", {"avx2": True, "avx512_bf16": False}, "old", "fp16"),
        ("fp16", {"avx512_bf16": True}, "bf16", "fp16"),
        ("bf16", {"avx2": True, "avx512_bf16": False}, "", "no"),
        ("fp16", {"avx512_bf16": True}, "", "no"),
    ],
)
def test_bf16_is_used_where_it_is_more_than_imitated(
    asked: str,
    capabilities: dict[str, bool],
    gpu: str,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(gpu))
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: gpu == "bf16")
    assert precision_here(asked) == expected
    said = capsys.readouterr().err
    assert ("training in" in said) == (asked != expected)


def test_this_machine_reports_what_it_can_do() -> None:
    assert precision_here("bf16") in ("no", "bf16")
