import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixelis.episode import Call
from pixelis.media import open_media
from pixelis.ops import REGISTRY
from pixelis.ops.cache import Cache, state_key
from pixelis.ops.workspace import PixelBudget, Workspace

BUDGET = PixelBudget(64 * 64, 128 * 128, 32)


@pytest.fixture(scope="module")
def media():
    image = Image.new("RGB", (300, 200), "white")
    draw = ImageDraw.Draw(image)
    draw.ellipse((30, 40, 110, 120), fill="red")
    draw.rectangle((180, 60, 260, 150), fill="blue")
    return open_media(image)


CALLS = [
    Call("zoom_in", {"bbox_2d": [50, 100, 500, 900]}),
    Call("segment_object_at", {"point_2d": [233, 400]}),
    Call("get_properties", {"mask": "mask_1"}),
    Call("segment_object_at", {"point_2d": [733, 500]}),
    Call("zoom_in", {"bbox_2d": [0, 0, 500, 500], "image": 1}),
    Call("get_properties", {"mask": "mask_2", "properties": ["color"]}),
]


def play(registry, media, calls=CALLS):
    workspace = Workspace(media, BUDGET)
    return [registry.run(call, workspace) for call in calls], workspace


def told(seen, workspace):
    handles = {
        name: (handle.data, handle.box, None if handle.mask is None else handle.mask.sum())
        for name, handle in workspace.handles.items()
    }
    pixels = [np.asarray(image).tobytes() for image in workspace.images]
    return seen, handles, pixels, workspace.views, workspace.mark()


def test_what_is_remembered_is_what_running_gives(media):
    cache = Cache(REGISTRY)
    plain = told(*play(REGISTRY, media))
    assert told(*play(cache, media)) == plain
    assert (cache.hits, cache.misses) == (0, len(CALLS))
    assert told(*play(cache, media)) == plain
    assert (cache.hits, cache.misses) == (len(CALLS), len(CALLS))


def test_what_came_before_counts(media):
    cache = Cache(REGISTRY)
    play(cache, media)
    seen, _ = play(cache, media, [CALLS[3]])
    assert seen[0].handle == "mask_1"  # it was mask_2 behind another one
    assert cache.hits == 0


def test_one_episode_cannot_change_what_another_gets(media):
    cache = Cache(REGISTRY)
    first, workspace = play(cache, media, CALLS[1:3])
    workspace.handles["mask_1"].data["color"] = "spoilt"
    again, _ = play(cache, media, CALLS[1:3])
    assert again[1].data["color"]["name"] == "red"
    assert first[1].data["color"]["name"] == "red"


def test_errors_are_not_remembered(media):
    cache = Cache(REGISTRY)
    bad = Call("zoom_in", {"bbox_2d": [9, 9, 1, 1]})
    for _ in range(2):
        seen, workspace = play(cache, media, [bad])
        assert seen[0].error
        assert len(workspace.images) == 1
    assert cache.hits == 0


def test_the_oldest_is_forgotten(media):
    cache = Cache(REGISTRY, size=2)
    play(cache, media, [CALLS[0]])
    play(cache, media, CALLS[1:3])
    play(cache, media, [CALLS[0]])
    assert cache.hits == 0


def test_where_it_cannot_be_told_nothing_is_remembered(media):
    given = Workspace(media, BUDGET, engines={"segment": object()})
    assert state_key(CALLS[0], given) is None
    assert state_key(CALLS[0], Workspace(media, BUDGET)) != state_key(
        CALLS[0], Workspace(media, BUDGET, text_limit=9)
    )


def test_it_lists_the_same_operations(media):
    assert [one.name for one in Cache(REGISTRY)] == [one.name for one in REGISTRY]
    assert Cache(REGISTRY).schemas() == REGISTRY.schemas()
