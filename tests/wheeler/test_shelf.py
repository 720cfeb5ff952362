from __future__ import annotations

import numpy as np
import pytest

from pixelis.wheeler.shelf import Shelf, pack


def frames(rng, count, cells, levels=2):
    return (rng.integers(0, levels, (count, cells)) * (2 / (levels - 1)) - 1).astype(np.float32)


@pytest.mark.parametrize(("cells", "levels"), [(100, 2), (256, 2), (70, 4)])
def test_what_is_kept_comes_back(rng, cells, levels):
    shelf, given = Shelf(cells, levels, room=2), frames(rng, 9, cells, levels)
    assert shelf.add(given[:3]) == range(3)
    assert shelf.add(given[3:]) == range(3, 9)
    np.testing.assert_allclose(shelf.frames(), given, atol=1e-6)
    np.testing.assert_allclose(shelf.frames(np.array([4, 1])), given[[4, 1]], atol=1e-6)


def test_bits_are_few():
    assert Shelf(1024).bytes_each == 128


def test_removing_moves_the_last_one(rng):
    shelf, given = Shelf(64), frames(rng, 4, 64)
    shelf.add(given)
    assert shelf.remove(1) == 3
    assert len(shelf) == 3
    np.testing.assert_array_equal(shelf.frames(), given[[0, 3, 2]])


def test_the_nearest_are_those_of_a_plain_search(rng):
    given = frames(rng, 500, 128)
    shelf = Shelf(128)
    shelf.add(given)
    metric = rng.uniform(0.1, 1, 128)
    for place in (0, 77, 499):
        hurt = np.where(rng.random(128) < 0.15, -given[place], given[place]) * rng.uniform(0.5, 1)
        roots = np.sqrt(metric)
        rows, asked = given * roots, hurt * roots
        cosine = rows @ asked / np.linalg.norm(rows, axis=1) / np.linalg.norm(asked)
        near = shelf.nearest(hurt, 40, metric)
        assert near.places[0] == cosine.argmax() == place
        np.testing.assert_allclose(near.likeness, cosine[near.places], atol=1e-5)
        assert np.all(np.diff(near.likeness) <= 0)


def test_the_shortlist_counts_differing_cells(rng):
    """With weights all alike the scan is the Hamming distance, three for each cell."""
    given = frames(rng, 60, 130)
    shelf = Shelf(130)
    shelf.add(given)
    differ = shelf._differences(given[7], None)
    assert np.array_equal(differ, 3 * (given != given[7]).sum(1))
    assert set(shelf.shortlist(given[7], 5)) == set(np.argsort(differ, kind="stable")[:5]) or (
        sorted(differ[shelf.shortlist(given[7], 5)]) == sorted(differ)[:5]
    )


def test_packing_sets_a_bit_where_a_cell_is_not_negative():
    bits = pack(np.array([[1.0, -1.0, 0.0, -0.5]]))
    assert bits.shape == (1, 1)
    assert int(bits[0, 0]) == 0b0101


def test_an_empty_shelf_has_nothing_near():
    assert len(Shelf(64).nearest(np.ones(64)).places) == 0
