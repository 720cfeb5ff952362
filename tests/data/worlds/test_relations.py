import numpy as np
import pytest

from pixelis.data.worlds import domains, layouts, relations


@pytest.mark.parametrize("kind", sorted(relations.KINDS))
def test_what_is_linked_is_near_and_the_rest_is_not(kind):
    linked = 0
    for k in range(12):
        scene = layouts.draw_scene(np.random.default_rng([2, k]), domains.TRAIN[k % 8], kind)
        for item in scene.items:
            if item.link < 0:
                continue
            linked += 1
            other = scene.items[item.link]
            if item.role == "tied":
                continue
            assert item.box.pad(4).intersect(other.box).area > 0
            strangers = [i for i in scene.items if i is not item and i is not other]
            assert all(item.box.intersect(i.box).area == 0 for i in strangers)
        names = [(i.color, i.shape) for i in scene.items if i.kind == "object"]
        assert len(set(names)) == len(names)
    assert linked > 8


def test_a_string_joins_the_tied():
    scene = layouts.draw_scene(np.random.default_rng(3), domains.TRAIN[0], "ties")
    item = next(i for i in scene.items if i.role == "tied")
    a, b = np.array(item.box.center), np.array(scene.items[item.link].box.center)
    x, y = (round(float(v)) for v in (a + b) / 2)
    around = scene.pixels[max(y - 6, 0) : y + 6, max(x - 6, 0) : x + 6].reshape(-1, 3)
    assert np.ptp(around.astype(int), 0).max() > 60
