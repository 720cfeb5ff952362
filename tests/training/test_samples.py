import json
from types import SimpleNamespace

from PIL import Image

from pixelis.agent import Rollout
from pixelis.agent.loop import describe
from pixelis.episode import Answer, Call, Episode, Step
from pixelis.media import open_media
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import Workspace
from pixelis.rewards import Gold, Mix, score
from pixelis.training.questions import Question
from pixelis.training.rollouts import Group
from pixelis.training.samples import Show

MEDIA = open_media(Image.new("RGB", (120, 80), "red"))


def rollout(text, *boxes):
    work = Workspace(MEDIA)
    calls = [Call("zoom_in", {"bbox_2d": list(box)}) for box in boxes]
    steps = [Step(call=call, observation=REGISTRY.run(call, work)) for call in calls]
    answer = Answer(text, text)
    steps.append(Step(answer=answer, text=text))
    media = describe(MEDIA)
    return Rollout(
        Episode("What <colour>?", media, steps=tuple(steps), answer=answer, ended="answered")
    )


def show(tmp_path, step, rank=0):
    config = SimpleNamespace(out=tmp_path, sample_every=5)
    run = SimpleNamespace(config=config, place=(rank, 2), player=SimpleNamespace(cache=None))
    gold = Gold(("red",), "color")
    question = Question("q", "What <colour>?", gold, "color", lambda: MEDIA)
    even = Group(question, [rollout("blue"), rollout("blue")], MEDIA)
    told = Group(question, [rollout("red", (0, 0, 500, 500)), rollout("blue")], MEDIA)
    groups = [even, told]
    scored = score([[r.episode for r in g.rollouts] for g in groups], [gold] * 2, Mix()).groups
    Show(run)(step, groups, scored)


def test_the_group_that_differs_is_shown(tmp_path):
    show(tmp_path, 10)
    folder = tmp_path / "samples" / "step-000010"
    record = json.loads((folder / "group.json").read_text())
    assert [row["said"] for row in record["episodes"]] == ["red", "blue"]
    assert [row["reward"] for row in record["episodes"]] == [1.0, 0.0]
    assert record["episodes"][0]["calls"] == ["zoom_in"]
    page = (folder / "index.html").read_text()
    assert "What &lt;colour&gt;?" in page
    assert page.count("<tr>") == 3
    assert "zoom_in" in (folder / "0.html").read_text()


def test_only_now_and_then_and_by_the_first_process(tmp_path):
    show(tmp_path, 11)
    show(tmp_path, 10, rank=1)
    assert not (tmp_path / "samples").exists()
