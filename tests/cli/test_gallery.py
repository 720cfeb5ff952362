from __future__ import annotations

import re

import numpy as np
import pytest
from PIL import Image

from pixelis.cli.gallery import CLIP, EXAMPLES, _clip, draw
from pixelis.errors import ConfigError
from pixelis.media import open_media
from pixelis.ops.registry import REGISTRY


def test_every_operation_has_an_example():
    own = {operation.name for operation in REGISTRY if operation.run.__module__[:7] == "pixelis"}
    assert own <= set(EXAMPLES)


def test_the_coin_really_moves(tmp_path):
    with open_media(_clip(tmp_path / CLIP)) as clip:
        assert clip.frames == 40
        first, last = (np.asarray(clip.frame(n)).astype(int) for n in (0, 39))
    changed = np.abs(first - last).sum(2) > 120
    columns = np.flatnonzero(changed.any(0))
    assert columns.min() < 40
    assert columns.max() > 280


@pytest.mark.slow
def test_the_page_shows_a_picture_of_every_operation(tmp_path):
    page = draw(tmp_path / "gallery").read_text()
    pictures = re.findall(r"!\[.*\]\((.*)\)", page)
    assert pictures == [f"{operation.name}.jpg" for operation in REGISTRY]
    for name in pictures:
        assert np.asarray(Image.open(tmp_path / "gallery" / name)).std() > 5
    assert "Region-based segmentation" in page


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="--out"):
        draw(tmp_path / "file")
