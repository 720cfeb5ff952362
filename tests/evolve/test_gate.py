"""The gate: each reason, the rate, and that nothing doubtful is ever learned."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelis.errors import ConfigError
from pixelis.evolve.gate import Settings, Stats, observe, rate
from pixelis.evolve.vote import Ballot, tally

SURE = tally([Ballot("a", "a", 0.9)] * 8)
READY = Stats(experiences=500)


def test_a_confident_supported_verdict_is_learned():
    found = observe(SURE, 0.8, READY)
    assert (found.action, found.rate) == ("learn", pytest.approx(2e-5))


@pytest.mark.parametrize(
    ("verdict", "confidence", "stats", "reason"),
    [
        (tally([]), 0.8, READY, "no answer"),
        (SURE, 0.8, Stats(99), "cold start"),
        (SURE, 0.5, READY, "ambiguous"),
        (SURE, 0.1, READY, "unsure"),
        (SURE, 0.99, READY, "nothing to learn"),
        (SURE, 0.8, Stats(500, nearest=0.999), "known already"),
        (SURE, 0.8, Stats(500, last_hour=1000), "rate limit"),
        (SURE, 0.8, Stats(500, private=True), "the answer is private"),
        (SURE, 0.8, Stats(500, state="MIXED"), "ambiguous"),
        (tally([Ballot("a", "a", 0.9), Ballot("b", "b", 0.9)]), 0.8, READY, "tie"),
    ],
)
def test_each_reason_to_store_only(verdict, confidence, stats, reason):
    found = observe(verdict, confidence, stats)
    assert (found.action, found.reason, found.rate) == ("store_only", reason, 0.0)


@pytest.mark.parametrize(
    ("confidence", "reason"),
    [
        (0.0, "unsure"),
        (0.4, "ambiguous"),
        (0.7, "confident"),
        (0.98, "nothing to learn"),
        (1.0, "nothing to learn"),
    ],
)
def test_a_band_begins_with_its_lower_edge(confidence, reason):
    assert observe(SURE, confidence, READY).reason == reason
    if confidence:
        below = observe(SURE, math.nextafter(confidence, 0), READY).reason
        assert (below == reason) == (confidence == 1.0)


def test_the_edges_of_what_the_gate_is_told():
    assert observe(SURE, 0.8, Stats(100)).action == "learn", "cold ends with the hundredth"
    assert observe(SURE, 0.8, Stats(500, last_hour=999)).action == "learn"
    assert observe(SURE, 0.8, Stats(500, last_hour=1000)).reason == "rate limit"
    assert observe(SURE, 0.8, Stats(500, nearest=0.995)).reason == "known already"
    assert observe(SURE, 0.8, Stats(500, nearest=0.994)).action == "learn"
    assert observe(SURE, 0.8, Stats(500, draw=0.02)).action == "learn"
    nobody = Settings(review=0.0)
    assert observe(SURE, 0.8, Stats(500, draw=0.0), nobody).action == "learn"
    half = tally([Ballot("a", "a", 0.9, supported=n < 4) for n in range(8)])
    assert observe(half, 0.8, READY).action == "learn", "half of the ballots are enough"


def test_people_see_a_sample_and_what_nothing_supports_is_not_learned():
    assert observe(SURE, 0.8, Stats(500, draw=0.01)).action == "review"
    bare = tally([Ballot("a", "a", 0.9, supported=False)] * 8)
    assert observe(bare, 0.8, READY).action == "store_only"
    assert observe(bare, 0.8, Stats(500, draw=0.01)).action == "review"


@given(
    st.floats(0, 1),
    st.integers(0, 10**6),
    st.integers(0, 5000),
    st.floats(0, 1),
    st.floats(0, 0.99),
)
def test_nothing_is_learned_outside_its_band(confidence, experiences, hour, near, draw):
    settings = Settings()
    found = observe(SURE, confidence, Stats(experiences, hour, near, draw), settings)
    if found.action == "learn":
        assert settings.low <= confidence < settings.high
        assert experiences >= settings.cold
        assert hour < settings.per_hour
        assert settings.least <= found.rate <= settings.most
    else:
        assert found.rate == 0.0


@given(st.floats(0, 1), st.floats(0, 1))
def test_what_is_surer_is_learned_more_gently(one, other):
    low, high = sorted((one, other))
    assert rate(high, Settings()) <= rate(low, Settings())


def test_settings_that_contradict_themselves_are_refused():
    with pytest.raises(ConfigError, match="must rise"):
        Settings(low=0.9, high=0.5)
