"""Controls on a policy that really looks: they must take away exactly what they claim to."""

import json

import numpy as np
import pytest

from pixelis.agent import Agent
from pixelis.episode import Answer, Call, Episode, Media
from pixelis.errors import ConfigError
from pixelis.evals.controls import (
    RandomCrops,
    agent_solver,
    move_box,
    move_point,
    oracle_solver,
)
from pixelis.evals.run import evaluate
from pixelis.media import open_media
from pixelis.ops.workspace import Workspace


def accuracy(benchmark, solver) -> float:
    return float(np.mean([result.correct for result in evaluate(benchmark, solver)]))


def test_looking_is_what_the_controls_take_away(benchmark, registry, make_agent):
    with make_agent() as agent:
        full = evaluate(benchmark, agent_solver(agent))
        blind = evaluate(benchmark, agent_solver(agent, "no_ops"))
    with make_agent(RandomCrops(registry)) as lost:
        astray = evaluate(benchmark, agent_solver(lost, "random_crop"))
    assert np.mean([one.correct for one in full]) == 1.0
    assert [one.ops for one in full] == [1] * len(benchmark)
    assert [one.ops for one in blind] == [0] * len(benchmark)
    assert {one.answer for one in blind} == {"white"}
    assert all(one.ended == "answered" for one in blind)
    assert [one.ops for one in astray] == [1] * len(benchmark)
    assert np.mean([one.correct for one in astray]) < 0.25


def test_questions_share_batches(benchmark, make_agent):
    with make_agent() as agent:
        evaluate(benchmark, agent_solver(agent))
        assert max(agent.policy.batches) > 8


def test_random_places_repeat_with_the_seed_and_keep_the_size(registry, benchmark):
    boxes = []
    for seed in (1, 1, 2):
        workspace = Workspace(open_media(benchmark.load(0).media))
        call = Call("zoom_in", {"bbox_2d": [100, 200, 300, 260]})
        boxes.append(RandomCrops(registry, seed).run(call, workspace).box)
    assert boxes[0] == boxes[1] != boxes[2]
    assert (boxes[0].width, boxes[0].height) == pytest.approx((80, 24))


def test_random_places_cover_the_whole_picture():
    rng = np.random.default_rng(0)
    moved = np.array([move_box([0, 0, 200, 100], (1000, 1000), rng) for _ in range(400)])
    assert moved.min(0).tolist() < [20, 20, 220, 120]
    assert moved[:, 2].max() > 980
    assert moved[:, 3].max() > 980
    assert moved.min() >= 0
    assert moved.max() <= 1000
    points = np.array([move_point([5, 5], (1000, 500), rng) for _ in range(400)])
    assert points[:, 0].max() > 950
    assert 450 < points[:, 1].max() <= 500


@pytest.mark.parametrize(
    "box", [None, "box", [1, 2, 3], [300, 0, 100, 50], [0, 0, 2000, 10], [0, 0, True, 1]]
)
def test_what_is_no_box_stays_as_it_came(box):
    assert move_box(box, (1000, 1000), np.random.default_rng(0)) == box


def test_only_boxes_and_points_are_moved(registry, benchmark):
    workspace = Workspace(open_media(benchmark.load(0).media))
    crops = RandomCrops(registry)
    seen = crops.run(Call("point_at", {"point_2d": [1, 1], "frames": [3, 4]}), workspace)
    point, frames = json.loads(seen.text)
    assert point != [1, 1]
    assert frames == [3, 4]
    untouched = crops.run(Call("point_at", {}), workspace)
    assert json.loads(untouched.text) == [None, [1, 2]]


def test_broken_calls_fail_as_they_would_have(registry, benchmark):
    workspace = Workspace(open_media(benchmark.load(0).media))
    for call in (Call("fly"), Call("zoom_in", {"bbox_2d": [5, 5, 1, 1]})):
        there = registry.run(call, workspace).error
        assert RandomCrops(registry).run(call, workspace).error == there is not None


def test_random_crops_show_the_model_the_same_operations(registry):
    crops = RandomCrops(registry)
    assert crops.schemas() == registry.schemas()
    assert crops.get("zoom_in") is registry.get("zoom_in")


def test_random_crop_refuses_an_agent_that_would_look_right(make_agent):
    with make_agent() as agent, pytest.raises(ConfigError, match="RandomCrops"):
        agent_solver(agent, "random_crop")


def test_oracle_needs_the_truth(benchmark, registry):
    solver = oracle_solver(lambda *_: None, registry)
    with pytest.raises(ConfigError, match="pixelis eval worlds"):
        evaluate(benchmark, solver)


def test_oracle_gets_task_workspace_and_registry(benchmark, registry):
    from dataclasses import replace

    from pixelis.evals.question import Benchmark

    asked = replace(benchmark.load(0), task="truth")

    def solve(task, workspace, operations):
        assert (task, operations) == ("truth", registry)
        media = Media("picture", "p", workspace.media.size, "")
        return Episode(asked.text, media, answer=Answer(asked.gold), ended="answered")

    one = Benchmark("one", (asked.id,), lambda _: asked)
    assert accuracy(one, oracle_solver(solve, registry)) == 1.0


def test_agent_is_the_real_one(make_agent):
    with make_agent() as agent:
        assert isinstance(agent, Agent)
