"""Episodes as chat, the same for every family: a dialect is this class with its own words.

What a conversation carries of an episode comes back exactly: question, turns, thoughts, calls,
answer, and of each observation its text, its notice, whether it was an error, and its images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pixelis.answers.reference import answered, handles_of
from pixelis.episode import Call, Episode, Media, Observation, Step
from pixelis.errors import DataError
from pixelis.models.dialects.dialect import (
    Heard,
    Messages,
    Reading,
    Role,
    count_images,
)
from pixelis.models.dialects.parse import (
    ANSWER,
    BOXED,
    THINK,
    TOOL_CALL,
    UNANSWER,
    UNTHINK,
    Ending,
    Malformed,
    Named,
    Tag,
    balanced,
    clean,
    parse,
)
from pixelis.models.template import IMAGE, call_text
from pixelis.ops.convention import Convention

NOTICE = "Notice: "
MOST_COUNTED = 1e15  # whole floats up to here can be counted on without a loss
ZERO = re.compile(r"; 0 [^;]*\Z")  # `; 0 is the original`
WHOLE = re.compile(r"0|-?[1-9][0-9]{0,14}")
RESPONSE = re.compile(r"</?tool_response>")


@dataclass(frozen=True)
class Argument:
    """What an argument of ours is called, and what is added to whole numbers in it."""

    name: str
    plus: int = 0


@dataclass(frozen=True)
class Alias:
    """Another name of an operation and of its arguments.

    Attributes:
        op: our name.
        arguments: by our names; those that are not here keep theirs.
        also: further spellings that are read, by the family's name, but never written.
    """

    op: str
    arguments: Mapping[str, Argument] = field(default_factory=dict)
    also: Mapping[str, str] = field(default_factory=dict)

    def ours(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments as the family writes them, under our names and counted from 0."""
        known = {theirs.name: (name, -theirs.plus) for name, theirs in self.arguments.items()}
        known = {theirs: (name, 0) for theirs, name in self.also.items()} | known
        return _renamed(arguments, known)

    def theirs(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The other way round."""
        known = {name: (theirs.name, theirs.plus) for name, theirs in self.arguments.items()}
        return _renamed(arguments, known)


class Chat:
    """The default words; each family changes what is different.

    Attributes:
        system: the system message for a checkpoint that brings none of its own.
        reminder: what stands behind every question.
        role: who brings observations.
        together: True when the observations of one turn share one message.
        tags: what calls may stand in.
        ending: how the answer is written.
        thinks: whether thoughts are written in `<think>`.
        aliases: by the family's name of the operation; the first for an operation is written.
        everywhere: how arguments are called in every operation without an alias.
        also: spellings of arguments that are read in all these, but never written.
    """

    name = ""
    convention = Convention()
    system = ""
    reminder = ""
    role: Role = "tool"
    together = False
    tags: tuple[Tag, ...] = (TOOL_CALL,)
    ending: Ending = "free"
    thinks = True
    aliases: Mapping[str, Alias] = {}
    everywhere: Mapping[str, Argument] = {}
    also: Mapping[str, str] = {}

    # to messages ------------------------------------------------------------------------------
    def messages(self, episode: Episode, system: str = "") -> Messages:
        """System (when given), question with the first image, then turns and observations.

        A turn that holds a slip has `learned` False.
        """
        told: Messages = [{"role": "system", "content": system}] if system else []
        question = {"type": "text", "text": clean(episode.question) + self.reminder}
        told.append({"role": "user", "content": [{"type": "image"}, question]})
        action = place = 0
        slips = episode.slips
        for steps in self._turns(episode.steps):
            text = clean(steps[0].text) or "\n".join(self.turn(step) for step in steps)
            told.append({"role": "assistant", "content": text})
            if slips.intersection(range(place, place + len(steps))):
                told[-1]["learned"] = False
            place += len(steps)
            seen = [step for step in steps if step.observation is not None]
            parts = [self._told(step, action + index) for index, step in enumerate(seen)]
            action += len(seen)
            if self.together and parts:
                parts = [[one for part in parts for one in part]]
            told += [{"role": self.role, "content": part} for part in parts]
        return told

    def turn(self, step: Step) -> str:
        """The turn's text as the family writes it; control tokens are left out."""
        if step.call is not None:
            return clean(self._thought(step.thought) + self.call(step.call))
        answer = step.answer.raw or step.answer.text if step.answer is not None else ""
        marks = {"free": ("", ""), "tagged": (ANSWER, UNANSWER), "boxed": (BOXED, "}")}
        marked = bool(answer) and (self.ending != "boxed" or balanced(answer))
        before, after = marks[self.ending] if marked else ("", "")
        return clean(self._thought(step.thought, marked) + before + answer + after)

    def call(self, call: Call) -> str:
        """One call as the family writes it."""
        for name, alias in self.aliases.items():
            if alias.op == call.op:
                return call_text(name, alias.theirs(call.arguments))
        return call_text(call.op, Alias("", self.everywhere).theirs(call.arguments))

    def observation(self, text: str, images: range, action: int) -> str:
        """What is said about an observation; `<|image_pad|>` stands for each of its images.

        Args:
            text: what the operation tells, with the notice.
            images: their numbers in the episode.
            action: how many observations came before.
        """
        return text + IMAGE * len(images)

    def tools(self, schemas: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The operations' schemas under the names this family uses."""
        return [self._schema(schema) for schema in schemas]

    # from messages ----------------------------------------------------------------------------
    def read(self, text: str) -> Reading:
        """The turn's thought with its calls (in our names) or its answer; never raises."""
        parsed = parse(text, self.tags, self.ending)
        calls = tuple(map(self.understood, parsed.calls))
        return Reading(parsed.text, parsed.thought, calls, parsed.answer)

    def understood(self, call: Named | Malformed) -> Call | Malformed:
        """The call under our own names."""
        if isinstance(call, Malformed):
            return call
        alias = self.aliases.get(call.name) or Alias(call.name, self.everywhere, self.also)
        return Call(alias.op, alias.ours(call.arguments))

    def heard(self, told: str) -> list[Heard]:
        """The observations in one message, `<|image_pad|>` standing for images."""
        return [Heard(told.replace(IMAGE, ""), told.count(IMAGE))]

    def episode(self, messages: Sequence[Mapping[str, Any]], media: Media) -> Episode:
        """The episode told by messages of this dialect; DataError says which message is wrong."""
        start = 1 if messages and messages[0]["role"] == "system" else 0
        if len(messages) <= start or messages[start]["role"] != "user":
            raise DataError(f"message {start}: expected the user's question")
        question = _flat(messages[start]["content"]).replace(IMAGE, "")
        steps: list[Step] = []
        images = 1
        index = start + 1
        while index < len(messages):
            if messages[index]["role"] != "assistant":
                raise DataError(f"message {index}: expected an assistant turn")
            told = _following(messages, index + 1, self.role)
            seen = [one for message in told for one in self.heard(_flat(message["content"]))]
            steps += self._steps(_flat(messages[index]["content"]), seen, images, steps)
            images += sum(one.images for one in seen)
            index += 1 + len(told)
        answer = steps[-1].answer if steps else None
        question = question.removesuffix(self.reminder)
        episode = Episode(question, media, dialect=self.name, steps=tuple(steps))
        return episode if answer is None else replace(episode, answer=answer, ended="answered")

    # inside -----------------------------------------------------------------------------------
    def _thought(self, thought: str, marked: bool = True) -> str:
        """The thought as it stands before a call or answer; free only where `marked` ends it."""
        if not thought:
            return ""
        tagged = self.thinks or not marked or "<" in thought or BOXED in thought
        return f"{THINK}{thought}{UNTHINK}\n" if tagged else f"{thought}\n"

    def _told(self, step: Step, action: int) -> list[dict[str, Any]]:
        """The content of one observation: texts and images in order."""
        seen = step.observation
        assert seen is not None
        text = _scrubbed(clean(seen.text))
        if step.notice:
            text += f"\n{clean(step.notice)}"
        first = seen.image or 0
        pieces = self.observation(text, range(first, first + count_images(seen)), action)
        parts: list[dict[str, Any]] = []
        for index, piece in enumerate(pieces.split(IMAGE)):
            parts += [{"type": "image"}] if index else []
            parts += [{"type": "text", "text": piece}] if piece else []
        return parts or [{"type": "text", "text": ""}]

    def _turns(self, steps: Sequence[Step]) -> Iterator[list[Step]]:
        """Steps grouped by the turn that wrote them: of several only the first has the text."""
        index = 0
        while index < len(steps):
            calls = len(self.read(steps[index].text).calls) if steps[index].text else 1
            group = [steps[index]]
            for step in steps[index + 1 : index + calls]:
                if step.text or step.thought or (step.call is None and step.observation is None):
                    break
                group.append(step)
            yield group
            index += len(group)

    def _steps(
        self, text: str, seen: Sequence[Heard], images: int, before: Sequence[Step]
    ) -> list[Step]:
        """The steps of one turn, given the observations that follow it."""
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
                step = _observed(step, seen[index], images)
                images += seen[index].images
            steps.append(step)
        return steps

    def _schema(self, schema: Mapping[str, Any]) -> dict[str, Any]:
        function = schema["function"]
        alias, name = Alias("", self.everywhere), function["name"]
        for theirs, one in self.aliases.items():
            if one.op == name:
                alias, name = one, theirs
                break
        parameters = dict(function["parameters"])
        fields = parameters.get("properties", {})
        called = {ours: alias.arguments.get(ours, Argument(ours)) for ours in fields}
        parameters["properties"] = {
            called[ours].name: _shifted(value, called[ours].plus) for ours, value in fields.items()
        }
        if "required" in parameters:
            parameters["required"] = [called[ours].name for ours in parameters["required"]]
        return {**schema, "function": {**function, "name": name, "parameters": parameters}}


def _scrubbed(text: str) -> str:
    """Text from outside without tags that would end an observation early."""
    text = RESPONSE.sub("", text)
    # Removing one tag can put two halves of another together: then none may stay.
    return text.replace("tool_response", "") if RESPONSE.search(text) else text


def _renamed(arguments: Mapping[str, Any], known: Mapping[str, tuple[str, int]]) -> dict[str, Any]:
    named: dict[str, Any] = {}
    for key, value in arguments.items():
        name, plus = known.get(key, (key, 0))
        named[name] = _plus(value, plus) if plus else value
    return named


def _plus(value: Any, plus: int) -> Any:
    """Whole numbers moved by `plus`, also `2.0`, `"2"` and those in a list; others as they are.

    In a list a negative number counts from the end and stays, and nothing becomes one.
    """
    if isinstance(value, list):
        moved = [_plus(item, plus) for item in value]
        return [
            old if _below(old) or _below(new) else new
            for old, new in zip(value, moved, strict=True)
        ]
    if isinstance(value, str):
        return str(int(value) + plus) if WHOLE.fullmatch(value) else value
    whole = isinstance(value, int) and not isinstance(value, bool)
    counted = isinstance(value, float) and value.is_integer() and abs(value) < MOST_COUNTED
    return value + plus if whole or counted else value


def _below(value: Any) -> bool:
    return isinstance(value, int | float) and value < 0


def _shifted(field: Mapping[str, Any], plus: int) -> dict[str, Any]:
    """The schema of an argument that counts from `plus` instead of 0."""
    shown = dict(field)
    if not plus:
        return shown
    for key in ("default", "minimum"):
        if key in shown:
            shown[key] = _plus(shown[key], plus)
    if isinstance(shown.get("items"), Mapping):
        shown["items"] = _shifted(shown["items"], plus)
    if "description" in shown:
        told = ZERO.sub("", shown["description"]).rstrip(".")
        shown["description"] = f"{told}; counted from {plus}"
    return shown


def _following(
    messages: Sequence[Mapping[str, Any]], start: int, role: str
) -> list[Mapping[str, Any]]:
    end = start
    while end < len(messages) and messages[end]["role"] == role:
        end += 1
    return list(messages[start:end])


def _flat(content: Any) -> str:
    """The content as one text with `<|image_pad|>` for each image and no other control token."""
    if content is None or isinstance(content, str):
        return clean(content or "")
    return "".join(IMAGE if part["type"] == "image" else clean(part["text"]) for part in content)


def _observed(step: Step, told: Heard, first: int) -> Step:
    """The step with what it was told; a notice is the last line when it is marked."""
    body, split, last = told.text.rpartition("\n")
    notice = last if split and last.startswith(NOTICE) else None
    body = body if notice else told.text
    wrong = step.call is None or body.startswith(f"{step.call.op}: ")
    count = told.images
    data = {"images": list(range(first, first + count))} if count > 1 else {}
    image = first if count else None
    seen = Observation(body, error=body if wrong else None, image=image, data=data)
    return replace(step, observation=seen, notice=notice)


def _answered(step: Step, raw: str, handles: Mapping[str, Mapping[str, Any]]) -> Step:
    return replace(step, answer=answered(raw, handles)[0])
