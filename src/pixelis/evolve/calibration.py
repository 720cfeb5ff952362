"""Confidence that means what it says: fitted on labelled answers, measured on others.

isotonic     the best rising step function (pool adjacent violators; Ayer et al. 1955), between
             whose steps is interpolated
temperature  one number on the logit scale (Guo et al. 2017)
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal, NamedTuple

import numpy as np

from pixelis.errors import ConfigError

Kind = Literal["identity", "isotonic", "temperature"]
KINDS: tuple[Kind, ...] = ("identity", "isotonic", "temperature")
BINS = 10
EDGE = 1e-6
STEADY = 2.0  # answers, half of them right, that every step is mixed with


class Measured(NamedTuple):
    """Expected calibration error before and after, each on answers not fitted on."""

    before: float
    after: float
    n: int


@dataclass(frozen=True)
class Calibration:
    """A rising map from [0, 1] to [0, 1].

    Attributes:
        knots: (raw, calibrated) pairs of `isotonic`, rising.
        temperature: of `temperature`.
        n: answers it was fitted on.
    """

    kind: Kind = "identity"
    knots: tuple[tuple[float, float], ...] = ()
    temperature: float = 1.0
    n: int = 0

    def __call__(self, raw: float) -> float:
        """The calibrated confidence, in [0, 1]."""
        raw = min(1.0, max(0.0, raw))
        if self.kind == "isotonic" and self.knots:
            x, y = zip(*self.knots, strict=True)
            return float(np.interp(raw, x, y))
        if self.kind == "temperature":
            inner = min(1 - EDGE, max(EDGE, raw))
            return 1.0 / (1.0 + math.exp(-math.log(inner / (1 - inner)) / self.temperature))
        return raw

    @property
    def id(self) -> str:
        """Twelve letters that name exactly this map; written into every answer's provenance."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "knots": [list(knot) for knot in self.knots],
            "temperature": self.temperature,
            "n": self.n,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Calibration:
        """What `to_dict` gave; ConfigError for anything else."""
        try:
            knots = tuple((float(x), float(y)) for x, y in record["knots"])
            made = cls(record["kind"], knots, float(record["temperature"]), int(record["n"]))
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"calibration: {error}") from error
        flat = [value for knot in knots for value in knot]
        rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(knots))
        outside = made.temperature <= 0 or any(not 0 <= v <= 1 for v in flat)
        if made.kind not in KINDS or outside or not rising:
            raise ConfigError(f"calibration of kind {made.kind!r} is broken; fit it again")
        return made


def fit(raw: Sequence[float], right: Sequence[bool], kind: Kind = "isotonic") -> Calibration:
    """The map that makes these answers calibrated.

    Args:
        raw: confidences in [0, 1]; `right`: whether each answer was right.

    Steps of the isotonic map are mixed with two imagined answers, one of them right, so that a
    few lucky ones do not mean certainty. Without answers the map is the identity.
    """
    if len(raw) != len(right):
        raise ValueError(f"came {len(raw)} confidences and {len(right)} verdicts")
    if not len(raw) or kind == "identity":
        return Calibration()
    x, y = np.asarray(raw, float).clip(0, 1), np.asarray(right, float)
    if kind == "temperature":
        return Calibration("temperature", (), _temperature(x, y), len(x))
    return Calibration("isotonic", _steps(x, y), 1.0, len(x))


def _steps(x: np.ndarray, y: np.ndarray) -> tuple[tuple[float, float], ...]:
    """Knots in the middle of each pool of adjacent violators; equal confidences are one pool from
    the start, so that the order of the answers decides nothing."""
    values, places = np.unique(x, return_inverse=True)
    hits, counts = np.bincount(places, y), np.bincount(places)
    pools: list[list[float]] = []  # sum of y, count, sum of x
    for value, hit, count in zip(values, hits, counts, strict=True):
        pools.append([float(hit), float(count), float(value * count)])
        while len(pools) > 1 and _level(pools[-2]) >= _level(pools[-1]):
            last = pools.pop()
            pools[-1] = [a + b for a, b in zip(pools[-1], last, strict=True)]
    return tuple((pool[2] / pool[1], _level(pool)) for pool in pools)


def _level(pool: Sequence[float]) -> float:
    return (pool[0] + STEADY / 2) / (pool[1] + STEADY)


def _temperature(x: np.ndarray, y: np.ndarray) -> float:
    """The temperature with the least log loss, by golden-section search over its logarithm."""
    inner = x.clip(EDGE, 1 - EDGE)
    logits = np.log(inner / (1 - inner))

    def loss(power: float) -> float:
        scaled = logits / math.exp(power)
        return float(np.mean(np.logaddexp(0, scaled) - y * scaled))

    low, high, golden = -3.0, 3.0, (math.sqrt(5) - 1) / 2
    for _ in range(60):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if loss(left) < loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)


def error(confidences: Sequence[float], right: Sequence[bool], bins: int = BINS) -> float:
    """Expected calibration error over equally wide bins, in [0, 1]; 0 without answers."""
    if not len(confidences):
        return 0.0
    sure, hit = np.asarray(confidences, float), np.asarray(right, float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = (abs(float((hit - sure)[place == number].sum())) for number in range(bins))
    return sum(gaps) / len(sure)


def measure(
    raw: Sequence[float], right: Sequence[bool], kind: Kind = "isotonic", folds: int = 5
) -> Measured:
    """The error that fitting leaves on answers it has not seen (cross-fitted in `folds` parts)."""
    after = unseen(raw, right, kind, folds)
    return Measured(error(raw, right), error(after, right), len(raw))


def unseen(
    raw: Sequence[float], right: Sequence[bool], kind: Kind = "isotonic", folds: int = 5
) -> list[float]:
    """Calibrated confidences, each by a map fitted on the other parts of the answers."""
    after = np.zeros(len(raw))
    for fold in range(folds):
        held = [i for i in range(len(raw)) if i % folds == fold]
        rest = [i for i in range(len(raw)) if i % folds != fold]
        fitted = fit([raw[i] for i in rest], [right[i] for i in rest], kind)
        after[held] = [fitted(raw[i]) for i in held]
    return [float(value) for value in after]


def curve(
    confidences: Sequence[float], right: Sequence[bool], bins: int = BINS
) -> list[tuple[float, float, int]]:
    """(mean confidence, share right, count) of every bin that is not empty, for a plot."""
    sure, hit = np.asarray(confidences, float), np.asarray(right, float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    found = []
    for number in range(bins):
        inside = place == number
        if inside.any():
            found.append((float(sure[inside].mean()), float(hit[inside].mean()), int(inside.sum())))
    return found
