from __future__ import annotations

import torch

from pixelis.wheeler.blocks import Block


@torch.no_grad()
def test_one_step_at_a_time_equals_all_at_once():
    torch.manual_seed(0)
    block, x = Block(16, 2, 0.0).eval(), torch.randn(3, 5, 16)
    whole = block(x, causal=True)
    cache, parts = None, []
    for place in range(5):
        part, cache = block.step(x[:, place : place + 1], cache)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_padding_is_not_seen():
    torch.manual_seed(0)
    block, x = Block(16, 4, 0.0).eval(), torch.randn(1, 6, 16)
    mask = torch.tensor([[True] * 4 + [False] * 2])
    other = x.clone()
    other[:, 4:] = 9.0
    torch.testing.assert_close(block(x, mask)[:, :4], block(other, mask)[:, :4])
    torch.testing.assert_close(block(x, mask)[:, :4], block(x[:, :4]), atol=1e-5, rtol=1e-4)
