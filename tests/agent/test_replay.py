from dataclasses import replace

import pytest

from pixelis.agent import Agent, replay
from pixelis.episode import Episode
from pixelis.errors import DataError


@pytest.fixture
def episode(scripted, registry, picture, call):
    lines = (
        call("zoom_in", bbox_2d=[600, 0, 1000, 1000]),
        call("refuse"),
        call("get_color", bbox_2d=[0, 0, 1000, 1000], image=1),
        "{mask_1.color}",
    )
    with Agent(scripted({"q": lines}), registry) as agent:
        return Episode.from_json(agent.ask(picture, "q").to_json())


def test_the_same_media_give_the_same_observations(episode, picture, registry):
    found = replay(episode, picture, registry)
    assert found.calls == 3
    assert found.same


def test_other_pixels_are_noticed(episode, picture, make_picture, registry):
    other = replace(make_picture(right="green"), sha256=picture.sha256)
    found = replay(episode, other, registry)
    assert {difference.step for difference in found.differences} == {2}
    assert {difference.field for difference in found.differences} == {"text", "data"}


def test_a_changed_record_is_noticed(episode, picture, registry):
    first = episode.steps[0]
    moved = replace(first, observation=replace(first.observation, handle="crop_9"))
    found = replay(replace(episode, steps=(moved, *episode.steps[1:])), picture, registry)
    assert [tuple(difference) for difference in found.differences] == [
        (0, "handle", "crop_9", "crop_1")
    ]


def test_other_media_are_refused(episode, make_picture, registry):
    with pytest.raises(DataError, match=r"red-blue\.png"):
        replay(episode, make_picture("green"), registry)
