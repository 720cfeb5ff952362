"""verl, for more machines than one: rows, masks and the agent loop's step in verl's terms.

verl 0.9 wants an older transformers than Pixelis and lives in an environment of its own
(`recipes/verl`), with Pixelis beside it. What is here needs verl only when a loop is made: dataset
rows, the answer of a loop as plain values, and a policy whose turns are taken by verl's servers, so
that our one agent loop plays there as well. Token ids go in and come out; nothing is told anew.
Group terms of the reward do not fit verl's streaming rewards: there the reward is that of an
episode alone.
"""

from __future__ import annotations

import asyncio
import io
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Protocol, cast

from PIL import Image

from pixelis.agent import Agent, Budget, Rollout, Task
from pixelis.answers import AnswerType
from pixelis.errors import DataError, MissingExtraError, ModelError
from pixelis.media import Picture, open_media
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.models.processor import PixelProcessor
from pixelis.models.template import END
from pixelis.rewards import Gold, Mix, score
from pixelis.training.lines import Line, line_of
from pixelis.training.questions import Question

SOURCE = "pixelis"
LOOP = "pixelis"


# rows ---------------------------------------------------------------------------------------------
def row(question: Question, index: int, split: str = "train") -> dict[str, Any]:
    """A dataset row of verl; pictures only, as PNG bytes. DataError for a video.

    `<image>` stands once in the prompt, as verl wants it; the loop makes its own conversation.
    """
    with question.open() as media:
        if not isinstance(media, Picture):
            raise DataError(f"{question.id}: verl's rows hold pictures, this is about a video")
        buffer = io.BytesIO()
        media.image.save(buffer, format="PNG")
    gold = question.gold
    truth = {
        "answers": list(gold.answers),
        "answer_type": gold.answer_type,
        "choices": list(gold.choices or ()),
        "tolerance": gold.tolerance,
    }
    return {
        "data_source": SOURCE,
        "agent_name": LOOP,
        "prompt": [{"role": "user", "content": f"<image>{question.text}"}],
        "images": [{"bytes": buffer.getvalue()}],
        "ability": question.family,
        "reward_model": {"style": "rule", "ground_truth": json.dumps(truth)},
        "extra_info": {"index": index, "split": split, "question": question.text},
    }


def gold_of(truth: str) -> Gold:
    """The gold answer in a row's `ground_truth`; DataError when it is none."""
    try:
        told = json.loads(truth)
        kind = cast(AnswerType, told["answer_type"])
        choices = tuple(told["choices"]) or None
        return Gold(tuple(told["answers"]), kind, choices, float(told["tolerance"]))
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"ground_truth {truth!r:.80} cannot be read: {error}") from error


# what a loop gives --------------------------------------------------------------------------------
def output(line: Line) -> dict[str, Any]:
    """An episode as verl's `AgentLoopOutput` wants it: the mask is 1 on what the model wrote."""
    start = line.start
    mask = [int(one) for one in line.written[start:]]
    chosen = iter(line.logprobs)
    return {
        "prompt_ids": list(line.ids[:start]),
        "response_ids": list(line.ids[start:]),
        "response_mask": mask,
        "response_logprobs": [next(chosen) if one else 0.0 for one in mask],
        "multi_modal_data": {"images": list(line.images)},
    }


def reward(rollout: Rollout, gold: Gold, mix: Mix | None = None) -> float:
    """The reward of an episode that has no group: answer, coherence and misuse."""
    alone = mix or Mix(curiosity=0.0, start="full")
    return score([[rollout.episode]], [gold], alone).groups[0][0].reward


# turns --------------------------------------------------------------------------------------------
class Server(Protocol):
    """What is used of verl's server manager."""

    async def generate(
        self,
        request_id: str,
        *,
        prompt_ids: list[int],
        sampling_params: dict[str, Any],
        image_data: list[Image.Image] | None = None,
    ) -> Any: ...


