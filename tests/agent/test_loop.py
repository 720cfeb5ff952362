import time

import pytest

from pixelis.agent import Agent, Budget, Task
from pixelis.episode import Episode
from pixelis.models.dialects import get_dialect
from pixelis.models.template import count_images

LEFT, RIGHT = [0, 0, 400, 1000], [600, 0, 1000, 1000]


@pytest.fixture
def play(scripted, registry, picture):
    """Plays one scripted question and gives rollout and policy."""

    def run(*lines, **task):
        policy = scripted({"q": lines})
        with Agent(policy, registry) as agent:
            (rollout,) = agent.rollouts([Task(task.pop("media", picture), "q", **task)])
        return rollout, policy

    return run


def test_it_looks_and_answers_by_reference(play, call, picture):
    rollout, policy = play(
        call("zoom_in", bbox_2d=RIGHT),
        call("get_color", bbox_2d=[100, 100, 900, 900], image=1),
        "<think>done</think>\nIt is {mask_1.color} [crop_1]",
    )
    episode = rollout.episode
    assert episode.ended == "answered"
    assert episode.answer.text == "It is blue"
    assert episode.answer.raw == "It is {mask_1.color} [crop_1]"
    assert episode.answer.evidence == ("mask_1", "crop_1")
    assert episode.answer.confidence == pytest.approx(0.8 * 0.5)
    assert [step.thought for step in episode.steps] == ["look", "look", "done"]
    (span,) = episode.meta["spans"]
    assert span["box"][0] > 100
    seen = episode.steps[0].observation.view
    fit = policy.profile.budget.fit(picture.size)
    assert [image.size for image in rollout.images] == [fit, seen.size]
    assert len(policy.batches[-1][0].images) == 2


def test_pixels_decide_the_answer(play, call, make_picture):
    script = (call("get_color", bbox_2d=LEFT), "{mask_1.color}")
    for left in ("red", "green", "blue"):
        rollout, _ = play(*script, media=make_picture(left=left))
        assert rollout.episode.answer.text == left


def test_the_episode_survives_json_and_its_conversation(play, call):
    rollout, _ = play(call("halves"), call("zoom_in", bbox_2d=LEFT, image=2), "red [crop_1]")
    episode = rollout.episode
    assert Episode.from_json(episode.to_json()) == episode
    messages = get_dialect("qwen3-vl").messages(episode, "S")
    assert count_images(messages) == len(rollout.images) == 4
    told = [dict(message) for message in rollout.messages]
    written = [message.pop("token_ids") for message in told if "token_ids" in message]
    assert written == [turn.token_ids for turn in rollout.turns]
    assert told == messages


def test_operation_errors_are_told_and_the_episode_goes_on(play, call):
    rollout, policy = play(
        call("refuse"),
        call("crash"),
        call("fly"),
        call("zoom_in", bbox_2d=[9, 9, 3, 3]),
        "red",
    )
    episode = rollout.episode
    assert episode.ended == "answered"
    errors = [seen.error for seen in episode.observations]
    assert errors[0] == "refuse: the part is empty; give another"
    assert "KeyError" in errors[1]
    assert "operations are zoom_in" in errors[2]
    assert "is empty" in errors[3]
    told = policy.batches[-1][0].messages
    assert [m["content"][0]["text"] for m in told if m["role"] == "tool"][:3] == errors[:3]


def test_a_malformed_call_is_answered_with_what_was_wrong(play, call):
    bad = "<think>hm</think>\n<tool_call>\n{'name': 1}\n</tool_call>"
    rollout, _ = play(bad, call("get_color", bbox_2d=LEFT), "{mask_1.color}")
    first = rollout.episode.steps[0]
    assert first.call is None
    assert '"\'"' in first.observation.error
    assert first.text == bad
    assert rollout.episode.answer.text == "red"


def test_several_calls_in_one_turn_run_in_order(play, call):
    two = call("get_color", bbox_2d=LEFT) + "\n" + call("get_color", "", bbox_2d=RIGHT)[16:]
    rollout, _ = play(two, "{mask_1.color} and {mask_2.color}")
    episode = rollout.episode
    assert episode.answer.text == "red and blue"
    assert [bool(step.text) for step in episode.steps] == [True, False, True]
    assert [m["role"] for m in rollout.messages][2:] == ["assistant", "tool", "tool", "assistant"]


def test_the_same_call_twice_brings_a_notice_a_third_time_the_end(play, call):
    again = call("get_color", bbox_2d=LEFT)
    rollout, policy = play(again, again, again, "never said")
    episode = rollout.episode
    assert episode.ended == "loop"
    assert [step.notice is not None for step in episode.steps] == [False, True, False]
    assert "same call" in policy.batches[2][0].messages[-1]["content"][0]["text"]
    assert episode.answer is None
    assert len(rollout.turns) == 3


def test_before_the_last_step_the_model_is_told_to_answer(play, call):
    calls = [call("get_color", bbox_2d=[n, 0, 500, 900]) for n in range(6)]
    rollout, _ = play(*calls[:5], "red")
    assert rollout.episode.ended == "answered"
    notices = [step.notice for step in rollout.episode.steps]
    assert notices == [None] * 4 + ["Notice: no calls are left; answer now.", None]
    rollout, _ = play(*calls, "never said")
    assert rollout.episode.ended == "steps"
    assert len(rollout.turns) == 6
    assert rollout.episode.steps[-1].observation is None


