from __future__ import annotations

import json

from PIL import Image


def test_a_frame_and_how_it_settles(wheeler, tmp_path):
    wheeler("remember", "the red boat", "a cat sat")
    film = tmp_path / "a.gif"
    told = json.loads(
        wheeler("view", "the red boat", "--hide", 50, "--flip", 10, "--out", film, "--json").stdout
    )
    assert told["text"] == "the red boat"
    assert told["state"] == "CONVERGED"
    with Image.open(film) as image:
        assert 2 <= image.n_frames <= told["ticks"] + 1
    still = json.loads(wheeler("view", "a cat sat", "--out", tmp_path / "a.png", "--json").stdout)
    assert still["text"] == "a cat sat"
    legacy = wheeler("view", "a cat", "--rule", "peaks", "--ticks", 5, "--out", film, "--json")
    assert json.loads(legacy.stdout)["ticks"] == 5


def test_settling_needs_memories(wheeler, tmp_path):
    done = wheeler("view", "x", "--out", tmp_path / "a.gif")
    assert done.returncode == 2
    assert "needs memories" in done.stderr
    assert wheeler("view", "x", "--flip", 101, "--out", tmp_path / "a.png").returncode == 2
    assert wheeler("view", "--out", tmp_path / "a.png").returncode == 2


def test_the_page_is_written(wheeler, tmp_path):
    done = wheeler("gallery", "--text", "one boat", "--text", "a cat", "--out", tmp_path / "p.html")
    assert done.returncode == 0
    page = (tmp_path / "p.html").read_text()
    assert "one boat" in page
