"""Where training runs and in which precision."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch


def best_device() -> torch.device:
    """The first CUDA (or ROCm) card, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def has_bf16(device: torch.device) -> bool:
    """Whether bf16 is faster than fp32 there: any recent card, or a CPU that multiplies it."""
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported()
    known: Mapping[str, Any] = torch.cpu.get_capabilities()
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def precision(device: torch.device, wanted: str) -> AbstractContextManager[Any]:
    """The autocast context of `wanted` ("auto", "bf16" or "fp32"); weights stay in fp32."""
    if wanted == "bf16" or (wanted == "auto" and has_bf16(device)):
        return torch.autocast(device.type, torch.bfloat16)
    return nullcontext()
