from __future__ import annotations

import pytest
import torch

from pixelis.errors import ConfigError
from pixelis.wheeler.blend import blend, combine


def test_both_ends_are_the_texts_themselves(model):
    steps = blend(model, "red boat", "Anna", 4)
    assert [step.share for step in steps] == [0, 1 / 3, 2 / 3, 1]
    assert (steps[0].text, steps[-1].text) == ("red boat", "Anna")
    assert steps[0].error == steps[-1].error == 0
    between = steps[1].frame
    assert torch.allclose(between, steps[0].frame * 2 / 3 + steps[-1].frame / 3)


def test_arithmetic_undoes_itself(model):
    found = combine(model, ["red boat", "Anna"], ["Anna"])
    assert found.text == "red boat"
    assert combine(model, ["red boat", "red boat"], []).frame.abs().max() <= 1


def test_nothing_to_blend_is_told(model):
    with pytest.raises(ConfigError, match="steps is 1"):
        blend(model, "a", "b", 1)
    with pytest.raises(ConfigError, match="nothing to add"):
        combine(model, [], ["a"])
