"""Reading text off pixels: RapidOCR's two networks with scales, tiles and crops chosen by us.

The library's own pipeline enlarges every picture to 736 px and shrinks it to 2000 px whatever the
letters measure, and cuts lines out of that; here the detector looks at tiles in which letters have
a height it knows, and lines are cut straight out of the source pixels.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np

from pixelis.errors import ConfigError, ModelError
from pixelis.geometry import Box, Size
from pixelis.ops.lines import (
    box_of,
    height_of,
    ink_margins,
    join,
    reading_order,
    straighten,
    tightened,
    width_of,
)

DEFAULT_THREADS = 2
LINE_HEIGHT = 48  # what the recogniser reads
BOX_TO_LETTER = 1.7  # the detector's line boxes are this much higher than a capital letter
LETTER_PX = 18.0  # height of letters in the detector's input when we choose the scale
SMALLEST_PX, LARGEST_PX = 9.0, 64.0  # outside, another look at LETTER_PX is worth its time
TILE_WIDTH, TILE_HEIGHT = 1600, 960  # det input; wide, so that few lines are cut
OVERLAP = 128
SMALL_AREA, LARGE_AREA = (
    40_000,
    4_000_000,
)  # px of a picture; below is enlarged, above is shrunk first
CHEAP_AREA, SHRUNK_SIDE = 1_500_000, 256  # second looks after nothing was found
LARGEST_ENLARGEMENT = 4.0
KEEP = 0.5  # lines read with less confidence are dropped
KEEP_SHORT, SHORT = 0.8, 4  # the same for texts of at most this many characters
KEEP_UNFOUND, TWO_TONE = 0.9, 0.7  # the same when the detector did not point at the line
TURN_MARGIN = 0.15  # a turned line must read this much better than upright
DOUBTFUL = 0.8  # lines read with less are tried upside down
# A drawn square, disc or star is read as the character that looks like it.
DRAWN = frozenset("■□▪▫●○◯⬤◉•◆◇◊▲△▼▽▶◀★☆♥♡❤✚✖口囗〇")
STANDING = 2.5  # a box this much higher than wide is a line on end
BATCH_WIDTH = 3000  # px of all crops of one recogniser run, padding included


@dataclass(frozen=True)
class Line:
    """A line of text: what it says, its box in px of the picture read, confidence in [0, 1]."""

    text: str
    box: Box
    confidence: float

    def moved(self, dx: float, dy: float) -> Line:
        return replace(self, box=self.box.shift(dx, dy))


class Look(NamedTuple):
    """What the detector found in the picture scaled by `scale`: quads in px of the picture."""

    scale: float
    quads: list[np.ndarray]


class Reading(NamedTuple):
    """What the recogniser said about a quad, and the upright crop it saw."""

    text: str
    confidence: float
    quad: np.ndarray
    crop: np.ndarray


class Reader:
    """Reads lines of text; its networks load on first use and may be shared between threads.

    Args:
        threads: processor threads of each network run, at least 1.
    """

    def __init__(self, threads: int = DEFAULT_THREADS) -> None:
        if threads < 1:
            raise ConfigError(f"threads = {threads}: reading needs at least 1 processor thread")
        self.threads = threads
        self._loaded: Networks | None = None
        self._lock = threading.Lock()

    def read(self, pixels: np.ndarray, check: Callable[[], None] = lambda: None) -> list[Line]:
        """The lines in reading order, boxes in px of `pixels`.

        Args:
            pixels: RGB of shape (height, width, 3), uint8; not changed.
            check: called between network runs; may raise to stop.
        """
        pixels = np.ascontiguousarray(pixels[:, :, ::-1])  # the networks were trained on BGR
        looks = self._looks(pixels, check)
        lines = self._recognise(pixels, join(best_of(looks)), check)
        if not looks[0].quads:
            lines = _sure(lines)
        elif not lines:  # what was found were no letters: the rest may hold some
            looks = [self._look(pixels, scale, check) for scale in scales_again(looks[0], pixels)]
            lines = _sure(self._recognise(pixels, join(best_of(looks)), check))
        return lines or self._unfound(pixels, check)

    # finding --------------------------------------------------------------------------------------
    def _looks(self, pixels: np.ndarray, check: Callable[[], None]) -> list[Look]:
        """One look and, where letters ask for it, another at their scale."""
        first = self._look(pixels, first_scale(*pixels.shape[:2]), check)
        others = other_scales(first, pixels)
        return [first, *(self._look(pixels, scale, check, where) for scale, where in others)]

    def _look(
        self,
        pixels: np.ndarray,
        scale: float,
        check: Callable[[], None],
        where: Box | None = None,
    ) -> Look:
        """Quads in px of `pixels`, found in the tiles (that touch `where`) scaled by `scale`."""
        quads: list[np.ndarray] = []
        height, width = pixels.shape[:2]
        for x1, y1, x2, y2 in tiles(height, width, scale):
            if where is not None and not where.intersect(Box(x1, y1, x2, y2)).area:
                continue
            check()
            tile = _scaled(pixels[y1:y2, x1:x2], scale)
            if int(tile.max()) - int(tile.min()) < 12:
                continue
            tile, margin = _bordered(tile)
            with self._lock:
                boxes = self._networks().detector(tile).boxes
            for quad in [] if boxes is None else boxes.astype(np.float64):
                quads.append((quad - margin) / scale + (x1, y1))
        return Look(scale, quads)

    # recognising ----------------------------------------------------------------------------------
    def _recognise(
        self, pixels: np.ndarray, quads: list[np.ndarray], check: Callable[[], None]
    ) -> list[Line]:
        if not quads:
            return []
        ways = [(index, way) for index, quad in enumerate(quads) for way in _upright_ways(quad)]
        best: dict[int, Reading] = {}
        for (index, _), reading in zip(
            ways, self._readings(pixels, [way for _, way in ways], check), strict=True
        ):
            if index not in best or reading.confidence > best[index].confidence + TURN_MARGIN:
                best[index] = reading
        kept = self._believed(pixels, self._righted(pixels, list(best.values()), check), check)
        order = reading_order([reading.quad for reading in kept])
        return [_line(kept[index], pixels) for index in order]

    def _righted(
        self, pixels: np.ndarray, readings: list[Reading], check: Callable[[], None]
    ) -> list[Reading]:
        """The readings; doubtful ones turned upside down where that reads better."""
        doubtful = [i for i, r in enumerate(readings) if r.confidence < DOUBTFUL]
        halves = [np.roll(readings[i].quad, 2, axis=0) for i in doubtful]
        righted = list(readings)
        for index, turned in zip(doubtful, self._readings(pixels, halves, check), strict=True):
            if turned.confidence > readings[index].confidence + TURN_MARGIN:
                righted[index] = turned
        return righted

    def _readings(
        self, pixels: np.ndarray, quads: list[np.ndarray], check: Callable[[], None]
    ) -> list[Reading]:
        crops = [straighten(pixels, quad, LINE_HEIGHT) for quad in quads]
        texts = self._texts(crops, check)
        return [
            Reading(text.strip(), confidence, quad, crop)
            for (text, confidence), quad, crop in zip(texts, quads, crops, strict=True)
        ]

    def _believed(
        self, pixels: np.ndarray, readings: list[Reading], check: Callable[[], None]
    ) -> list[Reading]:
        """Those that say something; short ones must say the same in a slightly larger cut.

        Texture is often taken for one or two letters, but seldom for the same ones twice. A line
        of nothing but shapes is a picture of shapes.
        """
        readings = [r for r in readings if not DRAWN.issuperset(r.text.replace(" ", ""))]
        sure = [r for r in readings if r.text and r.confidence >= KEEP and len(r.text) > SHORT]
        short = [r for r in readings if r.confidence >= KEEP_SHORT and 0 < len(r.text) <= SHORT]
        wider = [tightened(r.quad, (-0.08, -0.08, -0.08, -0.08)) for r in short]
        for first, second in zip(short, self._readings(pixels, wider, check), strict=True):
            confidence = min(first.confidence, second.confidence)
            if first.text.casefold() == second.text.casefold() and confidence >= KEEP_SHORT:
                sure.append(first._replace(confidence=confidence))
        return sure

    def _texts(self, crops: list[np.ndarray], check: Callable[[], None]) -> list[tuple[str, float]]:
        """Text and confidence of each crop; crops of like width share a network run."""
        from rapidocr.ch_ppocr_rec import TextRecInput

        results: list[tuple[str, float]] = [("", 0.0)] * len(crops)
        for batch in batches([crop.shape[1] for crop in crops]):
            check()
            with self._lock:
                read = self._networks().recogniser(TextRecInput(img=[crops[i] for i in batch]))
            for i, text, score in zip(batch, read.txts, read.scores, strict=True):
                results[i] = (str(text), float(score))
        return results

    def _unfound(self, pixels: np.ndarray, check: Callable[[], None]) -> list[Line]:
        """One line read without the detector, in a crop that holds little but ink on paper."""
        height, width = pixels.shape[:2]
        if not 0.2 <= width / height <= 25 or two_tone(pixels) < TWO_TONE:
            return []
        whole = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float64)
        ink = tightened(whole, ink_margins(straighten(pixels, whole, 2 * LINE_HEIGHT)))
        readings = self._readings(pixels, [whole, ink], check)
        best = max(readings, key=lambda reading: reading.confidence)
        believed = best.text and best.confidence >= KEEP_UNFOUND
        return [_line(best, pixels)] if believed else []

    def _networks(self) -> Networks:
        """Loaded on the first call; the caller holds the lock."""
        if self._loaded is None:
            self._loaded = _load(self.threads)
        return self._loaded


# scales and tiles ---------------------------------------------------------------------------------
def first_scale(height: int, width: int) -> float:
    """How much to scale a picture for the first look, before any letter is known."""
    area = height * width
    if area > LARGE_AREA:
        return float(np.sqrt(LARGE_AREA / area))
    return 2.0 if area < SMALL_AREA else 1.0


def _sure(lines: list[Line]) -> list[Line]:
    """Of what only a second look found: short texts are shapes more often than letters."""
    return [one for one in lines if len(one.text) > SHORT or one.confidence >= KEEP_UNFOUND]


def letter_height(quad: np.ndarray) -> float:
    """Height of a capital letter in a detected line, in px."""
    high, wide = height_of(quad), width_of(quad)
    return (wide if high > STANDING * wide else high) / BOX_TO_LETTER


def other_scales(first: Look, pixels: np.ndarray) -> list[tuple[float, Box | None]]:
    """Further scales worth a look, each with the part of the picture to look at.

    Letters that were too small or too large for the detector are looked at again at LETTER_PX;
    when nothing was found, everything is looked at once more where that is cheap: larger, and
    shrunk to a thumbnail for letters that fill the picture.
    """
    looks: list[tuple[float, Box | None]] = []
    if not first.quads:
        return [(scale, None) for scale in scales_again(first, pixels)]
    sizes = np.array([letter_height(quad) for quad in first.quads])
    seen = sizes * first.scale
    for chosen in (seen < SMALLEST_PX, seen > LARGEST_PX):
        if chosen.any():
            scale = min(LETTER_PX / float(np.median(sizes[chosen])), LARGEST_ENLARGEMENT)
            looks.append((scale, _around(first.quads, chosen)))
    return [(scale, where) for scale, where in looks if not 0.8 < scale / first.scale < 1.25]


def scales_again(first: Look, pixels: np.ndarray) -> list[float]:
    """Larger and as a thumbnail: where to look once more after a look that found no letters."""
    height, width = pixels.shape[:2]
    grown = min(2.5 * first.scale, LARGEST_ENLARGEMENT, np.sqrt(CHEAP_AREA / (height * width)))
    shrunk = SHRUNK_SIDE / max(height, width)
    return [scale for scale in (grown, shrunk) if not 0.5 < scale / first.scale < 1.2]


def _around(quads: list[np.ndarray], chosen: np.ndarray) -> Box:
    boxes = [box_of(quad) for quad, wanted in zip(quads, chosen, strict=True) if wanted]
    around = boxes[0]
    for box in boxes[1:]:
        around = around.union(box)
    return around.pad(2 * max(box.height for box in boxes))


def best_of(looks: list[Look]) -> list[np.ndarray]:
    """One quad per place: of overlapping ones that whose letters were nearest to LETTER_PX."""
    candidates = [
        (abs(np.log(max(letter_height(quad) * look.scale, 0.1) / LETTER_PX)), quad)
        for look in looks
        for quad in look.quads
    ]
    if len(looks) == 1:
        return [quad for _, quad in candidates]
    lines = [
        box_of(quad)
        for look in looks
        for quad in look.quads
        if SMALLEST_PX <= letter_height(quad) * look.scale <= LARGEST_PX
    ]
    candidates = [(cost, quad) for cost, quad in candidates if not _holds(box_of(quad), lines)]
    kept: list[np.ndarray] = []
    boxes: list[Box] = []
    for _, quad in sorted(candidates, key=lambda pair: pair[0]):
        box = box_of(quad)
        if all(box.intersect(other).area < 0.5 * box.area for other in boxes):
            kept.append(quad)
            boxes.append(box)
    return kept


def _holds(box: Box, lines: list[Box]) -> bool:
    """Whether two or more much lower lines lie in the box: a card seen as one line from afar."""
    inside = [
        line
        for line in lines
        if line.height < 0.5 * box.height and line.intersect(box).area > 0.8 * line.area
    ]
    return len(inside) > 1


def tiles(height: int, width: int, scale: float) -> Iterator[tuple[int, int, int, int]]:
    """x1, y1, x2, y2 of overlapping tiles in px of the picture, for a detector at `scale`."""
    for y1, y2 in _stretches(height, TILE_HEIGHT / scale, OVERLAP / scale):
        for x1, x2 in _stretches(width, TILE_WIDTH / scale, OVERLAP / scale):
            yield x1, y1, x2, y2


def _stretches(length: int, most: float, overlap: float) -> Iterator[tuple[int, int]]:
    count = 1 if length <= 1.25 * most else int(np.ceil((length - overlap) / (most - overlap)))
    step = (length - overlap) / count
    for number in range(count):
        yield int(number * step), min(length, int(np.ceil(number * step + step + overlap)))


def batches(widths: list[int]) -> Iterator[list[int]]:
    """Indices of crops that share a network run: of like width, because the rest is padding."""
    batch: list[int] = []
    for index in sorted(range(len(widths)), key=lambda i: widths[i]):
        if batch and (len(batch) + 1) * max(widths[index], 320) > BATCH_WIDTH:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


# pixels -------------------------------------------------------------------------------------------
def _scaled(tile: np.ndarray, scale: float) -> np.ndarray:
    if scale == 1.0:
        return tile
    size = max(8, round(tile.shape[1] * scale)), max(8, round(tile.shape[0] * scale))
    way = cv2.INTER_LANCZOS4 if scale > 1 else cv2.INTER_AREA
    return cv2.resize(tile, size, interpolation=way)


def _bordered(tile: np.ndarray) -> tuple[np.ndarray, int]:
    """The tile on a border of its own edge colour, sides multiples of 32, and the border's width.

    Letters that touch the edge are missed without a border, and the library would stretch other
    sides to a multiple of 32.
    """
    margin = 16
    height, width = tile.shape[:2]
    right, bottom = margin + -(width + 2 * margin) % 32, margin + -(height + 2 * margin) % 32
    edge = np.concatenate([tile[0], tile[-1], tile[:, 0], tile[:, -1]])
    colour = [int(value) for value in np.median(edge, axis=0)]
    return cv2.copyMakeBorder(
        tile, margin, bottom, margin, right, cv2.BORDER_CONSTANT, value=colour
    ), margin


def _upright_ways(quad: np.ndarray) -> list[np.ndarray]:
    """The quad, and for one that stands on end its two quarter turns as well."""
    if height_of(quad) < 1.5 * width_of(quad):
        return [quad]
    return [quad, np.roll(quad, 1, axis=0), np.roll(quad, -1, axis=0)]


def _line(reading: Reading, pixels: np.ndarray) -> Line:
    """The reading with a box drawn tight around its ink, inside the picture."""
    box = box_of(tightened(reading.quad, ink_margins(reading.crop)))
    inside = box.clip(Size(pixels.shape[1], pixels.shape[0]))
    return Line(reading.text, inside, reading.confidence)


def two_tone(pixels: np.ndarray) -> float:
    """Share of the brightness variance that two grey levels explain (Otsu), in [0, 1]."""
    grey = cv2.cvtColor(pixels, cv2.COLOR_BGR2GRAY)
    level, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark, total = grey <= level, float(grey.var())
    share = float(dark.mean())
    if total < 1.0 or not 0 < share < 1:
        return 0.0
    gap = float(grey[~dark].mean()) - float(grey[dark].mean())
    return share * (1 - share) * gap * gap / total


# the engine ---------------------------------------------------------------------------------------
class Networks(NamedTuple):
    """RapidOCR's detector and recogniser."""

    detector: Any
    recogniser: Any


