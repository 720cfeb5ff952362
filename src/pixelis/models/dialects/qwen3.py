"""The default dialect `qwen3-vl`, which nano speaks.

A turn is `<think>{thought}</think>\\n` (left out when there is no thought), then calls as
`<tool_call>\\n{"name": ..., "arguments": {...}}\\n</tool_call>`, or the answer as free text.
Coordinates are 0..1000 of the named image; images are counted from 0 over the whole dialogue.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from pixelis.answers.reference import expand, handles_of
from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.errors import DataError
from pixelis.models.dialects.dialect import Messages, Reading, count_images, opens_with_refusal
from pixelis.models.dialects.parse import Malformed, Named, clean, parse
from pixelis.models.template import call_text
from pixelis.ops.workspace import Units

NOTICE = "Notice: "
ALIASES = {"image_zoom_in_tool": "zoom_in"}
ARGUMENT_ALIASES = {"img_idx": "image"}
RESPONSE = re.compile(r"</?tool_response>")


class Qwen3:
    """Qwen3-VL's way of calling tools. See the module for the format."""

    name = "qwen3-vl"
    units: Units = "rel"

    def messages(self, episode: Episode, system: str = "") -> Messages:
        """System (when given), question with the first image, then turns and tool messages."""
        told: Messages = [{"role": "system", "content": system}] if system else []
        question = {"type": "text", "text": clean(episode.question)}
        told.append({"role": "user", "content": [{"type": "image"}, question]})
        for steps in _turns(self, episode.steps):
            text = clean(steps[0].text) or "\n".join(self.turn(step) for step in steps)
            told.append({"role": "assistant", "content": text})
            told += [_tool(step) for step in steps if step.observation is not None]
        return told

    def turn(self, step: Step) -> str:
        """The turn's text, byte for byte what training uses; control tokens are left out."""
        thought = f"<think>{step.thought}</think>\n" if step.thought else ""
        if step.call is not None:
            return clean(thought + call_text(step.call.op, step.call.arguments))
        answer = step.answer.raw or step.answer.text if step.answer is not None else ""
        return clean(thought + answer)

    def read(self, text: str) -> Reading:
        """The turn's thought with its calls (in our names) or its answer."""
        parsed = parse(text)
        return Reading(parsed.text, parsed.thought, tuple(map(_ours, parsed.calls)), parsed.answer)

    def episode(self, messages: Sequence[Mapping[str, Any]], media: Media) -> Episode:
        """The episode told by messages of this dialect; DataError says which message is wrong."""
        start = 1 if messages and messages[0]["role"] == "system" else 0
        if len(messages) <= start or messages[start]["role"] != "user":
            raise DataError(f"message {start}: expected the user's question")
        question = _text(messages[start]["content"])
        steps: list[Step] = []
        images = 1
        index = start + 1
        while index < len(messages):
            if messages[index]["role"] != "assistant":
                raise DataError(f"message {index}: expected an assistant turn")
            told = _following(messages, index + 1)
            seen = [_seen(message) for message in told]
            steps += self._steps(messages[index]["content"], seen, images, steps)
            images += sum(count for _, count in seen)
            index += 1 + len(told)
        answer = steps[-1].answer if steps else None
        episode = Episode(question, media, dialect=self.name, steps=tuple(steps))
        return episode if answer is None else replace(episode, answer=answer, ended="answered")

    def _steps(
        self, text: str, seen: Sequence[tuple[str, int]], images: int, before: Sequence[Step]
    ) -> list[Step]:
        """The steps of one turn, given the tool messages (text, images) that follow it."""
        reading = self.read(text)
        head = Step(thought=reading.thought, text=reading.text)
        if not reading.calls:
            handles = handles_of(s.observation for s in before if s.observation is not None)
            return [head if reading.answer is None else _answered(head, reading.answer, handles)]
        steps: list[Step] = []
        for index, call in enumerate(reading.calls[: max(1, len(seen))]):
            step = head if index == 0 else Step()
            step = step if isinstance(call, Malformed) else replace(step, call=call)
            if index < len(seen):
                step = _observed(step, *seen[index], images)
                images += seen[index][1]
            steps.append(step)
        return steps


def _ours(call: Named | Malformed) -> Call | Malformed:
    """The call under our own names."""
    if isinstance(call, Malformed) or call.name not in ALIASES:
        return call if isinstance(call, Malformed) else Call(call.name, dict(call.arguments))
    renamed = {ARGUMENT_ALIASES.get(key, key): value for key, value in call.arguments.items()}
    return Call(ALIASES[call.name], renamed)


def _turns(dialect: Qwen3, steps: Sequence[Step]) -> Iterator[list[Step]]:
    """Steps grouped by the turn that wrote them: of several calls only the first has the text."""
    index = 0
    while index < len(steps):
        calls = len(dialect.read(steps[index].text).calls) if steps[index].text else 1
        group = [steps[index]]
        for step in steps[index + 1 : index + calls]:
            if step.text or step.thought or (step.call is None and step.observation is None):
                break
            group.append(step)
        yield group
        index += len(group)


def _tool(step: Step) -> dict[str, Any]:
    seen = step.observation
    assert seen is not None
    text = RESPONSE.sub("", clean(seen.text))
    if step.notice:
        text += f"\n{clean(step.notice)}"
    images = [{"type": "image"}] * count_images(seen)
    return {"role": "tool", "content": [{"type": "text", "text": text}, *images]}


def _following(messages: Sequence[Mapping[str, Any]], start: int) -> list[Mapping[str, Any]]:
    end = start
    while end < len(messages) and messages[end]["role"] == "tool":
        end += 1
    return list(messages[start:end])


def _seen(message: Mapping[str, Any]) -> tuple[str, int]:
    content = message["content"]
    images = 0 if isinstance(content, str) else sum(part["type"] == "image" for part in content)
    return _text(content), images


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(part["text"] for part in content if part["type"] == "text")


def _observed(step: Step, text: str, count: int, first: int) -> Step:
    """The step with what its tool message says; a notice is the last line when it is marked."""
    body, split, last = text.rpartition("\n")
    notice = last if split and last.startswith(NOTICE) else None
    body = body if notice else text
    wrong = step.call is None or body.startswith(f"{step.call.op}: ")
    data = {"images": list(range(first, first + count))} if count > 1 else {}
    image = first if count else None
    seen = Observation(body, error=body if wrong else None, image=image, data=data)
    return replace(step, observation=seen, notice=notice)


def _answered(step: Step, raw: str, handles: Mapping[str, Mapping[str, Any]]) -> Step:
    expansion = expand(raw, handles)
    known = not opens_with_refusal(raw)
    return replace(step, answer=Answer(expansion.text, raw, expansion.evidence, known=known))
