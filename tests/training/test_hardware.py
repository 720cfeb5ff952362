from pathlib import Path

import pytest
import torch

from pixelis.training.hardware import best_device, has_bf16, precision


def test_bf16_is_used_when_asked_for_and_weights_stay():
    layer = torch.nn.Linear(4, 4)
    with precision(torch.device("cpu"), "bf16"):
        assert layer(torch.ones(1, 4)).dtype == torch.bfloat16
    with precision(torch.device("cpu"), "fp32"):
        assert layer(torch.ones(1, 4)).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


CPUINFO = Path("/proc/cpuinfo")


@pytest.mark.skipif(not CPUINFO.exists(), reason="only Linux tells the processor's flags so")
def test_the_processor_has_bf16_when_the_kernel_says_so():
    lines = CPUINFO.read_text().splitlines()
    flags = set(next((line for line in lines if line.startswith("flags")), "").split())
    expected = bool(flags & {"avx512_bf16", "amx_bf16"})
    assert has_bf16(torch.device("cpu")) == expected


def test_auto_follows_the_hardware():
    device = best_device()
    expected = torch.bfloat16 if has_bf16(device) else torch.float32
    with precision(device, "auto"):
        left = torch.ones(2, 2, device=device)
        assert (left @ left).dtype == expected
