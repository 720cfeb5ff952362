import io
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from pixelis.data import tasks
from pixelis.data.prints import near, near_pairs, print_of


def photo(name: str) -> Image.Image:
    with (files("skimage") / "data" / name).open("rb") as file:
        return Image.open(io.BytesIO(file.read())).convert("RGB")


NAMES = ("astronaut.png", "coffee.png", "page.png", "coins.png", "camera.png")


def saved_again(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60)
    return Image.open(buffer)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_picture_is_known_again(name):
    image = photo(name)
    first = print_of(image)
    assert near(first, print_of(saved_again(image)))
    assert near(first, print_of(image.resize((image.width // 2, image.height // 2))))
    assert near(first, print_of(ImageEnhance.Brightness(image).enhance(1.02)))


def test_other_pictures_are_told_apart():
    prints = [print_of(photo(name)) for name in NAMES]
    prints += [print_of(tasks.draw(1, index).image) for index in range(40)]
    prints.append(print_of(photo("coffee.png").transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    assert near_pairs(prints) == []


def test_plain_pictures_of_other_colours_are_not_the_same():
    red, blue = (Image.new("RGB", (64, 64), color) for color in ("red", "blue"))
    assert not near(print_of(red), print_of(blue))
    assert near(print_of(red), print_of(Image.new("RGB", (30, 90), "red")))


def test_pairs_are_those_of_comparing_all_with_all():
    rng = np.random.default_rng(3)
    base = [print_of(photo(name)) for name in NAMES]
    prints = list(base)
    for one in base:
        for bits in (1, 3, 4, 5, 9):
            flipped = one.hash
            for bit in rng.permutation(64)[:bits]:
                flipped ^= 1 << int(bit)
            prints.append(one._replace(hash=flipped))
    everyone = [
        (a, b)
        for a in range(len(prints))
        for b in range(a + 1, len(prints))
        if near(prints[a], prints[b])
    ]
    assert near_pairs(prints) == everyone
    assert len(everyone) > 15
