"""Masks against scikit-image and against counting by hand."""

import numpy as np
import pytest
from scipy import ndimage
from skimage.metrics import contingency_table
from skimage.segmentation import find_boundaries

from pixelis.evals.metrics.masks import boundary_f1, dice, iou, outline


def blob(rng, shape=(60, 80)):
    field = ndimage.gaussian_filter(rng.random(shape), rng.uniform(2, 6))
    return field > np.quantile(field, rng.uniform(0.5, 0.9))


@pytest.mark.parametrize("seed", range(12))
def test_random_masks_agree_with_scikit_image(seed):
    rng = np.random.default_rng(seed)
    found, truth = blob(rng), blob(rng)
    table = contingency_table(truth.astype(int), found.astype(int), normalize=False).toarray()
    (_, false), (missed, both) = table
    assert iou(found, truth) == pytest.approx(both / (both + false + missed))
    assert dice(found, truth) == pytest.approx(2 * both / (2 * both + false + missed))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("tolerance", [0, 1.5, 3])
def test_outlines_agree_with_scikit_image_and_plain_distances(seed, tolerance):
    rng = np.random.default_rng(seed)
    found, truth = (np.pad(blob(rng, (24, 30)), 1) for _ in range(2))
    mine = np.argwhere(find_boundaries(found, connectivity=2, mode="inner"))
    theirs = np.argwhere(find_boundaries(truth, connectivity=2, mode="inner"))
    apart = np.linalg.norm(mine[:, None] - theirs[None], axis=2)
    precision, recall = (apart.min(1) <= tolerance).mean(), (apart.min(0) <= tolerance).mean()
    both = precision + recall
    wanted = 2 * precision * recall / both if both else 0
    assert boundary_f1(found, truth, tolerance) == pytest.approx(wanted)


def test_edges():
    none, all_of_it = np.zeros((4, 5), bool), np.ones((4, 5), bool)
    for measure in (iou, dice, boundary_f1):
        assert measure(none, none) == 1
        assert measure(none, all_of_it) == measure(all_of_it, none) == 0
        assert measure(all_of_it, all_of_it) == 1
    assert outline(all_of_it).sum() == 14  # what lies beyond the picture is outside
    with pytest.raises(ValueError, match="two boolean masks of one shape"):
        iou(none, none[:2])
    with pytest.raises(ValueError, match="uint8"):
        dice(none.astype(np.uint8), none)
