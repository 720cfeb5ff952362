from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from pixelis.training.lines import Line, Weighed
from pixelis.training.replay import Buffer

LINE = Line((1, 2, 3), (False, True, True), (-0.5, -0.25), (Image.new("RGB", (8, 8)),))


def group(size):
    return [Weighed(LINE, size), Weighed(LINE, -size)]


def test_the_newest_stay():
    kept = Buffer(2)
    for size in (1.0, 2.0, 3.0):
        kept.add(group(size))
    assert [one[0].advantage for one in kept.groups] == [2.0, 3.0]
    assert all(one.replayed for each in kept.groups for one in each)
    empty = Buffer(0)
    empty.add(group(1.0))
    assert empty.draw(3, np.random.default_rng(0)) == []


def test_groups_that_differ_more_are_drawn_more_often():
    kept = Buffer(8)
    for size in (0.1, 0.9):
        kept.add(group(size))
    rng = np.random.default_rng(0)
    drawn = [kept.draw(1, rng)[0][0].advantage for _ in range(400)]
    assert 0.85 < drawn.count(0.9) / 400 < 0.95
    assert len(kept.draw(5, rng)) == 2  # each once


def test_equal_images_are_held_once(tmp_path):
    same, other = Image.new("RGB", (8, 8), "red"), Image.new("RGB", (8, 8), "blue")
    lines = [replace(LINE, images=(one, other)) for one in (same, same.copy())]
    kept = Buffer(2)
    kept.add([Weighed(lines[0], 1.0), Weighed(lines[1], -1.0)])
    first, second = (one.line.images for one in kept.groups[0])
    assert first[0] is second[0]
    assert first[0] is not first[1]
    kept.save(tmp_path, "replay-0")
    assert len(list(tmp_path.glob("*.png"))) == 2
    kept.load(tmp_path, "replay-0")
    again = [one.line.images for one in kept.groups[0]]
    assert again[0][0] is again[1][0]
    assert again[0][1].getpixel((0, 0)) == (0, 0, 255)


def test_a_restart_draws_the_same(tmp_path):
    kept = Buffer(4)
    for size in (0.5, 1.0, 0.25):
        kept.add(group(size))
    kept.save(tmp_path, "replay-0")
    again = Buffer(4)
    again.load(tmp_path, "replay-0")
    one, other = (buffer.draw(2, np.random.default_rng(3)) for buffer in (kept, again))
    assert [g[0].advantage for g in one] == [g[0].advantage for g in other]
    assert again.groups[0][0].line.logprobs == pytest.approx(LINE.logprobs)
