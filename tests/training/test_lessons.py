"""First turns of lessons are what the oracle really writes."""

import numpy as np
import pytest

from pixelis.data import tasks
from pixelis.data.oracle import solve
from pixelis.geometry import whole
from pixelis.media import open_media
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import Workspace
from pixelis.training import pool
from pixelis.training.lessons import Opening, first_turn
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
