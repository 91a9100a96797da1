"""In which precision a machine multiplies fast."""

import sys

import torch

PRECISIONS = ("no", "bf16", "fp16")
"""float32 throughout, or products in bfloat16, or in float16 with scaled losses (CUDA alone)."""
_MULTIPLIES_BF16 = ("amx_bf16", "avx512_bf16", "bf16")
"""Capabilities of processors, by the names of `torch.cpu.get_capabilities`."""


def precision_here(asked: str) -> str:
    """Returns the precision to train in: the one asked for, if it is of use on this machine.

    A processor that cannot multiply in bfloat16 imitates it, twenty to eighty times slower than
    float32, and torch has no LSTM for it then; float32 takes its place. A CUDA device that cannot
    has float16. A line says so.

    Args:
        asked: one of `PRECISIONS`.
    """
    if asked == "no":
        return asked
    if torch.cuda.is_available():
        if asked == "fp16" or torch.cuda.is_bf16_supported(including_emulation=False):
            return asked
        print("precision bf16: this device has none; training in fp16", file=sys.stderr)
        return "fp16"
    capabilities = torch.cpu.get_capabilities()
    has_bf16 = any(capabilities.get(name) for name in _MULTIPLIES_BF16)
    if asked == "bf16" and has_bf16 and not torch.backends.mps.is_available():
        return asked
    print(f"precision {asked}: this processor has none; training in float32", file=sys.stderr)
    return "no"
