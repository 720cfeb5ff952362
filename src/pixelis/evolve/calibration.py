"""Confidence that means what it says: fitted on labelled answers, measured on others.

isotonic     the best rising step function (pool adjacent violators; Ayer et al. 1955), between
             whose steps is interpolated
temperature  one number on the logit scale (Guo et al. 2017)
logistic     slope and intercept on the logit scale (Platt 1999), held back a little

Which kind is best depends on the model and on how many answers there are: a logistic line needs
the fewest, steps can follow any shape. `docs/log.md` has figures.
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

Kind = Literal["identity", "isotonic", "temperature", "logistic"]
KINDS: tuple[Kind, ...] = ("identity", "isotonic", "temperature", "logistic")
BINS = 10
EDGE = 1e-6
STEADY = 2.0  # answers, half of them right, that every step is mixed with
INNER = 0.02  # logits are taken this far inside: an answer at 1.0 must not be all that counts
LINE, HOLD = (0.5, 0.0), (1.0, 0.05)  # slope and intercept without answers, and how they are held


class Measured(NamedTuple):
    """Expected calibration error before and after, each on answers not fitted on.

    Attributes:
        loss: mean log loss after, in nats; it tells kinds apart better than the error does.
        chance: the error that a perfect map would show on so few answers, on average.
    """

    before: float
    after: float
    n: int
    loss: float
    chance: float


@dataclass(frozen=True)
class Calibration:
    """A rising map from [0, 1] to [0, 1].

    Attributes:
        knots: (raw, calibrated) pairs of `isotonic`, rising.
        temperature: of `temperature`.
        slope, intercept: of `logistic`.
        n: answers it was fitted on.
    """

    kind: Kind = "identity"
    knots: tuple[tuple[float, float], ...] = ()
    temperature: float = 1.0
    n: int = 0
    slope: float = 1.0
    intercept: float = 0.0

    def __call__(self, raw: float) -> float:
        """The calibrated confidence, in [0, 1]."""
        raw = min(1.0, max(0.0, raw))
        if self.kind == "isotonic" and self.knots:
            x, y = zip(*self.knots, strict=True)
            return float(np.interp(raw, x, y))
        if self.kind == "temperature":
            inner = min(1 - EDGE, max(EDGE, raw))
            return _sigmoid(math.log(inner / (1 - inner)) / self.temperature)
        if self.kind == "logistic":
            inner = min(1 - INNER, max(INNER, raw))
            return _sigmoid(self.slope * math.log(inner / (1 - inner)) + self.intercept)
        return raw

    @property
    def id(self) -> str:
        """Twelve letters that name exactly this map; written into every answer's provenance."""
        return hashlib.sha256(json.dumps(self.to_dict(), sort_keys=True).encode()).hexdigest()[:12]

    def to_dict(self) -> dict[str, Any]:
        line = {"slope": self.slope, "intercept": self.intercept}
        return {
            "kind": self.kind,
            "knots": [list(knot) for knot in self.knots],
            "temperature": self.temperature,
            "n": self.n,
            **(line if self.kind == "logistic" else {}),
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Calibration:
        """What `to_dict` gave; ConfigError for anything else."""
        try:
            knots = tuple((float(x), float(y)) for x, y in record["knots"])
            line = float(record.get("slope", 1.0)), float(record.get("intercept", 0.0))
            made = cls(record["kind"], knots, float(record["temperature"]), int(record["n"]), *line)
        except (KeyError, TypeError, ValueError) as error:
            raise ConfigError(f"calibration: {error}") from error
        flat = [value for knot in knots for value in knot]
        rising = all(a[0] < b[0] and a[1] <= b[1] for a, b in pairwise(knots))
        finite = all(map(math.isfinite, (made.temperature, made.slope, made.intercept)))
        turned = not finite or made.temperature <= 0 or made.slope < 0
        outside = turned or any(not 0 <= v <= 1 for v in flat)
        if made.kind not in KINDS or outside or not rising:
            raise ConfigError(f"calibration of kind {made.kind!r} is broken; fit it again")
        return made


def _sigmoid(logit: float) -> float:
    """Without overflow for any finite number."""
    return (1.0 + math.tanh(logit / 2)) / 2


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
    if kind == "logistic":
        return Calibration("logistic", (), 1.0, len(x), *_line(x, y))
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


def _line(x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
    """Slope and intercept with the least log loss plus half of `HOLD` times the squared distance
    from `LINE`, by Newton's method with halved steps; the slope never falls."""
    inner = x.clip(INNER, 1 - INNER)
    sides = np.stack([np.log(inner / (1 - inner)), np.ones(len(x))], 1)
    start, hold = np.array(LINE), np.array(HOLD)

    def loss(at: np.ndarray) -> float:
        logits = sides @ at
        held = 0.5 * float(hold @ (at - start) ** 2)
        return float((np.logaddexp(0, logits) - y * logits).sum()) + held

    def lowest(free: list[int], at: np.ndarray) -> np.ndarray:
        """The least loss over these of the two numbers."""
        for _ in range(50):
            sure = (1 + np.tanh(sides @ at / 2)) / 2
            slope = (sides.T @ (sure - y) + hold * (at - start))[free]
            bend = (sides.T * (sure * (1 - sure)) @ sides + np.diag(hold))[np.ix_(free, free)]
            step, before, size = np.zeros(2), loss(at), 1.0
            step[free] = np.linalg.solve(bend, slope)
            while size > 1e-6 and loss(at - size * step) > before:
                size /= 2
            at = at - size * step
            if before - loss(at) < 1e-12:
                break
        return at

    best = lowest([0, 1], start)
    if best[0] < 0:
        best = lowest([1], np.array([0.0, best[1]]))
    return float(best[0]), float(best[1])


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
    return Measured(
        error(raw, right), error(after, right), len(raw), loss(after, right), chance(after)
    )


def loss(confidences: Sequence[float], right: Sequence[bool]) -> float:
    """Mean log loss in nats, of confidences kept off 0 and 1 by a thousandth; 0 without answers."""
    if not len(confidences):
        return 0.0
    sure, hit = np.asarray(confidences, float).clip(1e-3, 1 - 1e-3), np.asarray(right, float)
    return float(-np.mean(hit * np.log(sure) + (1 - hit) * np.log(1 - sure)))


def chance(confidences: Sequence[float], bins: int = BINS) -> float:
    """The `error` to be expected of answers that are right exactly as often as said.

    In each bin hits spread around what was said like a normal number of the same variance, whose
    mean size is sqrt(2 / pi) of its deviation. The fewer the answers, the larger.
    """
    if not len(confidences):
        return 0.0
    sure = np.asarray(confidences, float)
    place = np.minimum((sure * bins).astype(int), bins - 1)
    spread = np.bincount(place, sure * (1 - sure), minlength=bins)
    return float(np.sqrt(2 / np.pi * spread).sum()) / len(sure)


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
