"""Following one object through frames: appearance, colour and motion cues, and several guesses.

Each frame every guess about the object's past predicts its place (steady velocity, optical flow),
places around the predictions are scored, and each guess goes on with the places that fit and with
"not to be seen". The likeliest past is chosen only at the end, so that what happens after two
people cross decides who was who.

All of it happens in a picture scaled so that the object covers about SIDE x SIDE px; the boxes that
come out are in px of the frames that went in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import cv2
import numpy as np

from pixelis.geometry import Box, Size
from pixelis.ops.looks import Looks, features
from pixelis.ops.motion import Ahead, Guess, Place, best_guesses, observe, predict, smooth, start
from pixelis.ops.scenery import camera_shift, learn_scenery

SIDE = 36.0  # the object's side in working px (root of its area)
AREA = 1.5e6  # px of the working picture at most
GUESSES = 16  # pasts kept from frame to frame
PLACES = 10  # candidate places per frame
PUSH = 0.015  # usual acceleration, in sides per frame and frame
NOISE = 0.04  # error of a place where the object is plainly seen, in sides
OFF_WAY = 0.07  # usual distance from the predicted way, in sides
WORTH, EVEN = 8.0, 0.5  # log-likelihood of evidence: WORTH * (evidence - EVEN)
FIT_WORTH = 3.0  # the same for how well a place fits beside what is usual
UNSEEN = -0.4  # log-likelihood of not being seen for a frame
RESUME = 1.0  # what it costs to be seen again
JUMP = 5.0  # largest cost of a place off the predicted way, for flow and for a return from afar
LEAST = 0.42  # evidence below which a place is no candidate
GLIMPSE = 0.32  # evidence on its way that shows a half hidden object
INSIDE = 0.25  # share of the box in the picture below which the object has left it
CLEAR = 0.7  # evidence above which size and appearance are learnt
SETTLE, RESIZE = 0.8, 0.5  # evidence to centre a place on the surface; rate of resizing
SURE_AFAR = 0.85  # evidence needed far from where the object should be
LONG = 6  # frames of loss after which the whole picture is searched


@dataclass
class Track:
    """Where an object was.

    Attributes:
        boxes: box per frame in which it was seen, in px, clipped to the picture.
        confidence: per frame, evidence that it is there, in [0, 1].
        lost: frames in which it could not be seen (hidden, or outside the picture).
    """

    boxes: dict[int, Box] = field(default_factory=dict)
    confidence: dict[int, float] = field(default_factory=dict)
    lost: list[int] = field(default_factory=list)


def follow(
    frames: Iterable[tuple[int, np.ndarray]],
    box: Box,
    samples: Iterable[np.ndarray] = (),
    mask: np.ndarray | None = None,
    check: Callable[[], None] = lambda: None,
) -> Track:
    """Follows what `box` shows in the first frame through all of them.

    Args:
        frames: numbers and RGB pictures (height, width, 3) uint8 of one size, in order.
        box: the object in the first frame, in px.
        samples: RGB pictures of the scene at other times, of the same size; when they show that
            the camera stands still, what moves before it becomes a cue.
        mask: boolean (height, width) of the object in the first frame, when known.
        check: called once a frame; may raise to stop.
    """
    pursuit: Pursuit | None = None
    numbers: list[int] = []
    for number, picture in frames:
        check()
        numbers.append(number)
        if pursuit is None:
            pursuit = Pursuit(picture, box, samples, mask)
        else:
            pursuit.step(picture)
    return Track() if pursuit is None else pursuit.track(numbers)


class Pursuit:
    """The state of following one object; `step` takes the next frame, `track` sums up."""

    def __init__(
        self,
        picture: np.ndarray,
        box: Box,
        samples: Iterable[np.ndarray] = (),
        mask: np.ndarray | None = None,
    ) -> None:
        height, width = picture.shape[:2]
        self.size = Size(width, height)
        self.zoom = min(SIDE / np.sqrt(max(box.area, 1.0)), 3.0, np.sqrt(AREA / (width * height)))
        self.first = box
        self.scenery = learn_scenery([self._small(sample)[:, :, ::-1] for sample in samples])
        small = self._bgr(picture)
        inner = box.scale(self.zoom)
        self.width, self.height = inner.width, inner.height
        self.scale = np.ones(2)  # of width and height, to the first box
        self.scales = [self.scale]
        self.unsized = 0  # frames since the size was last told
        shape = None if mask is None else self._small(mask.astype(np.uint8) * 255) / 255.0
        self.looks = Looks(self._view(small), small, inner, shape)
        self.guesses = [start(*inner.center, self.side)]
        self.grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        self.flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    @property
    def side(self) -> float:
        """Root of the object's area in working px."""
        return float(np.sqrt(self.width * self.height * self.scale.prod()))

    @property
    def push(self) -> float:
        return PUSH * self.side

    def step(self, picture: np.ndarray) -> None:
        """Takes the next frame (RGB uint8) into account."""
        small = self._bgr(picture)
        grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
        view = self._view(small)
        shift = np.zeros(2) if self.scenery else np.array(camera_shift(self.grey, grey))
        motion = self.flow.calc(self.grey, grey, np.zeros((*grey.shape, 2), np.float32))
        ahead = [p for guess in self.guesses for p in self._ahead(guess, motion, shift)]
        predicted = self._compare(view, np.array([one.mean[0] for one in ahead]), self.scale)
        places = [*self._places(view, ahead), *(p for p in predicted if p.evidence >= LEAST)]
        pasts = [
            past
            for one, there in zip(ahead, predicted, strict=True)
            for past in self._pasts(one, there.evidence, places, shift)
        ]
        self.guesses = best_guesses(pasts, GUESSES, 0.08 * self.side)
        self.grey = grey
        self._learn(view)

    def track(self, numbers: list[int]) -> Track:
        """The likeliest past as boxes, one entry per frame number."""
        track = Track()
        past = self.guesses[0].past()
        points = smooth(past, self.push)
        rows = zip(numbers, past, points, self.scales, strict=True)
        for number, guess, (x, y), scale in rows:
            wide, high = self.width * scale[0] / 2, self.height * scale[1] / 2
            full = Box(x - wide, y - high, x + wide, y + high).scale(1 / self.zoom)
            full = Box(*(float(value) for value in full))
            if guess.before is None:
                full = self.first
            box = full.clip(self.size)
            evidence = 1.0 if guess.before is None else guess.glimpse
            inside = box.area >= INSIDE * full.area
            if inside and (guess.seen is not None or evidence >= GLIMPSE):
                track.boxes[number] = box
            else:
                track.lost.append(number)
            track.confidence[number] = round(float(evidence), 3)
        return track

    # prediction -----------------------------------------------------------------------------------
    def _ahead(self, guess: Guess, motion: np.ndarray, shift: np.ndarray) -> list[Ahead]:
        """The guess one frame on as (guess, mean, spread, score): steadily, and as flow says."""
        mean, spread = predict(guess, self.push, shift)
        if guess.missing > 3 * LONG:
            mean[1] *= 0.9  # how it moves is long out of date
        steady = Ahead(guess, mean, spread, guess.score)
        if guess.missing:
            return [steady]
        moved = self._flow_at(motion, guess.position)
        if moved is None:
            return [steady]
        # a frame's displacement measures the velocity; the position moves with it
        seen, tight, surprise = observe(mean, spread, moved - shift, 0.12 * self.side, row=1)
        cost = min(surprise / 2, JUMP)
        if cost < 1.0:
            return [Ahead(guess, seen, tight, guess.score - 0.5 * cost)]
        loose = spread + np.diag([(0.1 * self.side) ** 2, (0.1 * self.side) ** 2])
        jumped = np.array([guess.position + moved, moved - shift])
        return [steady, Ahead(guess, jumped, loose, guess.score - cost)]

    def _flow_at(self, motion: np.ndarray, center: np.ndarray) -> np.ndarray | None:
        """Median flow in the middle of the object, in working px; None where it is incoherent."""
        part = self._flow_part(motion, center)[0].reshape(-1, 2)
        if len(part) < 16:
            return None
        middle = np.median(part, axis=0)
        return middle if np.median(np.abs(part - middle)) < 0.03 * self.side else None

    def _flow_part(self, motion: np.ndarray, center: np.ndarray) -> tuple[np.ndarray, int, int]:
        """The flow over the middle of the object and that part's corner."""
        wide, high = 0.32 * self.width * self.scale[0], 0.35 * self.height * self.scale[1]
        box = Box(center[0] - wide, center[1] - high, center[0] + wide, center[1] + high)
        x1, y1, x2, y2 = box.clip(Size(motion.shape[1], motion.shape[0])).rounded()
        return motion[y1:y2, x1:x2], x1, y1

    def _pasts(
        self,
        ahead: Ahead,
        glimpse: float,
        places: list[Place],
        shift: np.ndarray,
    ) -> list[Guess]:
        """What may have happened in this frame: seen at one of the places, or not seen."""
        guess, mean, spread, score = ahead
        missing = guess.missing + 1
        results = [Guess(mean, spread, score + UNSEEN, missing, None, glimpse, shift, guess)]
        for place in places:
            off = place.point - mean[0]
            # a half hidden object is badly placed, but that must not make a detour cheap
            cost = float(off @ off) / (spread[0, 0] + (OFF_WAY * self.side) ** 2) / 2
            if cost <= JUMP:
                noise = (NOISE + 0.3 * max(0.0, 0.9 - place.evidence)) * self.side
                after, tight, _ = observe(mean, spread, place.point, noise)
            elif place.evidence >= SURE_AFAR and guess.missing >= LONG:
                cost = JUMP
                after, tight = np.array([place.point, np.zeros(2)]), start(0, 0, self.side).spread
            else:
                continue
            gain = WORTH * (place.evidence - EVEN) + FIT_WORTH * (place.fit - self.looks.usual.fit)
            gain -= RESUME if guess.missing else 0.0
            results.append(
                Guess(after, tight, score - cost + gain, 0, place, place.evidence, shift, guess)
            )
        return results

    # places ---------------------------------------------------------------------------------------
    def _places(self, view: np.ndarray, ahead: list[Ahead]) -> list[Place]:
        """Candidates: the best places near the predictions."""
        points = [self._around(one.mean[0], one.spread) for one in ahead]
        grid = np.unique(np.concatenate(points), axis=0)
        if self.guesses[0].missing >= LONG:
            grid = np.unique(np.concatenate([grid, self._everywhere(view)]), axis=0)
        coarse = self._peaks(self._compare(view, grid, self.scale), 0.15 * self.side)[:PLACES]
        near = np.array([[x, y] for y in (-1.0, 0.0, 1.0) for x in (-1.0, 0.0, 1.0)])
        if not coarse:
            return []
        tried = np.concatenate([place.point + near for place in coarse])
        found = self._peaks(self._compare(view, tried, self.scale), 0.1 * self.side)
        return [self._settled(view, place) for place in found]

    def _settled(self, view: np.ndarray, place: Place) -> Place:
        """The place moved onto the middle of the surface there: what drifts comes back."""
        if place.evidence < SETTLE:
            return place
        settled = self.looks.settle(view, place.x, place.y, self.scale)
        if settled is None:
            return place
        sides = np.array([self.width, self.height]) * self.scale
        moved = place.point + np.clip(settled[0], -0.1, 0.1) * sides
        again = self._compare(view, moved[None, :], self.scale)[0]
        return again if again.evidence >= place.evidence - 0.05 else place

    def _around(self, center: np.ndarray, spread: np.ndarray) -> np.ndarray:
        """Even coordinates, two px apart, within the reach of a prediction: (n, 2)."""
        reach = 2.5 * np.sqrt(spread[0, 0] + (NOISE * self.side) ** 2)
        reach = float(np.clip(reach, 3.0, 1.2 * self.side))
        steps = np.arange(-np.ceil(reach / 2), np.ceil(reach / 2) + 1) * 2
        x, y = np.round(center / 2) * 2
        return np.stack([grid.ravel() for grid in np.meshgrid(x + steps, y + steps)], axis=1)

    def _everywhere(self, view: np.ndarray) -> np.ndarray:
        stride = max(4, round(0.2 * self.side / 2) * 2)
        xs, ys = np.arange(0, view.shape[1], stride), np.arange(0, view.shape[0], stride)
        return np.stack([grid.ravel() for grid in np.meshgrid(xs, ys)], axis=1).astype(float)

    def _compare(self, view: np.ndarray, points: np.ndarray, scale: np.ndarray) -> list[Place]:
        places: list[Place] = []
        for start_at in range(0, len(points), 1000):
            part = points[start_at : start_at + 1000]
            fits, evidence = self.looks.compare(view, part[:, 0], part[:, 1], scale)
            rows = zip(part, fits, evidence, strict=True)
            places += [Place(float(x), float(y), float(f), float(e)) for (x, y), f, e in rows]
        return places

    def _peaks(self, places: list[Place], apart: float) -> list[Place]:
        """The best fitting places no two of which are nearer than `apart`."""
        kept: list[Place] = []
        for place in sorted(places, key=lambda p: -p.fit):
            if place.evidence < LEAST or len(kept) == PLACES:
                continue
            if all(max(abs(place.x - k.x), abs(place.y - k.y)) >= apart for k in kept):
                kept.append(place)
        return kept

    # learning -------------------------------------------------------------------------------------
    def _learn(self, view: np.ndarray) -> None:
        """Size and appearance from the likeliest guess, while no other place could be meant."""
        best = self.guesses[0]
        self.unsized += 1
        if best.seen is not None and best.seen.evidence > CLEAR and self._alone(best):
            self._resize(view, best.seen)
            x, y = best.seen.point
            self.looks.learn(view, x, y, self.scale, best.seen.evidence)
        self.scales.append(self.scale)

    def _alone(self, best: Guess) -> bool:
        """Whether every guess nearly as likely puts the object in the same place."""
        rivals = [g.seen for g in self.guesses[1:] if g.seen and g.score > best.score - 4.0]
        apart = 0.4 * self.side
        return all(np.abs(rival.point - best.position).max() < apart for rival in rivals)

    def _resize(self, view: np.ndarray, seen: Place) -> None:
        """Follows the object's size, by the extent of its surface or else by what fits better."""
        wanted = self.scale
        if self.looks.spread is not None:
            settled = self.looks.settle(view, seen.x, seen.y, self.scale, self.unsized)
            if settled is not None:
                wanted, self.unsized = self.scale * settled[1], 0
        else:
            sizes = [self.scale * factor for factor in (0.94, 1.0, 1.06)]
            point = seen.point[None, :]
            fits = [self._compare(view, point, size)[0].fit for size in sizes]
            fits[1] += 0.015  # a size that is right already must not waver
            wanted = sizes[int(np.argmax(fits))]
        self.scale = np.clip(self.scale + RESIZE * (wanted - self.scale), 0.3, 3.0)

    # pictures -------------------------------------------------------------------------------------
    def _small(self, picture: np.ndarray) -> np.ndarray:
        way = cv2.INTER_AREA if self.zoom < 1 else cv2.INTER_LINEAR
        return cv2.resize(picture, None, fx=self.zoom, fy=self.zoom, interpolation=way)

    def _bgr(self, picture: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self._small(picture)[:, :, ::-1])

    def _view(self, small: np.ndarray) -> np.ndarray:
        return features(small, None if self.scenery is None else self.scenery.moving(small))
