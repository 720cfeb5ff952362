import json

import pytest

from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.geometry import Box, Size, View
from pixelis.rewards import Gold, Mix, score
from pixelis.training.tally import Tally, tally


def episode(*steps, answer="red"):
    media = Media("picture", "a.png", Size(100, 100), "0")
    given = Answer(answer, answer)
    return Episode("?", media, steps=(*steps, Step(answer=given, tokens=3)), answer=given,
                   ended="answered")  # fmt: skip


ZOOM = Step(
    call=Call("zoom_in", {"bbox_2d": [0, 0, 50, 50]}),
    observation=Observation(
        "a", image=1, view=View(Box(0, 0, 50, 50), Size(32, 32)), box=Box(0, 0, 50, 50),
        handle="crop_1",
    ),
    tokens=10,
)  # fmt: skip
FAILED = Step(call=Call("zoom_in", {}), observation=Observation("bad", error="bad"), tokens=5)
UNREAD = Step(observation=Observation("what?", error="what?"), tokens=2)


@pytest.fixture
def counted():
    groups = [[episode(ZOOM, ZOOM, FAILED), episode(answer="blue")], [episode(UNREAD), episode()]]
    scored = score(groups, [Gold(("red",), "color")] * 2, Mix()).groups
    return tally(groups, scored)


def test_what_is_counted(counted):
    told = counted.values()
    assert told["rapr"] == 0.25
    assert told["ops_per_episode"] == 1.0
    assert told["op_success"] == 0.5
    assert told["wasted_calls"] == 0.75  # the repeat, the failed one, the one not read
    assert told["answered"] == 1.0
    assert told["answer"] == 0.75
    assert told["written"] == (25 + 2 + 4 * 3) / 4
    assert told["ops"] == {"unread": 0.25, "zoom_in": 0.75}


def test_processes_add_up(counted):
    through = Tally.from_dict(json.loads(json.dumps(counted.to_dict())))
    assert through == counted
    both = Tally.sum([counted, through])
    assert both.episodes == 8
    whole, part = both.values(), counted.values()
    assert whole.pop("ops") == part.pop("ops")
    assert whole == pytest.approx(part)


def test_no_calls():
    told = Tally.sum([]).values()
    assert told["op_success"] == 1.0
    assert told["rapr"] == 0.0
