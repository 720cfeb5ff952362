import numpy as np
import pytest
import torch

from pixelis.training.pointing import Grid, covered, pointers, pointing_loss, runs, telling_loss

GRID = Grid(start=10, rows=4, columns=5)


def test_runs_are_points_and_boxes_only():
    values = [None, 1, None, 2, None, None, 3, None, 4, None, 5, None, 6, None, 7]
    commas = [False, False, True, False, False, False, False, True, False, True, False, True]
    commas += [False, False, False]
    assert list(runs(values, commas)) == [[1, 3], [6, 8, 10, 12]]


def test_a_box_covers_the_tokens_whose_centres_it_holds():
    np.testing.assert_array_equal(covered([0, 0, 400, 500], GRID), [10, 11, 15, 16])
    np.testing.assert_array_equal(covered([0, 0, 1000, 1000], GRID), np.arange(10, 30))


@pytest.mark.parametrize("numbers", [[990, 990], [1000, 1000], [0, 0], [510, 510, 520, 520]])
def test_something_is_always_covered(numbers):
    places = covered(numbers, GRID)
    assert len(places) == 1
    assert 10 <= places[0] < 30


def test_pointers_speak_of_the_latest_image():
    values = [None, 500, None, 500]
    found = pointers(values, [False, False, True, False], [0, 0, 0, 0], [GRID])
    assert [pointer.at for pointer in found] == [0, 2]
    assert found[0].box == (0.5, 0.5, 0.5, 0.5)


def test_loss_is_small_exactly_when_attention_is_right():
    right = torch.zeros(1, 6, 4, 4)
    right[..., 2] = 1.0
    where = torch.tensor([[False, False, True, False]])
    rows, at = torch.tensor([0]), torch.tensor([3])
    layers = [right] * 4
    assert float(pointing_loss(layers, rows, at, where)) < 1e-4
    assert float(pointing_loss(layers, rows, at, ~where)) > 5


def test_telling_loss_is_the_mean_distance():
    told, boxes = torch.zeros(1, 4), torch.tensor([[0.1, 0.2, 0.3, 0.4]])
    assert float(telling_loss(told, boxes)) == pytest.approx(0.25)
