"""verl's rows, masks and turns; what needs verl itself is in the run-book of recipes/verl."""

import asyncio
import inspect
import io
from importlib.util import find_spec
from types import SimpleNamespace

import pytest
from PIL import Image

from pixelis.agent import Budget
from pixelis.errors import DataError, MissingExtraError
from pixelis.models.load import load_policy
from pixelis.rewards import Gold
from pixelis.training.lines import line_of
from pixelis.training.questions import Drawn
from pixelis.training.verl import ServedPolicy, gold_of, loop_class, output, play, reward, row


@pytest.fixture(scope="module")
def nano():
    return load_policy("nano", device="cpu")


@pytest.fixture
def question():
    return Drawn(3, ("attribute_recognition",)).at(0, 1)[0]


def test_a_row_has_what_verl_asks_for(question):
    made = row(question, 7, "test")
    assert set(made) == {
        "data_source", "agent_name", "prompt", "images", "ability", "reward_model", "extra_info",
    }  # fmt: skip
    (message,) = made["prompt"]
    assert message["content"].count("<image>") == len(made["images"]) == 1
    with question.open() as media, Image.open(io.BytesIO(made["images"][0]["bytes"])) as stored:
        assert stored.convert("RGB").tobytes() == media.image.convert("RGB").tobytes()
    assert made["extra_info"] == {"index": 7, "split": "test", "question": question.text}
    truth = gold_of(made["reward_model"]["ground_truth"])
    assert truth.answers == tuple(question.gold.answers)
    assert truth.answer_type == question.gold.answer_type


def test_what_no_row_can_hold_is_an_error():
    clip = Drawn(3, ("temporal_tracking",)).at(0, 1)[0]
    with pytest.raises(DataError, match="about a video"):
        row(clip, 0)
    for broken in ("no", "[]", '{"answers": []}'):
        with pytest.raises(DataError, match="ground_truth"):
            gold_of(broken)


class Scripted:
    """Answers with tokens, as verl's server manager does, and keeps what it was asked."""

    def __init__(self, processor, lines):
        self.processor, self.lines = processor, list(lines)
        self.asked = []

    async def generate(self, request_id, *, prompt_ids, sampling_params, image_data=None):
        self.asked.append((prompt_ids, sampling_params, image_data))
        await asyncio.sleep(0.01)
        text = self.lines[len(self.asked) - 1]
        ids = self.processor.tokenizer(text + "<|im_end|>", add_special_tokens=False)["input_ids"]
        return SimpleNamespace(token_ids=ids, log_probs=[-0.5] * len(ids))


def served(nano, lines):
    picture = Image.new("RGB", (256, 256), "white")
    picture.paste("red", (64, 64, 192, 192))
    call = '<tool_call>\n{"name": "segment_object_at", "arguments": {"point_2d": [500, 500]}}\n'
    said = [line.replace("CALL", call + "</tool_call>") for line in lines]
    server = Scripted(nano.processor, said)

    async def run():
        loop = asyncio.get_running_loop()
        policy = ServedPolicy(server, loop, nano.processor, nano.profile, {"temperature": 1.0})
        return await play(policy, picture, "What is it?", Budget(steps=4))

    return asyncio.run(run()), server


def test_our_loop_plays_on_verls_servers(nano):
    rollout, server = served(nano, ["CALL", "red [mask_1]"])
    assert [call.op for call in rollout.episode.calls] == ["segment_object_at"]
    assert rollout.episode.observations[0].error is None
    assert rollout.episode.ended == "answered"
    (first, settings, shown), (second, _, more) = server.asked
    assert settings["temperature"] == 1.0
    assert settings["max_tokens"] == nano.profile.new_tokens
    assert [len(shown), len(more)] == [1, 2]
    image = nano.processor.image_token_id
    assert first.count(image) == 64
    assert second[: len(first)] == first, "a prompt grows, nothing is told anew"
    opening = nano.processor.tokenizer("<|im_start|>assistant\n")["input_ids"]
    assert first[-len(opening) :] == opening


def test_the_mask_is_one_on_what_was_written(nano):
    rollout, server = served(nano, ["CALL", "red [mask_1]"])
    line = line_of(rollout, nano.processor)
    made = output(line)
    assert made["prompt_ids"] + made["response_ids"] == list(line.ids)
    assert made["prompt_ids"] == server.asked[0][0]
    wrote = [t for turn in rollout.turns for t in turn.token_ids]
    marked = zip(made["response_ids"], made["response_mask"], strict=True)
    assert [token for token, one in marked if one] == wrote
    lengths = {len(made[name]) for name in ("response_ids", "response_mask", "response_logprobs")}
    assert len(lengths) == 1
    assert sum(made["response_logprobs"]) == -0.5 * len(wrote)
    images = made["multi_modal_data"]["images"]
    counts = sum(image.width * image.height // 32**2 for image in images)
    assert line.ids.count(nano.processor.image_token_id) == counts


def test_an_episode_alone_is_scored(nano):
    rollout, _ = served(nano, ["CALL", "red [mask_1]"])
    red, blue = Gold(("red",), "color"), Gold(("blue",), "color")
    assert reward(rollout, red) == pytest.approx(1.0)
    assert reward(rollout, blue) == pytest.approx(0.0)
    failed, _ = served(nano, ['<tool_call>\n{"name": "zoom_in"\n</tool_call>', "red"])
    assert reward(failed, red) < 1.0


@pytest.mark.skipif(find_spec("verl") is not None, reason="verl is installed")
def test_without_verl_one_line_says_so(nano):
    with pytest.raises(MissingExtraError, match="verl is not installed"):
        loop_class(nano.profile)


@pytest.mark.verl
@pytest.mark.skipif(find_spec("verl") is None, reason="needs verl: recipes/verl")
def test_verls_own_classes_take_what_we_give(nano):
    from verl.experimental.agent_loop import agent_loop as theirs
    from verl.workers.rollout.llm_server import LLMServerClient

    made = loop_class(nano.profile)
    assert issubclass(made, theirs.AgentLoopBase)
    asked = inspect.signature(LLMServerClient.generate).parameters
    assert {"request_id", "prompt_ids", "sampling_params", "image_data"} <= set(asked)
    server = Scripted(nano.processor, ["red"])
    loop = object.__new__(made)  # the base wants a trainer's whole configuration
    loop.processor, loop.tokenizer = nano.processor, nano.processor.tokenizer
    loop.server_manager = server
    fields = row(Drawn(3, ("attribute_recognition",)).at(0, 1)[0], 0)
    given = asyncio.run(loop.run({"temperature": 1.0}, **fields))
    told = given.as_dict()
    assert told["responses"].shape == told["response_mask"].shape
    assert int(told["response_mask"].sum()) == len(
        server.processor.tokenizer("red<|im_end|>").input_ids
    )
    assert given.reward_score in (0.0, 1.0)
    assert given.num_turns == 2
