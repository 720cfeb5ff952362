"""The gate: each reason, the rate, and that nothing doubtful is ever learned."""

from __future__ import annotations

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
