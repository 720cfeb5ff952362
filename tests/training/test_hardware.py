import torch

from pixelis.training.hardware import best_device, has_bf16, precision


def test_bf16_is_used_when_asked_for_and_weights_stay():
    layer = torch.nn.Linear(4, 4)
    with precision(torch.device("cpu"), "bf16"):
        assert layer(torch.ones(1, 4)).dtype == torch.bfloat16
    with precision(torch.device("cpu"), "fp32"):
        assert layer(torch.ones(1, 4)).dtype == torch.float32
    assert layer.weight.dtype == torch.float32


def test_auto_follows_the_hardware():
    device = best_device()
    expected = torch.bfloat16 if has_bf16(device) else torch.float32
    with precision(device, "auto"):
        left = torch.ones(2, 2, device=device)
        assert (left @ left).dtype == expected
