"""What a followed object looks like: pictures of it, its colours, its silhouette.

A view is float32 (height, width, 3 or 4): Lab scaled to about [0, 1] and, before a camera that
stands still, how surely a pixel moves. Positions are in px of the view.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from pixelis.geometry import Box

FINE = 56  # points along each side where edges are looked for
GRID = 320  # sample points on the object and its rim
RIM = 0.35  # width of the rim around the box that must not look like the object, in box sides
SOFT = 1.2  # blur of the view in px: limbs and folds move, and compression blocks
APART = 0.28  # sum of Lab differences at which a pixel counts as another thing
BINS = (12, 10, 10)  # of the colour histograms
LEARN = 0.8  # evidence needed before the model changes
RECENT_COST = 0.06  # share a recent picture must explain more than the first
KEPT = 4  # recent pictures remembered beside the first
STANDS_OUT, CROWDED = 0.2, 0.15  # surface inside over that on the rim; more on the rim than usual
EDGE = 0.15  # of the largest cross-section: thinner is an outstretched hand or noise
SHRINKS, GROWS = 0.93, 1.12  # changes of extent within which the object is whole and alone
COLOUR, MOTION = 0.45, 0.6  # weights beside the recognised share's 1


def features(bgr: np.ndarray, moving: np.ndarray | None) -> np.ndarray:
    """The view of a BGR uint8 picture, with the motion map as fourth channel when there is one."""
    soft = cv2.GaussianBlur(bgr, (0, 0), SOFT).astype(np.float32) / 255.0
    lab = cv2.cvtColor(soft, cv2.COLOR_BGR2LAB)
    # lightness 0..100; a and b count double, shades of grey would drown hue otherwise
    view = np.dstack([lab[:, :, 0] / 100.0, lab[:, :, 1] / 60.0 + 0.5, lab[:, :, 2] / 60.0 + 0.5])
    if moving is None:
        return view
    return np.dstack([view, moving.astype(np.float32)])


class Cues(NamedTuple):
    """How strongly places look like the object, one value per place.

    Attributes:
        share: of the object's surface that looks as it did, in [0, 1].
        colour: likelihood of the object's colours rather than its surroundings', in [0, 1].
        motion: how much of its silhouette moves, in [0, 1]; 0 without the motion cue.
        fit: all of them against the rim around the object; higher is better.
    """

    share: np.ndarray
    colour: np.ndarray
    motion: np.ndarray
    fit: np.ndarray


class Usual(NamedTuple):
    """The cues where the object surely is."""

    share: float
    colour: float
    motion: float
    fit: float

    def nearer(self, now: Cues) -> Usual:
        """A little nearer to what was just seen; share and colour stay in a sane range."""
        share, colour, motion, fit = (
            old + 0.15 * (float(new[0]) - old) for old, new in zip(self, now, strict=True)
        )
        return Usual(min(max(share, 0.4), 0.95), max(colour, 0.4), motion, fit)


class Spread(NamedTuple):
    """Where the object's surface lies in its box and rim: centre and extent, in box sides."""

    center: np.ndarray
    extent: np.ndarray
    rim: float


