"""Rendered text with exact truth: pages, signs and single characters for the reading benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONT_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSerif",
    "DejaVuSansMono",
    "STIXGeneral",
    "STIXGeneralBol",
)
HEIGHTS = (8, 10, 12, 16, 20, 24, 32, 40, 48, 60)
INKS = (  # ink, paper: dark on light, light on dark, and signs
    ((20, 20, 20), (245, 245, 240)),
    ((240, 240, 240), (25, 30, 40)),
    ((255, 255, 255), (190, 20, 30)),
    ((15, 25, 80), (250, 215, 60)),
    ((255, 255, 255), (0, 105, 60)),
)
WORD_LIST = """
the of and to in is it you that he was for on are with as his they be at one have this from
or had by hot word but what some we can out other were all there when up use your how said an each
she which do their time if will way about many then them write would like so these her long make
thing see him two has look more day could go come did number sound no most people my over know
water than call first who may down side been now find any new work part take get place made live
where after back little only round man year came show every good me give our under name very
through just form sentence great think say help low line differ turn cause much mean before move
right boy old too same tell does set three want air well also play small end put home read hand
port large spell add even land here must big high such follow Station Platform Exit Museum Street
London Tuesday January Closed Ticket Office Private
"""
WORDS = tuple(WORD_LIST.split())
SIGNS = (
    "STOP",
    "EXIT",
    "OPEN",
    "NO ENTRY",
    "Taxi",
    "PUSH",
    "Bus 42",
    "Gate B7",
    "Room 214",
    "P",
    "7",
    "A",
    "42",
    "OK",
    "50",
    "Danger",
    "Platform 3",
    "GIVE WAY",
)


class Page(NamedTuple):
    """A rendered picture (RGB), its lines in reading order and their ink boxes in px."""

    image: Image.Image
    lines: tuple[str, ...]
    boxes: tuple[tuple[int, int, int, int], ...]
    height: int

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def font(name: str, capital_px: int) -> ImageFont.FreeTypeFont:
    """The font at the size whose capital H is `capital_px` tall."""
    probe = ImageFont.truetype(FONT_FOLDER / f"{name}.ttf", 200)
    _, top, _, bottom = probe.getbbox("H")
    size = round(200 * capital_px / (bottom - top))
    return ImageFont.truetype(FONT_FOLDER / f"{name}.ttf", size)


def sentence(rng: np.random.Generator, letters: int) -> str:
    """Words (and some numbers, prices and codes) up to about this many letters."""
    parts: list[str] = []
    while sum(map(len, parts)) + len(parts) < letters:
        kind = rng.random()
        if kind < 0.85:
            parts.append(str(rng.choice(WORDS)))
        elif kind < 0.92:
            parts.append(str(rng.integers(2, 9999)))
        elif kind < 0.96:
            parts.append(f"{rng.integers(1, 99)}.{rng.integers(10, 99)}")
        else:
            parts.append("".join(rng.choice(list("ABCDEFGHKLMNPRSTUVWXYZ"), 3)) + "-7")
    return " ".join(parts)


def page(rng: np.random.Generator, capital_px: int, lines: int = 4, angle: float = 0.0) -> Page:
    """A block of lines of one font on plain paper with sensor noise."""
    face = font(str(rng.choice(FONTS)), capital_px)
    ink, paper = INKS[rng.integers(len(INKS))]
    texts = tuple(sentence(rng, int(rng.integers(14, 30))) for _ in range(lines))
    pitch = round(capital_px * 1.9) + 4
    margin = capital_px + 8
    width = max(int(face.getlength(text)) for text in texts) + 2 * margin
    image = Image.new("RGB", (width, pitch * lines + 2 * margin), paper)
    draw = ImageDraw.Draw(image)
    boxes = []
    for number, text in enumerate(texts):
        place = (margin, margin + number * pitch)
        draw.text(place, text, font=face, fill=ink)
        boxes.append(tuple(round(v) for v in draw.textbbox(place, text, font=face)))
    if angle:
        image = image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)
    return Page(noisy(rng, image), texts, tuple(boxes), capital_px)


def sign(rng: np.random.Generator, text: str, capital_px: int) -> Page:
    """A short text in the middle of a coloured board, as a crop would show it."""
    face = font("DejaVuSans-Bold" if rng.random() < 0.6 else str(rng.choice(FONTS)), capital_px)
    ink, paper = INKS[rng.integers(len(INKS))]
    left, top, right, bottom = face.getbbox(text)
    pad = int(capital_px * rng.uniform(0.25, 0.9)) + 1
    size = (int(right - left) + 2 * pad, int(bottom - top) + 2 * pad)
    image = Image.new("RGB", size, paper)
    ImageDraw.Draw(image).text((pad - left, pad - top), text, font=face, fill=ink)
    return Page(noisy(rng, image), (text,), ((pad, pad, size[0] - pad, size[1] - pad),), capital_px)


def columns(rng: np.random.Generator, capital_px: int, lines: int = 5) -> Page:
    """Two columns with a gutter; the left one is read first."""
    face = font("DejaVuSerif", capital_px)
    left = [sentence(rng, 20) for _ in range(lines)]
    right = [sentence(rng, 20) for _ in range(lines)]
    gutter = capital_px * 3
    wide = int(max(face.getlength(t) for t in left))
    total = wide + gutter + int(max(face.getlength(t) for t in right)) + 4 * capital_px
    pitch = round(capital_px * 1.9)
    image = Image.new("RGB", (total, pitch * lines + 3 * capital_px), (248, 248, 244))
    draw = ImageDraw.Draw(image)
    boxes = []
    for x, texts in ((2 * capital_px, left), (2 * capital_px + wide + gutter, right)):
        for number, text in enumerate(texts):
            place = (x, capital_px + number * pitch)
            draw.text(place, text, font=face, fill=(20, 20, 30))
            boxes.append(tuple(round(v) for v in draw.textbbox(place, text, font=face)))
    return Page(noisy(rng, image), (*left, *right), tuple(boxes), capital_px)


def noisy(rng: np.random.Generator, image: Image.Image, sigma: float = 3.0) -> Image.Image:
    """The picture with Gaussian sensor noise of `sigma` grey levels."""
    pixels = np.asarray(image, np.float32)
    return Image.fromarray(
        np.clip(pixels + rng.normal(0, sigma, pixels.shape), 0, 255).astype("u1")
    )
