"""In which precision a machine multiplies fast."""

import sys

import torch

PRECISIONS = ("no", "bf16")
"""float32 throughout, or products in bfloat16."""
_MULTIPLIES_BF16 = ("amx_bf16", "avx512_bf16", "bf16")
"""Capabilities of processors, by the names of `torch.cpu.get_capabilities`."""


def precision_here(asked: str) -> str:
    """Returns the precision to train in: the one asked for, if it is of use on this machine.

    A processor that cannot multiply in bfloat16 imitates it, twenty to eighty times slower than
    float32, and torch has no LSTM for it then; float32 takes its place, and a line says so.

    Args:
        asked: one of `PRECISIONS`.
    """
    if asked != "bf16" or torch.cuda.is_available():
        return asked
    capabilities = torch.cpu.get_capabilities()
    if any(capabilities.get(name) for name in _MULTIPLIES_BF16):
        return asked
    print("precision bf16: this processor has none; training in float32", file=sys.stderr)
    return "no"
