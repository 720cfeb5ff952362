import random

import numpy as np
import pytest

from pixelis.rewards import advantages, informative


def test_the_mean_is_taken_off():
    assert advantages([1, 0, 0, 1]) == [0.5, -0.5, -0.5, 0.5]
    drawn = np.random.default_rng(0).normal(size=8)
    assert advantages(list(drawn)) == pytest.approx(list(drawn - drawn.mean()))
    scaled = advantages(list(drawn), "group")
    assert scaled == pytest.approx(list((drawn - drawn.mean()) / drawn.std()))


def test_an_even_group_teaches_nothing():
    assert advantages([0.7] * 8, "group") == [0.0] * 8
    assert not informative([0.7] * 8)
    assert not informative([0.1 + 0.2, 0.3])  # rounding is no difference
    assert informative([0.0, 0.0, 0.01])
    assert advantages([]) == []


def test_the_order_does_not_matter():
    rewards = [random.Random(3).random() for _ in range(8)]
    given = dict(zip(rewards, advantages(rewards), strict=True))
    shuffled = sorted(rewards)
    assert advantages(shuffled) == [given[reward] for reward in shuffled]
