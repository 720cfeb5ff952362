"""The sequential test: error rates under constant peeking, speed when the case is clear."""

import numpy as np
import pytest

from pixelis.sequential import Sequential


def stream(rng, loss, discordant, n=800):
    """Paired differences with mean -loss; `discordant` pairs in all differ."""
    down = (discordant + loss) / 2
    return rng.choice([-1.0, 1.0, 0.0], n, p=[down, discordant - down, 1 - discordant])


def verdicts(loss, discordant, trials=300, n=800, least=0):
    rng = np.random.default_rng(4)
    ended = [
        Sequential(0.02, least=least).run(stream(rng, loss, discordant, n)) for _ in range(trials)
    ]
    return [state.verdict for state in ended], [state.n for state in ended]


@pytest.mark.parametrize("discordant", [0.04, 0.2])
def test_a_loss_of_the_margin_is_seldom_called_harmless(discordant):
    found, _ = verdicts(0.02, discordant)
    assert found.count("no_worse") / len(found) <= 0.07
    assert found.count("worse") / len(found) <= 0.07


def test_an_equal_model_passes_and_a_broken_one_is_caught_early():
    found, _ = verdicts(0.0, 0.02)
    assert found.count("no_worse") / len(found) > 0.7
    found, counts = verdicts(0.2, 0.3)
    assert found.count("worse") / len(found) > 0.99
    assert np.median(counts) < 200


def test_identical_answers_pass_without_all_questions():
    state = Sequential(0.02).run([0.0] * 800)
    assert state.verdict == "no_worse"
    assert state.n < 400


@pytest.mark.parametrize("least", [0, 100])
def test_a_better_model_passes_and_is_never_called_worse(least):
    found, counts = verdicts(-0.08, 0.16, 60, least=least)
    assert found.count("no_worse") / len(found) >= 0.9
    assert "worse" not in found
    assert min(counts) >= least


def test_nothing_is_called_harmless_before_the_least_number_of_pairs():
    assert Sequential(0.02, least=300).run([1.0] * 299).verdict == "open"
    assert Sequential(0.02, least=300).run([1.0] * 300).verdict == "no_worse"
    broken = Sequential(0.02, least=300).run([-1.0] * 800)
    assert broken.verdict == "worse"
    assert broken.n < 60


def test_a_verdict_stays_and_values_are_counted():
    state = Sequential(0.1).run([1.0] * 50)
    assert state.verdict == "no_worse"
    after = state
    for _ in range(200):
        after = after.observe(-1.0)
    assert after.verdict == "no_worse"
    assert after.n == state.n + 200
    assert after.mean == pytest.approx((state.n - 200) / after.n)
    assert Sequential().mean == 0.0
    assert Sequential().evidence == (1.0, 1.0)


def test_long_runs_do_not_overflow():
    state = Sequential(0.02)
    for _ in range(3000):
        state = state.observe(1.0)
    assert state.evidence[0] == float("inf")
    assert state.evidence[1] < 1e-6


@pytest.mark.parametrize("values", [{"margin": 0}, {"margin": 1}, {"alpha": 0}])
def test_wrong_settings_are_refused(values):
    with pytest.raises(ValueError, match="must lie in"):
        Sequential(**values)


def test_a_difference_out_of_range_is_refused():
    with pytest.raises(ValueError, match=r"difference 2 must lie in \[-1, 1\]"):
        Sequential().observe(2)