class ServedPolicy:
    """A policy whose turns verl's servers take; every request is passed on as it comes.

    Args:
        server: its `generate` gives `token_ids` and, when asked for, `log_probs`.
        loop: the event loop that `server` belongs to, which must not wait for us.
        sampling: verl's sampling parameters.
        abreast: most requests under way at once.
    """

    def __init__(
        self,
        server: Server,
        loop: asyncio.AbstractEventLoop,
        processor: PixelProcessor,
        profile: Profile,
        sampling: Mapping[str, Any],
        abreast: int = 64,
    ) -> None:
        self.server, self.loop = server, loop
        self.processor, self.profile = processor, profile
        self.sampling = dict(sampling)
        self.abreast = abreast
        self.name = profile.name

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        waiting = [self._ask(request, sampling) for request in requests]
        return [self._turn(one.result()) for one in waiting]

    def _ask(self, request: Request, sampling: Sampling) -> Any:
        sizes = [image.size for image in request.images]
        opening = self.processor.tokens(request.messages, sizes, request.tools)[0]
        opening += self.processor.tokenizer("<|im_start|>assistant\n", add_special_tokens=False)[
            "input_ids"
        ]
        most = sampling.max_new_tokens or self.profile.new_tokens
        work = self.server.generate(
            uuid.uuid4().hex,
            prompt_ids=opening,
            sampling_params={**self.sampling, "max_tokens": most, "logprobs": True},
            image_data=list(request.images),
        )
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def _turn(self, came: Any) -> Turn:
        ids = tuple(came.token_ids)
        if not ids:
            raise ModelError("verl's server gave no tokens")
        closing = self.processor.tokenizer.convert_tokens_to_ids(END)
        stopped = ids[-1] == closing
        words = ids[:-1] if stopped else ids
        given = getattr(came, "log_probs", None)
        return Turn(
            text=self.processor.tokenizer.decode(words, skip_special_tokens=False),
            token_ids=ids,
            logprobs=tuple(given) if given is not None else None,
            ended="stop" if stopped else "length",
        )


async def play(
    policy: ServedPolicy, picture: Any, question: str, budget: Budget, seed: int = 0
) -> Rollout:
    """One episode by our agent loop; the event loop stays free meanwhile."""
    agent = Agent(policy, budget=budget)  # type: ignore[arg-type]
    try:
        task = Task(open_media(picture), question, seed)
        return await asyncio.wrap_future(agent.submit(task))
    finally:
        await asyncio.to_thread(agent.close)


def loop_class(profile: Profile, budget: Budget | None = None) -> type:
    """A class of agent loop for verl's registry: plays an episode and scores it.

    Give it a name at the top of a module that verl's workers can import, and name that in verl's
    `agent_loop_config_path`. MissingExtraError where verl is not installed.
    """
    try:
        from verl.experimental.agent_loop import agent_loop as theirs
    except ImportError as error:
        raise MissingExtraError("verl", "train") from error

    class PixelisLoop(theirs.AgentLoopBase):  # type: ignore[misc]
        """Our agent loop on verl's servers."""

        async def run(self, sampling_params: dict[str, Any], **fields: Any) -> Any:
            processor = PixelProcessor.adopt(self.processor, self.tokenizer)
            processor.set_budget(profile.budget)
            here = asyncio.get_running_loop()
            policy = ServedPolicy(self.server_manager, here, processor, profile, sampling_params)
            picture = fields["images"][0]["bytes"]
            asked = fields["extra_info"]["question"]
            rollout = await play(policy, picture, asked, budget or Budget())
            gold = gold_of(fields["reward_model"]["ground_truth"])
            return theirs.AgentLoopOutput(
                **output(line_of(rollout, processor)),
                reward_score=reward(rollout, gold),
                num_turns=2 * len(rollout.turns),
                metrics=theirs.AgentLoopMetrics(),
                # As verl's own loops leave it; it pops from here, and only what was set.
                extra_fields={"turn_scores": [], "tool_rewards": []},
            )

    return PixelisLoop
