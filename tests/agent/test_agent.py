import os
import subprocess
import sys
import threading
import time

import pytest

import pixelis
from pixelis.agent import Agent, Budget, Task, replay
from pixelis.episode import Answer, Call, Episode, Step
from pixelis.errors import ConfigError, MediaError, ModelError
from pixelis.geometry import Box
from pixelis.models.dialects import DIALECTS, get_dialect
from pixelis.models.policy import Sampling
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Workspace

LEFT = [0, 0, 400, 1000]


@pytest.fixture
def many(scripted, registry, call):
    """An agent that answers `left 0`, `left 1`, ... by looking."""
    script = (call("get_color", bbox_2d=LEFT), "{mask_1.color}")
    policy = scripted({f"left {n}": script for n in range(40)} | {"bad": ("x",)})
    with Agent(policy, registry) as agent:
        yield agent, policy


def test_ask(many, picture):
    agent, _ = many
    assert agent.ask(picture, "left 0").answer.text == "red"


def test_a_path_is_opened(many, picture, tmp_path):
    picture.image.save(tmp_path / "card.png")
    episode = many[0].ask(tmp_path / "card.png", "left 0")
    assert episode.answer.text == "red"
    assert episode.media.name == "card.png"
    assert episode.media.size == (200, 100)


def test_many_questions_share_generate_calls_and_keep_their_order(many, make_picture):
    agent, policy = many
    colours = ["red", "green", "blue"] * 8
    heard = []
    episodes = agent.ask_many(
        [Task(make_picture(colour), f"left {n}") for n, colour in enumerate(colours)],
        on_done=lambda index, episode: heard.append((index, episode.answer.text)),
    )
    assert [episode.answer.text for episode in episodes] == colours
    assert sorted(heard) == list(enumerate(colours))
    assert len(policy.batches) <= 24
    assert len(policy.threads) == 1


def test_one_failing_episode_poisons_no_other(many, picture):
    agent, policy = many
    policy.scripts["bad"] = lambda request: 1 / 0
    tasks = [(picture, "left 1"), (picture, "bad"), (picture, "left 2")]
    first, bad, last = agent.ask_many(tasks)
    assert (first.answer.text, last.answer.text) == ("red", "red")
    assert bad.ended == "failed"
    assert "ZeroDivisionError" in bad.meta["error"]


def test_a_listener_with_a_bug_fails_only_its_episode(many, picture):
    def listen(step):
        raise RuntimeError("listener")

    episode = many[0].ask(picture, "left 0", on_step=listen)
    assert episode.ended == "failed"
    assert many[0].ask(picture, "left 0").ended == "answered"


def test_episodes_under_way_are_bounded(scripted, registry, picture):
    under_way = []
    lock = threading.Lock()

    def script(request):
        with lock:
            under_way.append(len(policy.batches[-1]))
        return "red"

    policy = scripted({"q": script}, seconds=0.01)
    with Agent(policy, registry, concurrency=3) as agent:
        agent.ask_many([(picture, "q")] * 10)
    assert max(under_way) <= 3


