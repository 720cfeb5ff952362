"""Intervals against theory and scipy, comparisons that see what unpaired ones miss."""

import numpy as np
import pytest
from scipy import stats

from pixelis.evals.statistics import (
    calibration_bins,
    calibration_error,
    compare,
    holm,
    mean_interval,
    spread,
)


def test_interval_agrees_with_scipys_bootstrap():
    values = np.random.default_rng(1).random(80)
    oracle = stats.bootstrap((values,), np.mean, method="percentile", rng=2).confidence_interval
    low, high = mean_interval(values.tolist())
    assert low == pytest.approx(oracle.low, abs=0.004)
    assert high == pytest.approx(oracle.high, abs=0.004)


def test_interval_covers_the_true_accuracy_about_95_times_in_100():
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(300):
        values = (rng.random(120) < 0.7).astype(float)
        low, high = mean_interval(values.tolist(), seed=trial, resamples=400)
        hits += low <= 0.7 <= high
    assert 0.90 <= hits / 300 <= 0.99


def test_all_right_is_not_certainty():
    low, high = mean_interval([1.0] * 20)
    assert high == 1.0
    assert low == pytest.approx(stats.binomtest(20, 20).proportion_ci().low)
    assert mean_interval([0.0] * 20).high == pytest.approx(1 - low)


def test_questions_about_one_picture_count_less_than_as_many_pictures():
    rng = np.random.default_rng(3)
    pictures = np.repeat(rng.integers(0, 2, 12), 10).astype(float)
    keys = [str(index) for index in np.repeat(np.arange(12), 10)]
    alone, together = mean_interval(pictures.tolist()), mean_interval(pictures.tolist(), keys)
    assert together.high - together.low > 2 * (alone.high - alone.low)


def test_one_picture_says_little_about_others():
    values, keys = [1.0, 1.0, 0.0, 1.0, 0.0], ["a"] * 5
    low, high = mean_interval(values, keys)
    assert low < 0.05
    assert high > 0.95
    assert mean_interval([0.5]).high - mean_interval([0.5]).low > 0.9
    outcome = compare([1.0, 1.0, 0.0], [0.0, 0.0, 0.0], ["a"] * 3)
    assert outcome.p == 1.0
    assert outcome.interval.low < 0 < outcome.interval.high


