import json
from dataclasses import asdict

import numpy as np
import pytest

from pixelis.data import synthesis, tasks
from pixelis.ops.workspace import PixelBudget

BUDGET = PixelBudget(256 * 256, 256 * 256, 32)


def test_a_golden_episode_keeps_the_images_the_model_saw():
    task = tasks.draw(3, 2, "train", ("object_counting",))
    golden = synthesis.make(task, BUDGET, 60)
    assert golden.gold == task.answer == golden.episode.answer.text
    shown = 1 + sum(o.image is not None for o in golden.episode.observations)
    assert len(golden.images) == shown
    assert golden.episode.meta["pixels"] == asdict(BUDGET)
    assert golden.episode.meta["text_limit"] == 60
    assert all(image.size <= 3 * 256 * 256 for image in golden.images)


def test_an_episode_with_a_wrong_answer_is_dropped():
    task = tasks.draw(3, 1, "train", ("attribute_recognition",))
    assert synthesis.make(task, BUDGET, 60) is not None
    task.scene.pixels[:] = 128  # nothing left to be measured
    assert synthesis.make(task, BUDGET, 60) is None


def test_what_cannot_be_known_is_answered_so():
    task = synthesis.draw_unknown(3, 5)
    golden = synthesis.make(task, BUDGET, 60)
    assert golden.gold == ""
    assert not golden.episode.answer.known


def test_what_a_page_lacks_is_looked_up_in_vain():
    drawn = (synthesis.draw_unknown(3, k) for k in range(60))
    found = [task for task in drawn if task.plan.kind == "read"]
    assert 3 <= len(found) <= 25
    for task in found[:3]:
        golden = synthesis.make(task, BUDGET, 60)
        (call,) = golden.episode.calls
        assert (call.op, call.arguments["find"]) == ("read_text", task.plan.words[0])
        (seen,) = golden.episode.observations
        assert seen.error is None
        assert seen.data["lines"], "the page itself was read"
        assert "value" not in seen.data
        assert not golden.episode.answer.known


@pytest.mark.slow
def test_shards_come_back_as_written(tmp_path):
    synthesis.write_shard(tmp_path, 3, 0, BUDGET, 60, size=6)
    path = tmp_path / "episodes-00000.jsonl"
    read = list(synthesis.read_shard(path))
    assert len(read) == len(path.read_text().splitlines()) >= 4
    for golden, line in zip(read, path.read_text().splitlines(), strict=True):
        assert golden.episode.to_dict() == json.loads(line)["episode"]
        assert golden.images[0].dtype == np.uint8
    assert not list(tmp_path.glob("*.part*"))
