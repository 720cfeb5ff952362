from __future__ import annotations

import pytest

from pixelis.errors import ConfigError
from pixelis.wheeler.shape import PRESETS, shape_of, tile_for


def test_presets_fit_and_hold_what_they_promise():
    sizes = {name: shape_of(name) for name in PRESETS}
    assert [sizes[n].max_tokens for n in ("tiny", "small", "full")] == [32, 64, 256]
    assert sizes["small"].cells == 1024
    assert sizes["small"].levels ** sizes["small"].token_cells >= sizes["small"].vocab_size


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"grid": 30}, "no multiple of the tile"),
        ({"heads": 7}, "no multiple of heads"),
        ({"key_cells": 16}, "key_cells"),
        ({"levels": 1}, "levels"),
        ({"colour": 3}, "colour"),
    ],
)
def test_sizes_that_do_not_fit_are_named(changes, named):
    with pytest.raises(ConfigError, match=named):
        shape_of("small", **changes)
    with pytest.raises(ConfigError, match="tiny, small, full"):
        shape_of("large")


def test_tiles_fill_the_frame():
    assert tile_for(32, 64) == (4, 4)
    assert tile_for(32, 128) == (2, 4)
    assert tile_for(64, 256) == (4, 4)
    with pytest.raises(ConfigError, match="possible are"):
        tile_for(32, 100)
    with pytest.raises(ConfigError, match="possible are"):
        tile_for(32, 1024)
