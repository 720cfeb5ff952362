"""The three tiers, each by itself."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelis.evolve.guardrails import (
    Behaviour,
    advantages,
    blend,
    cap,
    clip,
    decay,
    flip_scale,
)


@given(st.lists(st.floats(0, 1e3, allow_nan=False), max_size=60))
def test_batches_far_above_the_target_are_never_used(kls):
    tier = Behaviour()
    for kl in kls:
        step = tier.observe(kl)
        assert step.use == (kl <= 2 * tier.target)
        assert tier.least <= step.after.beta <= tier.most
        tier = step.after


def test_beta_follows_the_target_also_over_skipped_batches():
    tier = Behaviour(beta=0.1)
    assert tier.observe(0.5).after.beta == pytest.approx(0.12)
    assert tier.observe(0.0).after.beta == pytest.approx(0.1 / 1.2)
    assert tier.observe(0.055).after.beta == 0.1
    assert tier.observe(math.nan) == (False, tier.observe(0.5).after)


def test_beta_holds_a_simulated_policy_near_the_target():
    """A policy that drifts unless it is held: its KL is inversely proportional to beta."""
    tier = Behaviour(beta=1e-3)
    seen = []
    for _ in range(200):
        kl = 0.01 / tier.beta
        seen.append(kl)
        tier = tier.observe(kl).after
    assert np.mean(np.abs(np.array(seen[-20:]) - 0.05)) < 0.015


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30))
def test_clipping_and_capping_bound_the_norm_and_keep_the_direction(values):
    vector = np.array(values)
    norm = float(np.linalg.norm(vector))
    assert np.linalg.norm(vector * clip(norm)) <= 1.0 + 1e-6
    assert np.linalg.norm(vector * cap(norm, 3.0)) <= 3.0 + 1e-6
    if norm <= 1:
        assert clip(norm) == 1.0
    assert clip(math.nan) == cap(math.inf, 1.0) == 0.0


@pytest.mark.parametrize("half_life", [0.5, 1.0, 2.0, 7.0])
def test_half_of_a_change_has_arrived_after_its_half_life(half_life):
    published, steps = np.zeros(3), 14
    for _ in range(steps):
        published = blend(published, np.ones(3), decay(half_life))
    assert published[0] == pytest.approx(1 - 0.5 ** (steps / half_life))
    assert blend(np.zeros(1), np.ones(1), decay(0))[0] == 1.0


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=16))
def test_advantages_are_bounded_and_order_like_rewards(rewards):
    found = advantages(rewards)
    assert np.all(np.abs(found) <= math.sqrt(max(1, len(rewards))))
    if len(set(rewards)) <= 1:
        assert not found.any()
    for i, a in enumerate(rewards):
        for j, b in enumerate(rewards):
            if a > b:
                assert found[i] >= found[j]


def test_a_polarised_group_does_not_blow_up_its_dissenter():
    relative = advantages([1.0] * 15 + [0.0], polarised=1.1)
    fixed = advantages([1.0] * 15 + [0.0])
    assert relative[-1] < -3
    assert fixed[-1] == -0.5
    eight = [1.0] * 7 + [0.0]  # the usual number of rollouts
    assert advantages(eight).tolist() == [0.5] * 7 + [-0.5]
    assert advantages([1.0] * 6 + [0.0] * 2)[-1] == pytest.approx(-(3**0.5), rel=1e-4)


def test_flips():
    assert [flip_scale(n, 10) for n in (0, 1, 3, 5, 9)] == pytest.approx([1, 1, 0.5, 0, 0])


def test_a_batch_at_exactly_twice_the_target_is_used():
    tier = Behaviour(target=0.05, skip=2.0)
    assert tier.observe(0.1).use
    assert not tier.observe(math.nextafter(0.1, 1)).use


def test_a_group_with_one_lonely_success_is_polarised_too():
    assert advantages([0.0] * 15 + [1.0]).tolist() == [-0.5] * 15 + [0.5]
    assert advantages([0.0] * 3 + [1.0])[-1] == pytest.approx(0.75 / (3**0.5 / 4), rel=1e-4)
