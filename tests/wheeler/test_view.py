from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import ConfigError
from pixelis.wheeler.view import frame_of, picture, save_film, save_picture


def test_cells_are_squares_of_their_colour(tmp_path):
    frame = np.array([[-1.0, 1.0, 0.0], [0.5, -0.5, 1.0]])
    path = save_picture(frame, tmp_path / "deep" / "a.png")
    image = Image.open(path)
    assert image.size == (192 * 3, 192 * 2)
    assert image.getpixel((5, 5)) == (33, 78, 130)
    assert image.getpixel((200, 100)) == (150, 62, 20)
    assert image.getpixel((400, 100)) == (250, 249, 246)
    assert picture(frame, 2).size == (3, 2)


def test_a_film_shows_every_frame(tmp_path):
    frames = [np.full((4, 4), value) for value in (-1, 0, 1)]
    with Image.open(save_film(frames, tmp_path / "a.gif")) as film:
        assert film.n_frames == 3


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    with pytest.raises(ConfigError, match="cannot be written"):
        save_picture(np.zeros((4, 4)), tmp_path / "a.nonsense")


@pytest.mark.parametrize("levels", [2, 4])
def test_a_drawn_frame_comes_back(rng, levels):
    frame = rng.integers(0, levels, (16, 16)) * (2 / (levels - 1)) - 1
    found = frame_of(picture(frame), 16)
    np.testing.assert_allclose(found, frame, atol=0.01)
    assert np.array_equal(np.rint(found * (levels - 1)), np.rint(frame * (levels - 1)))
    assert frame_of(Image.new("RGB", (384, 384), (10, 200, 10)), 16) is None
    assert frame_of(Image.new("RGB", (383, 384)), 16) is None
