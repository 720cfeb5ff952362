"""Exports of real episodes, and what is known of them."""

from __future__ import annotations

import pytest

from pixelis.data.episodes import read_samples
from pixelis.data.exports.write import export
from pixelis.data.readers.row import Rejections


@pytest.fixture(scope="session")
def exported():
    """`exported(place, trainer, folder)` exports all of it; nothing may be refused."""

    def run(place, trainer, folder):
        rejections = Rejections()
        result = export(read_samples(place, rejections), trainer, folder, rejections)
        assert rejections.rejected == 0, rejections.first
        return result

    return run


@pytest.fixture(scope="module")
def samples(clean):
    """The episodes by id."""
    return {sample.id: sample for sample in read_samples(clean)}


@pytest.fixture(scope="session")
def shown():
    """How many images an episode shows, the original included."""
    return lambda sample: 1 + sum(o.image is not None for o in sample.episode.observations)
