"""Real episodes about small drawn pictures, solved by executing operations."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pixelis.answers.score import correct
from pixelis.data.asking import Asked, Way
from pixelis.data.episodes import Writer
from pixelis.data.solving import solve
from pixelis.geometry import Box
from pixelis.media import open_picture
from pixelis.ops.workspace import PixelBudget

BUDGET = PixelBudget(256 * 256, 256 * 256, 32)
TEXT_LIMIT = 60
INKS = {"red": (200, 20, 30), "blue": (20, 50, 200), "green": (10, 120, 40)}
WORDS = ("Harbour", "Meadow", "Tunnel")
FAMILIES = ("text_extraction", "attribute_recognition", "object_counting")


def ground(seed: int) -> Image.Image:
    """320 by 240 px of soft light shades, different for each seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(190, 255, (3, 4, 1)).astype(np.float32).repeat(3, axis=2)
    soft = cv2.resize(coarse, (320, 240), interpolation=cv2.INTER_CUBIC)
    return Image.fromarray(np.clip(soft, 0, 255).astype(np.uint8))


def asked(family: str, number: int, pen: ImageDraw.ImageDraw) -> Asked:
    """Draws something and asks about it."""
    ink, word = list(INKS)[number], WORDS[number]
    x, y = 40 + 40 * number, 30 + 30 * number
    if family == "text_extraction":
        box = (x, y, x + 180, y + 70)
        pen.rectangle(box, fill="white", outline="black", width=2)
        pen.text((x + 16, y + 14), word, fill="black", font=ImageFont.load_default(34))
        way = Way("read", "the sign", Box(*box))
        return Asked(family, "read", "What does the sign say?", (word,), "text", way=way)
    if family == "attribute_recognition":
        pen.rectangle((x, y, x + 90, y + 90), fill=INKS[ink])
        way = Way("measure", "the square", None, ((x + 45.0, y + 45.0),), "color")
        return Asked(family, "color", "What colour is the square?", (ink,), "color", way=way)
    points = [(x + 24.0 * k, y + 10.0) for k in range(number + 2)]
    for px, py in points:
        pen.ellipse((px - 8, py - 8, px + 8, py + 8), fill=INKS[ink])
    area = Box(x - 15, y - 15, points[-1][0] + 15, y + 35)
    way = Way("count", "the dots", area, tuple(points))
    gold = (str(len(points)),)
    return Asked(family, "count", "How many dots are there?", gold, "number", way=way)


def solved(folder: Path, family: str, number: int, split: str) -> dict:
    """A record of one executed episode, its picture in `folder`."""
    name = f"{family}-{number}"
    image = ground(3 * FAMILIES.index(family) + number)
    one = asked(family, number, ImageDraw.Draw(image))
    path = folder / f"{name}.png"
    image.save(path)
    with open_picture(path) as media:
        episode = solve(name, one, one.way, media, BUDGET, TEXT_LIMIT)
        sha256 = media.sha256
    assert correct(episode.answer.text, one.answer[0], one.answer_type)
    return {
        "episode": episode.to_dict(),
        "gold": one.answer[0],
        "answer_type": one.answer_type,
        "family": family,
        "kind": "golden",
        "split": split,
        "media": str(path),
        "provenance": {"licence": "CC0", "media_sha256": sha256, "generator": "tests"},
    }


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> Path:
    """A folder with nine episodes, three of each family; six are for training, three for tests."""
    scratch = tmp_path_factory.mktemp("scratch")
    folder = tmp_path_factory.mktemp("episodes")
    with Writer(folder) as writer:
        for family in FAMILIES:
            for number in range(3):
                record = solved(scratch, family, number, "test" if number == 2 else "train")
                place = writer.keep(Path(record["media"]), record["provenance"]["media_sha256"])
                writer.add({**record, "media": place})
    return folder


@pytest.fixture
def episodes(clean: Path, tmp_path: Path) -> Path:
    """A copy of `clean` that a test may spoil."""
    copy = tmp_path / "episodes"
    shutil.copytree(clean, copy)
    return copy
