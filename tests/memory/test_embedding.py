"""Embeddings: the cosine is 0.7 of the picture's plus 0.3 of the question's."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from pixelis.errors import ConfigError
from pixelis.memory.embedding import PlainEmbedder, embedder_for, hybrid


@given(st.integers(0, 10**6), st.floats(0.05, 0.95))
def test_the_shares_of_picture_and_question(seed, share):
    rng = np.random.default_rng(seed)
    a, b, c, d = (rng.normal(size=8) for _ in range(4))

    def cosine(x, y):
        return float(x @ y / np.linalg.norm(x) / np.linalg.norm(y))

    found = hybrid(a, b, (8, 8), share) @ hybrid(c, d, (8, 8), share)
    assert found == pytest.approx(share * cosine(a, c) + (1 - share) * cosine(b, d), abs=1e-5)


@given(st.text(max_size=40))
def test_any_question_gives_a_unit_vector(text):
    assert np.linalg.norm(PlainEmbedder().embed(text)) == pytest.approx(1.0, abs=1e-5)


def scene(seed):
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (160, 120), tuple(map(int, rng.integers(0, 255, 3))))
    draw = ImageDraw.Draw(image)
    for _ in range(4):
        x, y = rng.integers(0, 120, 2)
        draw.ellipse((x, y, x + 40, y + 30), fill=tuple(map(int, rng.integers(0, 255, 3))))
    return image


def test_a_picture_is_found_again_after_scaling_and_compression():
    embedder = PlainEmbedder()
    kept = np.stack([embedder.embed("How many discs are there?", scene(n)) for n in range(30)])
    for number in range(30):
        stream = io.BytesIO()
        scene(number).resize((110, 90)).save(stream, "JPEG", quality=40)
        asked = embedder.embed("how many discs?", Image.open(stream))
        assert int((kept @ asked).argmax()) == number


def test_names():
    assert embedder_for(None).space == "plain-1"
    with pytest.raises(ConfigError):
        embedder_for(None, "other")
