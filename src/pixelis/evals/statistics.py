"""How sure a figure is: bootstrap intervals, paired comparisons, Holm correction, calibration.

All resampling is seeded and works on values in memory; nothing here knows what was evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.stats import beta

RESAMPLES = 10_000
LEVEL = 0.95
SAME = 1e-12  # means nearer than this are one


class Interval(NamedTuple):
    """A confidence interval, both ends included."""

    low: float
    high: float


class Bin(NamedTuple):
    """Answers of about one confidence."""

    confidence: float
    accuracy: float
    n: int


@dataclass(frozen=True)
class Comparison:
    """The mean of `first` minus the mean of `second` on the same questions.

    Attributes:
        p: two-sided bootstrap p-value of "no difference", at least 1 / (resamples + 1).
    """

    difference: float
    interval: Interval
    p: float
    n: int


def mean_interval(
    values: Sequence[float],
    clusters: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Interval:
    """Percentile-bootstrap 95 % interval of the mean of `values`, each in [0, 1].

    Args:
        clusters: one key per value; values with one key (questions about one picture) are drawn
            together, because they are not independent. None draws values one by one.

    When all clusters have one mean (all right, all wrong, a single picture) the bootstrap has
    nothing to vary and would claim certainty; then the exact binomial bound (Clopper-Pearson) is
    given instead, with the number of clusters as the number of trials. Of all values in [0, 1] with
    that mean, those that are 0 or 1 vary most, so the bound is never too narrow.
    """
    data = _checked(values)
    if len(data) == 0:
        return Interval(0.0, 1.0)
    sums, counts = _totals(data, clusters)
    if _alike(sums / counts):
        return _exact(float(data.mean()), len(sums))
    means = _resampled_means(sums, counts, seed, resamples)
    return _percentiles(means)


def compare(
    first: Sequence[float],
    second: Sequence[float],
    clusters: Sequence[str] | None = None,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Comparison:
    """Paired bootstrap of two runs over the same questions in the same order.

    The interval is the percentile interval of the mean difference; p is twice the share of
    resampled means on the other side of zero (Efron & Tibshirani 1993, ch. 15), and never smaller
    than an exact sign test over the drawn units that differ could make it. When all units differ
    alike the bootstrap has nothing to vary; then the interval takes the exact binomial bound.
    """
    if len(first) != len(second) or len(first) == 0:
        raise ValueError(f"paired values needed; came {len(first)} and {len(second)}")
    gaps = np.asarray(first, float) - np.asarray(second, float)
    sums, counts = _totals(gaps, clusters)
    means = _resampled_means(sums, counts, seed, resamples)
    tail = min(np.mean(means <= 0), np.mean(means >= 0))
    least = 2.0 ** (1 - int(np.count_nonzero(sums)))
    p = min(1.0, max(2 * float(tail), 1 / (resamples + 1), least))
    interval = _exact_gap(gaps, len(sums)) if _alike(sums / counts) else _percentiles(means)
    return Comparison(float(gaps.mean()), interval, p, len(gaps))


def holm(p_values: Mapping[str, float]) -> dict[str, float]:
    """p-values adjusted for their number (Holm 1979), by the same names."""
    ordered = sorted(p_values.items(), key=lambda item: item[1])
    adjusted, running = {}, 0.0
    for rank, (name, p) in enumerate(ordered):
        running = max(running, min(1.0, (len(ordered) - rank) * p))
        adjusted[name] = running
    return adjusted


def calibration_error(
    confidences: Sequence[float], right: Sequence[bool], bins: int = 10
) -> float | None:
    """Expected calibration error over equally wide bins of confidence; None without values.

    The mean over bins of |accuracy - mean confidence|, weighted by bin size (Guo et al. 2017).
    """
    found = calibration_bins(confidences, right, bins)
    if not found:
        return None
    gap = sum(one.n * abs(one.accuracy - one.confidence) for one in found)
    return gap / len(confidences)


def calibration_bins(
    confidences: Sequence[float], right: Sequence[bool], bins: int = 10
) -> list[Bin]:
    """Mean confidence and accuracy in equally wide bins of confidence; empty bins are left out."""
    if len(confidences) != len(right):
        raise ValueError(f"came {len(confidences)} confidences and {len(right)} verdicts")
    sure, hit = np.asarray(confidences, float), np.asarray(right, float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    inside = [place == number for number in range(bins)]
    return [
        Bin(float(sure[one].mean()), float(hit[one].mean()), int(one.sum()))
        for one in inside
        if one.any()
    ]


def spread(values: Sequence[float]) -> float | None:
    """The standard deviation of one figure over seeds (n - 1); None with fewer than two."""
    return float(np.std(np.asarray(values, float), ddof=1)) if len(values) > 1 else None


def _checked(values: Sequence[float]) -> np.ndarray:
    data = np.asarray(values, float)
    if data.size and not (np.all(data >= 0) and np.all(data <= 1)):
        raise ValueError("values must lie in [0, 1]")
    return data


def _totals(data: np.ndarray, clusters: Sequence[str] | None) -> tuple[np.ndarray, np.ndarray]:
    """Sum and number of values per drawn unit."""
    if clusters is None:
        return data, np.ones(len(data))
    if len(clusters) != len(data):
        raise ValueError(f"came {len(data)} values and {len(clusters)} cluster keys")
    _, place = np.unique(np.asarray(clusters, str), return_inverse=True)
    return np.bincount(place, weights=data), np.bincount(place).astype(float)


def _resampled_means(sums: np.ndarray, counts: np.ndarray, seed: int, resamples: int) -> np.ndarray:
    """Means of `resamples` draws of units with replacement, in blocks that bound memory."""
    rng = np.random.default_rng(seed)
    units, block = len(sums), max(1, 2_000_000 // len(sums))
    parts = []
    for start in range(0, resamples, block):
        drawn = rng.integers(0, units, (min(block, resamples - start), units))
        parts.append(sums[drawn].sum(1) / counts[drawn].sum(1))
    return np.concatenate(parts)


def _percentiles(means: np.ndarray) -> Interval:
    edge = 100 * (1 - LEVEL) / 2
    low, high = np.percentile(means, [edge, 100 - edge])
    return Interval(float(low), float(high))


def _alike(means: np.ndarray) -> bool:
    return bool(np.ptp(means) < SAME)


def _exact_gap(gaps: np.ndarray, trials: int) -> Interval:
    """The interval of a mean difference when all units differ alike.

    Pairs that never differ bound how often they may; any other difference is bounded like a share
    on the way from -1 to 1, which agrees with the sign test when every pair was won.
    """
    if not gaps.any():
        most = _exact(0.0, trials).high
        return Interval(-most, most)
    low, high = _exact((1 + float(gaps.mean())) / 2, trials)
    return Interval(2 * low - 1, 2 * high - 1)


def _exact(mean: float, trials: int) -> Interval:
    """Clopper-Pearson for `mean * trials` successes, which need not be a whole number."""
    edge, right = (1 - LEVEL) / 2, min(max(mean, 0.0), 1.0) * trials
    low = float(beta.ppf(edge, right, trials - right + 1)) if right > 0 else 0.0
    high = float(beta.ppf(1 - edge, right + 1, trials - right)) if right < trials else 1.0
    return Interval(low, high)