def test_questions_from_several_threads_meet_in_one_batch(scripted, registry, picture):
    policy = scripted({"q": ("red",)}, seconds=0.2)
    with Agent(policy, registry) as agent:
        threads = [threading.Thread(target=agent.ask, args=(picture, "q")) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert max(map(len, policy.batches)) > 1
    assert sum(map(len, policy.batches)) == 8


def test_cancelling_ends_the_episode(scripted, registry, picture, call):
    policy = scripted({"slow": (call("wait", seconds=20),), "q": ("red",)})
    with Agent(policy, registry, budget=Budget(seconds=1.0)) as agent:
        started = time.monotonic()
        future = agent.submit(Task(picture, "slow"))
        time.sleep(0.1)
        assert future.cancel()
        assert agent.ask(picture, "q").answer.text == "red"
    assert time.monotonic() - started < 5


def test_it_can_be_closed_and_used_again(many, picture):
    agent, _ = many
    agent.ask(picture, "left 0")
    agent.close()
    agent.close()
    assert agent.ask(picture, "left 0").answer.text == "red"


def test_closing_leaves_no_threads(scripted, registry, picture):
    others = set(threading.enumerate())
    with Agent(scripted({"q": ("red",)}), registry) as agent:
        agent.ask(picture, "q")
    until = time.monotonic() + 10
    while left := set(threading.enumerate()) - others:
        assert time.monotonic() < until, left
        time.sleep(0.01)


def test_bad_media_is_an_error_for_one_and_a_result_among_many(many, picture):
    agent, _ = many

    class Unreadable(os.PathLike):
        def __fspath__(self):
            raise MediaError("x.txt: not a picture")

    with pytest.raises(MediaError, match="not a picture"):
        agent.ask(Unreadable(), "left 0")
    good, bad = agent.ask_many([(picture, "left 0"), (Unreadable(), "left 1")])
    assert good.ended == "answered"
    assert bad.ended == "failed"
    assert "not a picture" in bad.meta["error"]


def test_sampling_and_budget_of_a_task_go_before_the_agents(many, picture):
    agent, policy = many
    agent.ask(picture, "left 0", budget=Budget(new_tokens=9), sampling=Sampling(temperature=1))
    assert policy.samplings[0] == Sampling(temperature=1, max_new_tokens=9)


def test_schemas_are_passed_when_the_profile_wants_them(scripted, registry, picture):
    policy = scripted({"q": ("red",)})
    assert Agent(policy, registry).rollouts([(picture, "q")])[0].tools is None
    policy.profile = type(policy.profile)("s", tools_in_prompt=True)
    with Agent(policy, registry) as agent:
        agent.ask(picture, "q")
    names = [schema["function"]["name"] for schema in policy.batches[-1][0].tools]
    assert names == [operation.name for operation in registry]


def test_an_unknown_model_folder():
    with pytest.raises(ModelError):
        Agent.load("hf:/nowhere/at/all")


def test_the_package_offers_the_agent_without_importing_torch():
    code = (
        "import sys, pixelis; assert 'pixelis.agent' not in sys.modules; "
        "pixelis.Agent; assert 'torch' not in sys.modules and 'transformers' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert pixelis.Agent is Agent
    with pytest.raises(AttributeError):
        _ = pixelis.nothing


# Where the two zooms begin for families that show more than the box.
WIDER = {"chain-of-focus": (75, 121), "pixel-reasoner": (80, 128)}
RIGHT = {
    "rel": [500, 0, 1000, 1000],
    "unit": [0.5, 0, 1.0, 1.0],
    "either": [0.5, 0, 1.0, 1.0],
}


@pytest.mark.parametrize("name", DIALECTS)
def test_every_dialect_looks_at_the_same_pixels(scripted, picture, name):
    """The right half, zoomed into, and then its own right half."""
    dialect = get_dialect(name)
    convention = dialect.convention
    policy = scripted({})
    width, height = policy.profile.budget.shown(picture.size)
    boxes = {**RIGHT, "shown": [width / 2, 0, width, height]}
    again = Workspace(picture, policy.profile.budget, convention)
    REGISTRY.run(Call("zoom_in", {"bbox_2d": boxes[convention.units]}), again)
    w, h = again.shown_size(1)
    inner = {**RIGHT, "shown": [w / 2, 0, w, h]}[convention.units]
    turns = [
        dialect.turn(Step("look", Call("zoom_in", {"bbox_2d": boxes[convention.units]}))),
        dialect.turn(Step("closer", Call("zoom_in", {"bbox_2d": inner, "image": 1}))),
        dialect.turn(Step("seen", answer=Answer("blue", "blue [crop_2]"))),
    ]
    policy.scripts = {"q" + dialect.reminder: turns}
    with Agent(policy, dialect=name) as agent:
        rollout = agent.rollouts([Task(picture, "q")])[0]
    episode = rollout.episode
    assert (episode.dialect, episode.ended, episode.answer.text) == (name, "answered", "blue")
    assert episode.answer.evidence == ("crop_2",)
    starts = WIDER.get(name, (100, 150))
    boxes_seen = [seen.box for seen in episode.observations]
    assert boxes_seen == [Box(start, 0, 200, 100) for start in starts]
    assert rollout.messages[0]["content"] == ("S" if name == "qwen3-vl" else dialect.system)
    assert len(rollout.images) == 3
    assert sum("token_ids" in message for message in rollout.messages) == 3
    assert replay(Episode.from_json(episode.to_json()), picture).same


def test_a_dialect_that_is_not_there_is_refused(scripted):
    with pytest.raises(ConfigError, match="dialects are qwen3-vl"):
        Agent(scripted({}), dialect="klingon")


def test_python_is_not_run_and_the_model_is_told(scripted, picture):
    dialect = get_dialect("thyme")
    turns = ["<think>x</think><code>print(1)</code>", "<answer>red</answer>"]
    with Agent(scripted({"q" + dialect.reminder: turns}), dialect="thyme") as agent:
        episode = agent.ask(picture, "q")
    assert episode.observations[0].error.startswith("python in <code> is not run")
    assert episode.answer.text == "red"