class Looks:
    """The appearance model: a first picture, recent ones, colours of object and surroundings."""

    def __init__(
        self, view: np.ndarray, bgr: np.ndarray, box: Box, shape: np.ndarray | None
    ) -> None:
        self.width, self.height = box.width, box.height
        self._lay_points()
        x, y = box.center
        first = self._sample(view, np.array([x]), np.array([y]), np.ones(2))
        self.inside = (np.abs(self.points) <= 0.5).all(axis=1)
        self.weight = self._silhouette(view, bgr, box, shape, first)
        self.pictures = [first[:3]]
        self.outline = first[3, 0] if len(first) > 3 else None
        self.object_colours = self._histogram(first, self.weight)
        rim = (~self.inside).astype(np.float64)
        self.other_colours = self._histogram(first, rim)
        # nothing is as like the first picture as itself; 0.6 is usual in the next one
        self.usual = Usual(0.6, 0.6, 1.0, 0.6)
        _, colour, motion, fit = (float(cue[0]) for cue in self._cues(first))
        self.usual = Usual(0.6, max(colour, 0.4), motion, fit - 0.4)
        self.spread = self._spread(view, x, y, np.ones(2))

    def compare(
        self, view: np.ndarray, xs: np.ndarray, ys: np.ndarray, scale: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Scores and recognised shares in [0, 1] of the object centred at each place."""
        cues = self._cues(self._sample(view, xs, ys, scale))
        evidence = [cues.share / self.usual.share, cues.colour / self.usual.colour]
        if self.moves:
            evidence.append(cues.motion / self.usual.motion)
        return cues.fit, np.minimum(evidence, 1.0).mean(axis=0)

    def _cues(self, samples: np.ndarray) -> Cues:
        """The cues at each of the sampled places."""
        weight = (self.weight / self.weight.sum()).astype(np.float32)
        share = np.zeros(samples.shape[1], np.float32)
        for age, picture in enumerate(self.pictures):
            apart = np.abs(samples[0] - picture[0])
            for channel in (1, 2):
                apart += np.abs(samples[channel] - picture[channel])
            np.minimum(apart, APART, out=apart)
            like = 1 - apart @ weight / APART
            # recent pictures inherit every error of place and size: the first one goes before
            share = np.maximum(share, like if age == 0 else like - RECENT_COST)
        likely = self._likely(samples)
        colour = likely @ weight
        rim = (~self.inside).astype(np.float32) / (~self.inside).sum()
        fit = share + COLOUR * (colour - likely @ rim)
        if self.outline is None:
            return Cues(share, colour, np.zeros_like(share), fit)
        if self.moves:
            fit = fit - MOTION * np.abs(samples[3] - self.outline).mean(axis=1)
        return Cues(share, colour, samples[3] @ weight, fit)

    @property
    def moves(self) -> bool:
        """Whether the motion cue sees the object; one that does not would lead away from it."""
        return self.usual.motion > 0.2

    def settle(
        self, view: np.ndarray, x: float, y: float, scale: np.ndarray, waited: int = 0
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """How far the object lies off a place, in its sides, and how much larger it is there.

        By the edges of its surface, told by motion or by colour; None where neither stands out
        from the surroundings, and where a neighbour touches the object or something hides a part:
        both change its extent at once, its own size changes little from frame to frame (more in
        the `waited` frames since its size was last told).
        """
        now = self._spread(view, x, y, scale)
        if self.spread is None or now is None or now.rim > self.spread.rim + CROWDED:
            return None
        # soft edges of the surface reach out by as many px whatever the object's size
        over = np.maximum(self.spread.extent - 1.0, 0.0)
        larger = (now.extent - over / scale) / (self.spread.extent - over)
        slack = min(0.012 * waited, 0.3)
        if larger.min() < SHRINKS - slack or larger.max() > GROWS + slack:
            return None
        return now.center - self.spread.center, larger

    def _spread(self, view: np.ndarray, x: float, y: float, scale: np.ndarray) -> Spread | None:
        span = 1 + 2 * RIM
        steps = ((np.arange(FINE) + 0.5) / FINE - 0.5) * span
        points = np.stack([grid.ravel() for grid in np.meshgrid(steps, steps)], axis=1)
        sample = self._sample(view, np.array([x]), np.array([y]), scale, points)
        surface = sample[3] if self.moves else np.maximum(self._likely(sample) - 0.3, 0.0)
        inside = (np.abs(points) <= 0.5).all(axis=1)
        rim = float(surface[0, ~inside].mean())
        if float(surface[0, inside].mean()) - rim < STANDS_OUT:
            return None
        square = surface.reshape(FINE, FINE)
        edges = np.array([_edges(square.sum(axis=axis), span) for axis in (0, 1)])
        return Spread(edges.mean(axis=1), edges[:, 1] - edges[:, 0], rim)

    def learn(self, view: np.ndarray, x: float, y: float, scale: np.ndarray, share: float) -> None:
        """Remembers how the object looks at a place where `share` of it was recognised."""
        if share < LEARN:
            return
        sample = self._sample(view, np.array([x]), np.array([y]), scale)
        self.usual = self.usual.nearer(self._cues(sample))
        self.pictures = [self.pictures[0], *self.pictures[1:][-(KEPT - 1) :], sample[:3]]
        if self.outline is not None:
            self.outline = self.outline + 0.06 * (sample[3, 0] - self.outline)
        self.object_colours += 0.04 * (self._histogram(sample, self.weight) - self.object_colours)
        rim = (~self.inside).astype(np.float64)
        self.other_colours += 0.1 * (self._histogram(sample, rim) - self.other_colours)

    # samples --------------------------------------------------------------------------------------
    def _lay_points(self) -> None:
        """A grid over the box and its rim, in box sides from the centre."""
        span = 1 + 2 * RIM
        step = np.sqrt(self.width * self.height * span * span / GRID)
        across = max(6, round(self.width * span / step))
        down = max(6, round(self.height * span / step))
        x = (np.arange(across) + 0.5) / across * span - span / 2
        y = (np.arange(down) + 0.5) / down * span - span / 2
        self.points = np.stack([grid.ravel() for grid in np.meshgrid(x, y)], axis=1)

    def _sample(
        self,
        view: np.ndarray,
        xs: np.ndarray,
        ys: np.ndarray,
        scale: np.ndarray,
        points: np.ndarray | None = None,
    ) -> np.ndarray:
        """The view at the grid around each centre: (channels, places, points), bilinear.

        Points outside the picture get a value no object has, so that they are never recognised.
        """
        points = self.points if points is None else points
        mapx = xs[:, None] + points[None, :, 0] * self.width * scale[0] - 0.5
        mapy = ys[:, None] + points[None, :, 1] * self.height * scale[1] - 0.5
        sampled = cv2.remap(
            view,
            mapx.astype(np.float32),
            mapy.astype(np.float32),
            cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_CONSTANT,
            borderValue=(-1.0, -1.0, -1.0, 0.0),
        )
        return np.stack(cv2.split(sampled))

    def _silhouette(
        self,
        view: np.ndarray,
        bgr: np.ndarray,
        box: Box,
        shape: np.ndarray | None,
        first: np.ndarray,
    ) -> np.ndarray:
        """Weight of each point: how surely it lies on the object; 0 outside the box."""
        if shape is None:
            shape = _cut_out(bgr, box)
        x, y = (np.array([value]) for value in box.center)
        weight = self._sample(np.dstack([shape] * 3).astype(np.float32), x, y, np.ones(2))[0, 0]
        if len(first) > 3 and first[3, 0, self.inside].mean() > 0.25:
            weight = 0.3 * weight + 0.7 * first[3, 0]
        centred = np.exp(-1.5 * (self.points**2).sum(axis=1))
        weight = np.clip(weight, 0.02, 1.0) * centred * self.inside
        return weight.astype(np.float64)

    # colours --------------------------------------------------------------------------------------
    def _bins(self, samples: np.ndarray) -> np.ndarray:
        cells: np.ndarray = np.zeros(samples.shape[1:], np.int32)
        for channel, count in zip(samples, BINS, strict=False):
            cells = cells * count + np.clip((channel * count).astype(np.int32), 0, count - 1)
        return cells

    def _histogram(self, sample: np.ndarray, weight: np.ndarray) -> np.ndarray:
        counts: np.ndarray = np.bincount(
            self._bins(sample)[0], weights=weight, minlength=math.prod(BINS)
        )
        counts = counts.reshape(BINS)
        counts = cv2.GaussianBlur(counts.reshape(BINS[0], -1), (1, 3), 0).reshape(BINS)
        return (counts / max(counts.sum(), 1e-9)).ravel()

    def _likely(self, samples: np.ndarray) -> np.ndarray:
        """How likely each point has one of the object's colours rather than its surroundings'."""
        odds = self.object_colours / (self.object_colours + self.other_colours + 2e-3)
        return odds.astype(np.float32)[self._bins(samples)]


def _edges(profile: np.ndarray, span: float) -> tuple[float, float]:
    """Between which places along an axis of length `span`, 0 in its middle, the surface lies.

    `profile` is the surface in equal cells along the axis; an edge is where it rises over EDGE of
    its largest value, between two cells' middles.
    """
    cell = span / len(profile)
    level = EDGE * float(profile.max())
    over = np.flatnonzero(profile >= level)
    ends = []
    for at, side in ((over[0], -1), (over[-1], 1)):
        beyond = at + side
        outer = float(profile[beyond]) if 0 <= beyond < len(profile) else 0.0
        part = (float(profile[at]) - level) / max(float(profile[at]) - outer, 1e-9)
        ends.append((at + 0.5 + side * part) * cell - span / 2)
    return ends[0], ends[1]


def _cut_out(bgr: np.ndarray, box: Box) -> np.ndarray:
    """The object in its box, by GrabCut from the rectangle: float32 (height, width) in {0, 1}.

    All of the box when the cut keeps almost nothing.
    """
    height, width = bgr.shape[:2]
    x1, y1, x2, y2 = box.intersect(Box(0, 0, width, height)).rounded()
    whole = np.zeros((height, width), np.float32)
    whole[y1:y2, x1:x2] = 1.0
    pad = round(0.6 * max(x2 - x1, y2 - y1))
    left, top = max(x1 - pad, 0), max(y1 - pad, 0)
    part = np.ascontiguousarray(bgr[top : y2 + pad, left : x2 + pad])
    mask = np.zeros(part.shape[:2], np.uint8)
    mask[y1 - top : y2 - top, x1 - left : x2 - left] = cv2.GC_PR_FGD
    if mask.all() or min(x2 - x1, y2 - y1) < 4:
        return whole
    cv2.setRNGSeed(0)
    models = np.zeros((1, 65)), np.zeros((1, 65))
    cv2.grabCut(part, mask, (0, 0, 1, 1), *models, 3, cv2.GC_INIT_WITH_MASK)
    kept = np.isin(mask, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    if kept.sum() < 0.15 * (x2 - x1) * (y2 - y1):
        return whole
    result = np.zeros_like(whole)
    result[top : top + part.shape[0], left : left + part.shape[1]] = kept
    return result