def test_units_of_one_mean_take_the_exact_bound():
    # Ten pictures, one of two questions right about each: as ten tosses with five right.
    low, high = mean_interval([0.0, 1.0] * 10, [str(n // 2) for n in range(20)])
    assert (low, high) == pytest.approx(tuple(stats.binomtest(5, 10).proportion_ci()))


@pytest.mark.parametrize("won", range(1, 9))
def test_the_interval_leaves_out_no_difference_exactly_when_the_sign_test_does(won):
    outcome = compare([1.0] * won, [0.0] * won)
    assert (outcome.interval.low > 0) == (outcome.p < 0.05)


def test_interval_is_seeded_and_handles_none_and_one():
    values = [0.0, 1.0, 1.0, 0.5]
    assert mean_interval(values, seed=4) == mean_interval(values, seed=4)
    assert mean_interval([]) == (0.0, 1.0)
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        mean_interval([2.0])


def test_pairing_finds_a_small_steady_gain():
    rng = np.random.default_rng(5)
    base = (rng.random(400) < 0.5).astype(float)
    better = base.copy()
    better[np.flatnonzero(base == 0)[:12]] = 1.0
    result = compare(better.tolist(), base.tolist())
    assert result.difference == pytest.approx(0.03)
    assert result.interval.low > 0
    assert result.p < 0.01


def test_p_is_two_sided_between_a_t_test_and_the_exact_mcnemar_test():
    rng = np.random.default_rng(8)
    base = (rng.random(300) < 0.5).astype(float)
    changed = base.copy()
    changed[np.flatnonzero(base == 0)[:22]] = 1.0
    changed[np.flatnonzero(base == 1)[:12]] = 0.0
    p = compare(changed.tolist(), base.tolist()).p
    # 22 won, 12 lost: 0.086 and 0.121; one-sided it would be half of that.
    least, most = stats.ttest_rel(changed, base).pvalue, stats.binomtest(12, 34).pvalue
    assert least - 0.01 < p < most + 0.01


def test_pictures_are_compared_not_questions():
    # Eight pictures of ten questions each; a steady gain on half of them is no eighty draws.
    keys = [str(n // 10) for n in range(80)]
    gains = [float(n // 10 < 4) for n in range(80)]
    alone, together = compare(gains, [0.0] * 80), compare(gains, [0.0] * 80, keys)
    assert together.p >= 0.125 > 0.001 > alone.p
    assert together.interval.high - together.interval.low > 2 * (
        alone.interval.high - alone.interval.low
    )


def test_comparison_with_itself_finds_nothing_and_order_flips_the_sign():
    values = [0.0, 1.0, 1.0, 0.0, 1.0]
    assert compare(values, values).p == 1.0
    gain = compare([1.0] * 5, values)
    loss = compare(values, [1.0] * 5)
    assert gain.difference == -loss.difference == pytest.approx(0.4)
    with pytest.raises(ValueError, match="came 2 and 1"):
        compare([0, 1], [1])


def test_comparison_keeps_its_error_rate_without_a_difference():
    rng = np.random.default_rng(6)
    false = 0
    for trial in range(300):
        first, second = (rng.random((2, 100)) < 0.6).astype(float)
        false += compare(first.tolist(), second.tolist(), seed=trial, resamples=400).p < 0.05
    assert false / 300 < 0.09


def test_few_pairs_that_all_differ_are_no_certainty():
    outcome = compare([1.0] * 3, [0.0] * 3)
    assert outcome.p == stats.binomtest(3, 3).pvalue == 0.25
    assert outcome.interval.high == 1.0
    # Three won of three: as a share won of all, brought from 0..1 to -1..1.
    won = stats.binomtest(3, 3).proportion_ci().low
    assert outcome.interval.low == pytest.approx(2 * won - 1)
    assert compare([0.0] * 3, [1.0] * 3).interval.high == -outcome.interval.low
    same = compare([1.0, 0.0], [1.0, 0.0])
    assert same.p == 1.0
    assert same.interval.low == -same.interval.high < -0.5
    together = compare([1.0] * 6, [0.0] * 6, ["a", "a", "a", "b", "b", "b"])
    assert together.p == 0.5


def test_holm_agrees_with_a_worked_example():
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    assert adjusted == pytest.approx({"d": 0.02, "a": 0.03, "c": 0.06, "b": 0.06})
    assert holm({}) == {}


def test_calibration_error():
    assert calibration_error([], []) is None
    assert calibration_error([1.0, 1.0], [True, True]) == 0.0
    assert calibration_error([0.9] * 10, [True] * 5 + [False] * 5) == pytest.approx(0.4)
    rng = np.random.default_rng(7)
    sure = rng.random(20_000)
    honest = (rng.random(20_000) < sure).tolist()
    assert calibration_error(sure.tolist(), honest) < 0.02


def test_bins_of_confidence_and_spread_over_seeds():
    bins = calibration_bins([0.95, 0.91, 1.0, 0.1], [True, False, True, False])
    assert [one.n for one in bins] == [1, 3]
    assert bins[1].confidence == pytest.approx((0.95 + 0.91 + 1.0) / 3)
    assert bins[1].accuracy == pytest.approx(2 / 3)
    assert calibration_bins([], []) == []
    with pytest.raises(ValueError, match="came 1 confidences and 0 verdicts"):
        calibration_bins([0.5], [])
    assert spread([0.5, 0.7, 0.6]) == pytest.approx(np.std([0.5, 0.7, 0.6], ddof=1))
    assert spread([0.5]) is None