def _load(threads: int) -> Networks:
    """The networks from RapidOCR's wheel, silent, with its own resizing switched off."""
    from omegaconf import flag_override
    from rapidocr import RapidOCR  # takes a second to import: only who reads pays for it
    from rapidocr.ch_ppocr_det import TextDetector
    from rapidocr.ch_ppocr_rec import TextRecognizer

    # nothing is loaded here: its networks are lazy, and ours are made from its settings
    settings = RapidOCR(
        params={
            "Global.log_level": "critical",
            "Det.limit_type": "max",
            "Det.limit_side_len": 1_000_000,
        }
    ).cfg
    settings.Rec.font_path = None
    for part, kind in ((settings.Det, "det"), (settings.Rec, "rec")):
        with flag_override(part, "allow_objects", True):
            part.session = _session(Path(settings.Global.model_root_dir), kind, threads)
    return Networks(TextDetector(settings.Det), TextRecognizer(settings.Rec))


def _session(folder: Path, kind: str, threads: int) -> Any:
    from onnxruntime import InferenceSession, SessionOptions

    files = sorted(folder.glob(f"*_{kind}_*.onnx"))
    if not files:
        raise ModelError(f"no {kind} network in {folder}: reinstall rapidocr, its wheel holds it")
    options = SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena would keep the largest page's memory for good
    # waiting threads that spin take the cores from whatever else runs (measured: twice the CPU)
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return InferenceSession(str(files[-1]), options, providers=["CPUExecutionProvider"])


_SHARED: dict[int, Reader] = {}
_SHARED_LOCK = threading.Lock()


def shared_reader(threads: int = DEFAULT_THREADS) -> Reader:
    """The process's one reader with this many threads; made on the first call."""
    with _SHARED_LOCK:
        if threads not in _SHARED:
            _SHARED[threads] = Reader(threads)
        return _SHARED[threads]
