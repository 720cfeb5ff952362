"""Spatial questions on scenes made by hand, against plain geometry."""

import numpy as np
import pytest

from pixelis.data.families import geometry, relation, space
from pixelis.data.worlds.scene import Item, Scene
from pixelis.geometry import Box


def thing(color, shape, x, y, side=40, **more):
    return Item("object", color, shape, Box(x, y, x + side, y + side), **more)


def scene(*items):
    return Scene(np.zeros((600, 600, 3), np.uint8), items, "flat", "few")


ROW = scene(
    thing("red", "star", 40, 280),
    thing("blue", "ring", 280, 290),
    thing("green", "heart", 500, 300),
)


def asked(maker, made, kind, **slots):
    return {
        q.answer
        for q in maker.queries(made)
        if q.kind == kind and all(text in q.slots[name] for name, text in slots.items())
    }


def test_sides():
    assert asked(space, ROW, "side_x", a="red", b="blue") == {"left"}
    assert asked(space, ROW, "side_x", a="green", b="blue") == {"right"}
    assert not asked(space, ROW, "side_y")  # they stand in a row
    assert asked(space, ROW, "side_yes", a="red", b="blue", side="right of") == {"no"}


def test_edges_between_nearest():
    assert asked(space, ROW, "color_edge", edge="leftmost") == {"red"}
    assert asked(space, ROW, "color_between", a="red", b="green") == {"blue"}
    assert asked(space, ROW, "shape_far", a="red") == {"heart"}
    assert asked(space, ROW, "shape_near", a="red") == {"ring"}
    assert not asked(space, ROW, "shape_near", a="blue")  # both are about as near


def test_a_place_near_a_border_is_not_asked_for():
    assert asked(space, scene(thing("red", "star", 40, 40)), "where") == {"top left"}
    assert asked(space, scene(thing("red", "star", 280, 280)), "where") == {"centre"}
    assert not asked(space, scene(thing("red", "star", 185, 280)), "where")


@pytest.mark.parametrize(("field", "word"), [("wider", "wider"), ("taller", "taller")])
def test_comparison_wants_a_clear_difference(field, word):
    near = scene(thing("red", "star", 0, 0, 60), thing("blue", "ring", 200, 0, 66))
    clear = scene(thing("red", "star", 0, 0, 60), thing("blue", "ring", 200, 0, 120))
    assert not asked(geometry, near, "compare_pick", more=word)
    assert asked(geometry, clear, "compare_pick", more=word) == {"blue"}


def test_a_wide_thing_and_a_tall_one_have_no_larger():
    wide = Item("object", "red", "star", Box(0, 0, 200, 50))
    tall = Item("object", "blue", "ring", Box(300, 0, 350, 200))
    assert not asked(geometry, scene(wide, tall), "compare_pick", more="bigger")
    assert asked(geometry, scene(wide, tall), "compare_pick", more="wider") == {"red"}


def test_links_are_asked_for_both_ways():
    pair = scene(
        thing("red", "star", 100, 100), thing("blue", "ring", 140, 100, role="touch", link=0)
    )
    assert asked(relation, pair, "color_linked", a="red") == {"blue"}
    assert asked(relation, pair, "shape_linked", a="blue") == {"star"}
    alike = scene(thing("red", "star", 0, 0), thing("red", "ring", 200, 0))
    assert asked(relation, alike, "same_color") == {"yes"}
    assert asked(relation, alike, "twin", a="star") == {"ring"}
