import numpy as np
import pytest
from skimage.measure import label

from pixelis.data.worlds import backgrounds, domains, layouts, sprites
from pixelis.data.worlds import scene as scenes
from pixelis.data.worlds.crowd import draw_crowd
from pixelis.data.worlds.palette import ANCHORS, COLORS


@pytest.mark.parametrize("shape", sprites.SHAPES)
def test_shapes_are_one_piece_and_fill_their_side(shape):
    mask = sprites.shape_mask(shape) > 127
    assert label(mask).max() == 1
    rows, columns = np.nonzero(mask.any(1))[0], np.nonzero(mask.any(0))[0]
    assert max(np.ptp(rows), np.ptp(columns)) > 0.8 * sprites.BASE_SIDE
    assert len({sprites.shape_mask(other).tobytes() for other in sprites.SHAPES}) == 10


def test_turning_a_square_keeps_its_area():
    straight = (sprites.shape_alpha("square", 60, 60) > 127).sum()
    turned = (sprites.shape_alpha("square", 60, 60, 30) > 127).sum()
    assert turned == pytest.approx(straight, rel=0.03)


def test_paste_gives_the_box_of_what_is_visible():
    canvas = np.zeros((50, 60, 3), np.uint8)
    box = sprites.paste(canvas, np.full((10, 20), 255, np.uint8), (200, 10, 10), -5, 45)
    assert box == (0, 45, 15, 50)
    assert (canvas[45:, :15, 0] == 200).all()
    assert canvas[:45].max() == 0
    assert sprites.paste(canvas, np.full((4, 4), 255, np.uint8), (1, 1, 1), 100, 100) is None


@pytest.mark.parametrize("domain", sorted(domains.BY_NAME))
def test_every_domain_draws_items_inside_the_picture(domain):
    for kind in layouts.KINDS:
        rng = np.random.default_rng([3, len(kind)])
        scene = layouts.draw_scene(rng, domains.BY_NAME[domain], kind)
        assert scene.items
        for item in scene.items:
            x1, y1, x2, y2 = item.box
            assert 0 <= x1 < x2 <= scene.size.width
            assert 0 <= y1 < y2 <= scene.size.height


@pytest.mark.parametrize("form", list(scenes.FORMS))
def test_what_is_written_on_a_card_stays_on_it(form):
    rng = np.random.default_rng(len(form))
    canvas = scenes.new_canvas(rng, domains.TRAIN[0], 500, 400)
    card = scenes.add_card(canvas, "red", 300, 160, form)
    assert card is not None
    assert (card.width, card.height) == (300 * scenes.FORMS[form], 160 * scenes.FORMS[form])
    bare = canvas.pixels.copy()
    assert scenes.write_on(canvas, card, ["A long line of words", "and a second"], 40)
    changed = (canvas.pixels != bare).any(-1)
    red = bare[..., 0].astype(int) - bare[..., 1:].max(-1) > 60
    assert changed.any()
    assert (changed & ~red).sum() <= 0.02 * changed.sum()


def test_held_out_domains_share_no_font_and_no_background():
    for one in domains.SHIFT:
        for other in domains.TRAIN:
            assert not set(one.fonts) & set(other.fonts)
            assert not set(one.backgrounds) & set(other.backgrounds)


def test_backgrounds_depend_on_the_seed():
    for kind in backgrounds._KINDS:
        a, b = (backgrounds.draw(np.random.default_rng(s), kind, 80, 60) for s in (1, 2))
        assert a.shape == (60, 80, 3)
        assert not np.array_equal(a, b)


def test_crowds_are_crowded():
    counts = [
        len(draw_crowd(np.random.default_rng(s), domains.TRAIN[s % 6]).items) for s in range(12)
    ]
    assert np.mean(counts) > 6


def test_colour_anchors_cover_the_eleven_names():
    assert set(ANCHORS) == set(COLORS)
    assert len(COLORS) == 11
