import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pixelis.geometry import Size
from pixelis.models.resize import fit_image, fitted
from pixelis.ops.workspace import PixelBudget

BUDGETS = [
    PixelBudget(),
    PixelBudget(64 * 64, 96 * 96, 32),
    PixelBudget(256 * 256, 1024 * 1024, 28),
]


@given(st.integers(1, 3000), st.integers(1, 3000), st.sampled_from(BUDGETS))
def test_a_fitted_image_is_not_fitted_again(width, height, budget):
    once = budget.fit(Size(width, height))
    if once.width * once.height <= budget.max_pixels:
        assert fitted(once, budget)


@pytest.mark.parametrize(("size", "is_fit"), [((32, 32), False), ((448, 224), False)])
def test_images_that_only_happen_to_be_multiples_are_fitted(size, is_fit):
    assert fitted(Size(*size), PixelBudget()) is is_fit


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