def test_the_budget_of_calls(play, call):
    many = "\n".join(call("get_color", bbox_2d=[n, 0, 500, 900]) for n in range(1, 5))
    many = "<think>all</think>\n" + many.replace("<think>look</think>\n", "")
    rollout, _ = play(many, "red", budget=Budget(calls=2))
    assert rollout.episode.ended == "answered"
    assert len(rollout.episode.calls) == 2
    assert "answer now" in rollout.episode.steps[1].notice
    rollout, _ = play(many, many, budget=Budget(calls=2))
    assert rollout.episode.ended == "calls"
    assert len(rollout.episode.observations) == 2


def test_the_budget_of_images(play, call):
    zooms = [call("zoom_in", bbox_2d=[n, 0, 500, 900]) for n in range(3)]
    rollout, _ = play(*zooms, budget=Budget(images=3))
    assert rollout.episode.ended == "images"
    assert len(rollout.images) == 3


def test_the_budget_of_tokens_reaches_the_policy(play):
    _, policy = play("red", budget=Budget(new_tokens=7))
    assert policy.samplings[0].max_new_tokens == 7


def test_a_turn_cut_off(play):
    rollout, _ = play("a long ans...")
    assert rollout.episode.ended == "tokens"
    assert rollout.episode.answer.text == "a long ans"
    rollout, _ = play('<tool_call>\n{"name": "zo...', "red")
    assert "cut off" in rollout.episode.steps[0].observation.error
    assert rollout.episode.ended == "answered"
    rollout, _ = play("<think>never ending...")
    assert rollout.episode.ended == "tokens"


@pytest.mark.parametrize("nothing", ["", "  \n", "<think>hm</think>\n"])
def test_saying_nothing_ends_as_empty(play, nothing):
    rollout, _ = play(nothing)
    assert rollout.episode.ended == "empty"
    assert rollout.episode.answer is None


def test_time_runs_out_while_an_operation_works(play, call):
    started = time.monotonic()
    rollout, _ = play(call("wait", seconds=30), budget=Budget(seconds=0.2))
    assert rollout.episode.ended == "time"
    assert rollout.episode.steps[0].call.op == "wait"
    assert time.monotonic() - started < 5
    assert rollout.episode.seconds == pytest.approx(0.2, abs=2)


def test_an_image_mismatch_fails_the_episode_and_says_why(play, call):
    rollout, _ = play(call("sneak"), "red")
    assert rollout.episode.ended == "failed"
    assert "sneak added 1 images from number 1 and reported 0" in rollout.episode.meta["error"]


def test_unknown_references_are_kept_and_noted(play):
    rollout, _ = play("it is {text_4} [crop_1]")
    assert rollout.episode.answer.text == "it is {text_4} [crop_1]"
    assert rollout.episode.answer.evidence == ()
    assert rollout.episode.meta["unknown_references"] == ["{text_4}", "[crop_1]"]
    assert rollout.episode.answer.confidence == 0


@pytest.mark.parametrize("raw", ["{text_4.last}", '"{text_4}".', "{text_4}, {mask_1.color}"])
def test_who_only_points_at_what_was_never_found_cannot_know(play, raw):
    rollout, _ = play(raw)
    answer = rollout.episode.answer
    assert (answer.text, answer.known, answer.raw) == ("I can't see that", False, raw)
    assert rollout.episode.meta["unknown_references"]


def test_not_knowing_is_an_answer(play):
    rollout, _ = play("I can't see that in the picture.")
    assert rollout.episode.ended == "answered"
    assert not rollout.episode.answer.known


def test_image_tokens_the_model_writes_do_not_reach_it_again(play, call):
    rollout, policy = play(
        "<|image_pad|>" + call("get_color", bbox_2d=LEFT).replace("look", "lo<|image_pad|>ok"),
        "red",
    )
    assert rollout.episode.ended == "answered"
    assert "<|image_pad|>" not in str(policy.batches[1][0].messages)


def test_steps_are_told_as_they_happen(scripted, registry, picture, call):
    heard = []
    policy = scripted({"q": (call("halves"), "red")})
    with Agent(policy, registry) as agent:
        episode = agent.ask(
            picture, "q", on_step=lambda step: heard.append((step, len(policy.batches)))
        )
    assert [step for step, _ in heard] == list(episode.steps)
    assert [batches for _, batches in heard] == [1, 2]


def test_what_is_needed_to_run_it_again_is_kept(play):
    rollout, policy = play("red", seed=3, meta={"family": "colour"})
    episode = rollout.episode
    assert (episode.model, episode.seed, episode.dialect) == ("scripted", 3, "qwen3-vl")
    assert episode.meta["family"] == "colour"
    assert episode.meta["pixels"] == {"min_pixels": 4096, "max_pixels": 4096, "multiple": 32}
    assert len(episode.id) == 16
    assert play("red", seed=3)[0].episode.id == episode.id
    assert play("red", seed=4)[0].episode.id != episode.id
    assert policy.batches[0][0].seed != play("red", seed=4)[1].batches[0][0].seed


def test_a_turn_put_into_its_mouth_is_carried_out_and_told(play, call):
    """The model takes over after it, sees its observation, and the episode says so."""
    wrong = call("get_color", bbox_2d=LEFT)
    rollout, policy = play("never asked", "{mask_1.color}", opening=(wrong,))
    episode = rollout.episode
    assert [step.call.op for step in episode.steps if step.call] == ["get_color"]
    assert episode.answer.text == "red"
    assert episode.meta["opening"] == 1
    assert len(policy.batches) == 1
    (request,) = policy.batches[0]
    assert [message["role"] for message in request.messages][-2:] == ["assistant", "tool"]
