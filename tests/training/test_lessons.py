"""First turns of lessons are what the oracle really writes."""

import re

import numpy as np
import pytest

from pixelis.data import tasks
from pixelis.data.oracle import solve
from pixelis.data.worlds import words
from pixelis.geometry import whole
from pixelis.media import open_media
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import Workspace
from pixelis.training import pool
from pixelis.training.lessons import Opening, _named, first_turn
from pixelis.training.views import NOTHING, see


@pytest.mark.parametrize("family", tasks.FAMILIES)
def test_the_first_turn_is_the_oracles(family):
    for number in range(3):
        task = tasks.draw(5, number, "train", (family,))
        with open_media(task.source, name="scene") as media:
            episode = solve(task, Workspace(media, pool.BUDGET), REGISTRY)
        seen = see(task.scene, whole(task.scene.size), pool.BUDGET)
        assert first_turn(seen, task) == episode.steps[0].text


def test_an_opening_executes_nothing():
    task = tasks.draw(5, 0, "train", ("attribute_recognition",))
    seen = see(task.scene, whole(task.scene.size), pool.BUDGET)
    with pytest.raises(Exception, match="segment_object_at"):
        Opening(seen).act("", "segment_object_at", point_2d=[1, 2])


def test_pools_hold_scenes_of_every_family():
    records = [pool.draw_record(3, number) for number in range(0, 120, 2)]
    assert {"bars", "clip", "ties", "pairs", "cards", "objects"} <= {r.kind for r in records}
    families = {query.family for record in records for query in record.queries}
    assert families >= set(tasks.FAMILIES) - {"temporal_tracking"}
    clip = next(record for record in records if record.kind == "clip")
    assert len(clip.views) == 1
    assert np.any(clip.views[0].cover != NOTHING)


def test_names_that_no_world_has_are_asked_about_now_and_then():
    slots = {"color": "red", "thing": "star"}
    found = [_named(np.random.default_rng([2, k]), slots) for k in range(100)]
    strange = [one for one in found if one != slots]
    assert 15 <= len(strange) <= 45
    for one in strange:
        assert one | slots == one, "what is given is kept"
        assert one["some"] == one["noun"]
        assert one["some"] in words.EVERYDAY
        assert one["nouns"] == f"{one['some']}s"


def test_the_first_thought_says_where_the_thing_on_the_way_is():
    found = 0
    for number in range(60):
        record = pool.draw_record(4, 2 * number)
        seen = record.views[0]
        for query in record.queries:
            for name, place in query.plan.anchors:
                found += 1
                told = re.search(name + r" \[(\d+), (\d+)\]", first_turn(seen, query))
                x, y = seen.point(place)
                assert abs(int(told[1]) - x) <= 10, "both are rounded to tens"
                assert abs(int(told[2]) - y) <= 10
    assert found > 20
