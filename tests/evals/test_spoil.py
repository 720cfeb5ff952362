"""Spoiled pictures: as much worse as they say, the same every time, about the same question."""

import io

import numpy as np
import pytest
from PIL import Image
from skimage.metrics import peak_signal_noise_ratio

from pixelis.errors import ConfigError
from pixelis.evals.spoil import (
    GAIN,
    HIDDEN_SHARE,
    KINDS,
    LEVELS,
    NOISE_SD,
    read_spoil,
    spoil,
    spoiled,
)
from pixelis.media import open_media


@pytest.fixture
def picture():
    from skimage.data import astronaut

    return Image.fromarray(astronaut())


@pytest.mark.parametrize("kind", KINDS)
def test_every_level_is_worse_than_the_one_before(picture, kind):
    clean = np.asarray(picture)
    ratios = [
        peak_signal_noise_ratio(clean, np.asarray(spoil(picture, kind, level, "a")))
        for level in LEVELS
    ]
    assert ratios[0] > ratios[1] > ratios[2]
    assert ratios[0] < 45


def test_amounts_are_as_told(picture):
    flat = Image.new("RGB", (300, 200), (128, 128, 128))
    for level in LEVELS:
        sd = np.asarray(spoil(flat, "noise", level, "a"), float).std()
        assert sd == pytest.approx(NOISE_SD[level - 1], rel=0.05)
        white = Image.new("RGB", (300, 200), "white")
        hidden = (np.asarray(spoil(white, "occlusion", level, "a")) == 127).all(2).mean()
        assert 0.6 * HIDDEN_SHARE[level - 1] < hidden < 1.05 * HIDDEN_SHARE[level - 1]
        dim = np.asarray(spoil(white, "dark", level, "a"), float).mean() / 255
        assert dim**2.2 == pytest.approx(GAIN[level - 1], rel=0.05)


def test_it_repeats_and_differs_between_questions(picture):
    first, again, other = (np.asarray(spoil(picture, "noise", 1, name)) for name in "aab")
    assert (first == again).all()
    assert (first != other).any()


def test_questions_stay_the_same_but_for_their_media(benchmark):
    worse = spoiled(benchmark, "noise", 2)
    assert worse.ids == benchmark.ids
    assert worse.settings["spoil"] == "noise:2"
    clean, noisy = benchmark.load(0), worse.load(0)
    assert (noisy.text, noisy.gold, noisy.picture) == (clean.text, clean.gold, clean.picture)
    assert noisy.fingerprint() != clean.fingerprint() == benchmark.load(0).fingerprint()
    assert noisy.fingerprint() == spoiled(benchmark, "noise", 2).load(0).fingerprint()


def test_tiny_pictures_can_be_spoiled():
    dot = Image.new("RGB", (1, 1), "red")
    for kind in KINDS:
        assert spoil(dot, kind, 3, "a").size == (1, 1)


def test_a_clip_stays_a_clip():
    from pixelis.data.worlds.clips import encode

    frames = [np.full((48, 64, 3), 40 + 10 * number, np.uint8) for number in range(8)]
    worse = spoil(encode(frames), "dark", 2, "a")
    with open_media(io.BytesIO(worse).getvalue()) as video:
        assert video.frames == 8
        assert np.asarray(video.frame(7)).mean() < 0.7 * frames[7].mean()


@pytest.mark.parametrize("text", ["fog:1", "noise", "noise:0", "noise:4", "noise:two", ""])
def test_other_spoilings_are_refused(text):
    with pytest.raises(ConfigError, match="give all or KIND:LEVEL"):
        read_spoil(text)
    assert read_spoil("noise:3") == ("noise", 3)
