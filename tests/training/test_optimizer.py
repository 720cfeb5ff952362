import pytest
import torch
from torch import nn

from pixelis.training.optimizer import Rates, optimizers

RATES = Rates(lr=0.02, muon_lr=0.1, weight_decay=0.0)


class Body(nn.Module):
    """As in a language model: a table that is looked up, layers with a matrix and a norm."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(5, 8)
        self.layers = nn.ModuleList([nn.Linear(8, 8, bias=False)])
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, 1)

    def forward(self, ids):
        return self.out(self.norm(self.layers[0](self.embed(ids))))


def by_kind(made):
    return {type(part).__name__: part for part in made.parts}


def test_only_matrices_of_layers_go_to_muon():
    body = Body()
    parts = by_kind(optimizers(RATES, [body], nn.Module()))
    muon = [p for group in parts["Muon"].param_groups for p in group["params"]]
    assert [id(p) for p in muon] == [id(body.layers[0].weight)]
    adam = {id(p) for group in parts["AdamW"].param_groups for p in group["params"]}
    assert adam == {id(p) for p in body.parameters()} - {id(body.layers[0].weight)}


def test_the_slow_part_moves_slower_and_frozen_ones_stay():
    torch.manual_seed(0)
    slow, fast, frozen = Body(), Body(), Body()
    frozen.requires_grad_(False)
    for other in (fast, frozen):
        other.load_state_dict(slow.state_dict())
    before = {k: v.clone() for k, v in slow.state_dict().items()}
    made = optimizers(RATES, [slow, fast, frozen], slow, share=0.1)
    ids = torch.arange(5)
    made.update(slow(ids).square().sum() + fast(ids).square().sum(), 1.0)
    for name, start in before.items():
        small = (slow.state_dict()[name] - start).abs().sum()
        large = (fast.state_dict()[name] - start).abs().sum()
        assert torch.isclose(small * 10, large, rtol=1e-3), name
        assert torch.equal(frozen.state_dict()[name], start)


def test_a_sum_of_squares_falls_and_saved_state_goes_on_alike():
    def run(stops):
        torch.manual_seed(1)
        body = Body()
        made = optimizers(RATES, [body], nn.Module())
        losses = []
        for step in range(40):
            if step in stops:
                state, fresh = made.state_dict(), optimizers(RATES, [body], nn.Module())
                fresh.load_state_dict(state)
                made = fresh
            loss = (body(torch.arange(5))[:, 0] - torch.arange(5)).square().mean()
            made.update(loss, 1.0)
            losses.append(loss.item())
        return losses

    whole = run(())
    assert whole[-1] < whole[0] / 5
    assert run((7, 20)) == whole


def test_the_factor_scales_every_rate():
    made = optimizers(RATES, [Body()], nn.Module())
    made.set_rate(0.25)
    assert {group["lr"] for group in made.groups()} == {0.1 * 0.25, 0.02 * 0.25}


def test_state_of_other_parts_is_refused():
    made = optimizers(RATES, [Body()], nn.Module())
    with pytest.raises(ValueError, match="zip"):
        made.load_state_dict({"parts": []})
