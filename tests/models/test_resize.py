import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pixelis.geometry import Size
from pixelis.models.resize import fit_image
from pixelis.ops.workspace import PixelBudget

BUDGETS = [
    PixelBudget(),
    PixelBudget(64 * 64, 96 * 96, 32),
    PixelBudget(192 * 192, 192 * 192, 32),
    PixelBudget(256 * 256, 1024 * 1024, 28),
]


@settings(deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from(BUDGETS))
def test_a_fitted_image_is_not_fitted_again(width, height, budget):
    once = budget.fit(Size(width, height))
    if once.width * once.height <= budget.max_pixels:
        assert budget.keeps(once)


@pytest.mark.parametrize("size", [(32, 32), (64, 64), (96, 96), (128, 128), (64, 128), (448, 224)])
def test_originals_that_only_happen_to_be_multiples_are_fitted(size):
    assert not PixelBudget().keeps(Size(*size))
    assert fit_image(Image.new("RGB", size), PixelBudget()).size == PixelBudget().fit(Size(*size))


@pytest.mark.parametrize("size", [(32, 416), (64, 416), (160, 224), (352, 96), (224, 224)])
def test_narrow_crops_are_left_as_they_are(size):
    assert PixelBudget().keeps(Size(*size))


def test_pixels_are_resized_and_made_rgb():
    left_white = np.zeros((90, 180), np.uint8)
    left_white[:, :90] = 255
    image = Image.fromarray(left_white)
    fit = fit_image(image, BUDGETS[1])
    assert fit.mode == "RGB"
    assert fit.size == (128, 64)
    pixels = np.asarray(fit)
    assert pixels[:, :56].min() > 250
    assert pixels[:, 72:].max() < 5
    assert fit_image(fit, BUDGETS[1]) is fit
    assert image.size == (180, 90)
