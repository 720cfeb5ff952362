"""Pictures made worse on purpose: noise, blur, JPEG, occlusion, low light, in three levels.

The same question about a spoiled picture; the spoiling is drawn from the question's id, so a run
repeats. Clips are spoiled frame by frame and encoded again. Occlusion may hide what is asked about,
so its retention is no fault of the model alone; the oracle under the same spoiling tells how much.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from pixelis.data.clips import write_clip
from pixelis.errors import ConfigError
from pixelis.evals.question import Benchmark, Question
from pixelis.media import Video, open_media

LEVELS = (1, 2, 3)
NOISE_SD = (8.0, 20.0, 40.0)  # of 255
BLUR_SHARE = (0.002, 0.005, 0.010)  # standard deviation over the shorter side
JPEG_QUALITY = (40, 20, 8)
HIDDEN_SHARE = (0.05, 0.15, 0.30)  # of the area, by eight grey squares
GAIN = (0.5, 0.25, 0.1)
SQUARES = 8
SENSOR_SD = 3.0  # noise that a dark picture shows, of 255

Spoiler = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]


def noise(pixels: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    """Gaussian noise of each channel by itself. Arrays are uint8 (height, width, 3) throughout."""
    return _clipped(pixels + rng.normal(0, NOISE_SD[level - 1], pixels.shape))


def blur(pixels: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    """A Gaussian blur whose width is a share of the shorter side."""
    return cv2.GaussianBlur(pixels, (0, 0), BLUR_SHARE[level - 1] * min(pixels.shape[:2]))


def jpeg(pixels: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    """What is left after saving as JPEG."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=JPEG_QUALITY[level - 1])
    return np.asarray(Image.open(buffer).convert("RGB"))


def occlusion(pixels: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    """Grey squares at random places; where they overlap less is hidden."""
    height, width = pixels.shape[:2]
    side = round((HIDDEN_SHARE[level - 1] * height * width / SQUARES) ** 0.5)
    side = max(1, min(side, height, width))
    hidden = pixels.copy()
    for _ in range(SQUARES):
        top = int(rng.integers(0, height - side + 1))
        left = int(rng.integers(0, width - side + 1))
        hidden[top : top + side, left : left + side] = 127
    return hidden


def dark(pixels: np.ndarray, level: int, rng: np.random.Generator) -> np.ndarray:
    """Less light in linear intensity (sRGB's gamma taken as 2.2), and the noise of a sensor."""
    dimmed = 255 * (pixels / 255.0) * GAIN[level - 1] ** (1 / 2.2)
    return _clipped(dimmed + rng.normal(0, SENSOR_SD, pixels.shape))


KINDS: dict[str, Spoiler] = {
    "noise": noise,
    "blur": blur,
    "jpeg": jpeg,
    "occlusion": occlusion,
    "dark": dark,
}


def read_spoil(text: str) -> tuple[str, int]:
    """Kind and level from `noise:2`; ConfigError for another."""
    kind, _, level = text.partition(":")
    if kind not in KINDS or level not in map(str, LEVELS):
        raise ConfigError(
            f"spoil {text!r} is not known; give all or KIND:LEVEL with {', '.join(KINDS)} and "
            f"{LEVELS[0]} to {LEVELS[-1]}"
        )
    return kind, int(level)


def spoiled(benchmark: Benchmark, kind: str, level: int) -> Benchmark:
    """The same questions about spoiled media; known by another hash."""

    def load(index: int) -> Question:
        question = benchmark.load(index)
        return replace(question, media=spoil(question.media, kind, level, question.id))

    settings = {**benchmark.settings, "spoil": f"{kind}:{level}"}
    return replace(benchmark, load=load, settings=settings)


def spoil(media: Any, kind: str, level: int, name: str) -> Any:
    """A spoiled picture as PIL image, or a spoiled clip as MP4 bytes.

    Args:
        media: what `open_media` takes.
        name: with kind and level what the spoiling is drawn from.
    """
    key = hashlib.sha256(f"{kind}:{level}:{name}".encode()).digest()
    rng = np.random.default_rng(list(key))
    change = KINDS[kind]
    with open_media(media) as opened:
        if not isinstance(opened, Video):
            return Image.fromarray(change(np.asarray(opened.image.convert("RGB")), level, rng))
        frames = (
            Image.fromarray(change(np.asarray(image.convert("RGB")), level, rng))
            for _, image in opened.between(0, opened.frames - 1)
        )
        with tempfile.TemporaryDirectory(prefix="pixelis-spoil-") as folder:
            out = Path(folder) / "clip.mp4"
            write_clip(frames, out, opened.fps)
            return out.read_bytes()


def _clipped(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
