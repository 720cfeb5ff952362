"""The words of the domain, as immutable values: Call, Observation, Step, Answer, Media, Episode.

Everything here serialises to JSON and back without loss; pixels are not part of an episode, only
where they came from (`View`, in source pixels), so an episode can be replayed exactly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from pydantic import TypeAdapter, ValidationError

from pixelis.errors import ConfigError, DataError
from pixelis.geometry import Box, Size, View

JSON = Mapping[str, Any]
Ended = Literal[
    "answered", "steps", "calls", "images", "tokens", "time", "loop", "empty", "failed", "running"
]


@dataclass(frozen=True)
class Call:
    """What the model asked for.

    Attributes:
        op: name of the operation.
        arguments: as named in its schema; boxes and points are in the units of the episode's
            dialect (0..1000 of the named image in the default one).
    """

    op: str
    arguments: JSON = field(default_factory=dict)

    def key(self) -> str:
        """Equal for calls that ask for exactly the same thing."""
        return json.dumps([self.op, dict(self.arguments)], sort_keys=True, default=str)


@dataclass(frozen=True)
class Observation:
    """What came back from a call.

    Attributes:
        text: what the model is told; boxes in it use the caller's units.
        error: the reason when the operation could not do it, else None.
        image: index of the new image in the episode (0 is the original), None without image.
        view: what that image shows of the source; None without image.
        box: the part of the source this speaks about, in source pixels.
        handle: name under which later calls and the answer refer to it (`mask_1`).
        confidence: in [0, 1] where the operation can tell, else None.
        data: the fields behind the handle, plain JSON values, boxes in source pixels.
    """

    text: str
    error: str | None = None
    image: int | None = None
    view: View | None = None
    box: Box | None = None
    handle: str | None = None
    confidence: float | None = None
    data: JSON = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What the model answered.

    Attributes:
        text: for display and scoring, references expanded.
        raw: as the model wrote it, with references such as `{text_1}` or `[crop_1]`.
        evidence: the handles it rests on, in order of mention; empty means unsupported.
        confidence: in [0, 1]; None when the policy reports no probabilities.
        known: False when the model says it cannot know.
    """

    text: str
    raw: str = ""
    evidence: tuple[str, ...] = ()
    confidence: float | None = None
    known: bool = True


@dataclass(frozen=True)
class Step:
    """One model turn: a thought, then one call with its observation, or the answer.

    Attributes:
        text: the turn exactly as the model wrote it.
        notice: something the loop told the model besides the observation (a repeated call, ...).
        tokens: number of tokens the model wrote in this turn.
        confidence: mean probability of those tokens, None when unknown.
    """

    thought: str = ""
    call: Call | None = None
    observation: Observation | None = None
    answer: Answer | None = None
    text: str = ""
    notice: str | None = None
    tokens: int = 0
    confidence: float | None = None


@dataclass(frozen=True)
class Media:
    """Where the pixels come from; `frames` and `seconds` are 0 for a picture."""

    kind: Literal["picture", "video"]
    name: str
    size: Size
    sha256: str
    frames: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Episode:
    """A question about media, the steps taken, the answer, and why it ended."""

    question: str
    media: Media
    id: str = ""
    model: str = ""
    dialect: str = "qwen3-vl"
    seed: int = 0
    steps: tuple[Step, ...] = ()
    answer: Answer | None = None
    ended: Ended = "running"
    seconds: float = 0.0
    meta: JSON = field(default_factory=dict)

    def with_step(self, step: Step) -> Episode:
        """The same episode one step longer."""
        return replace(self, steps=(*self.steps, step))

    def save(self, path: Any) -> None:
        """Writes the trace: `.html` is a page to look at, `.json` can be replayed.

        Works on the very episode that `Agent.ask` gave. ConfigError for a copy or one read from
        JSON, which do not know their pixels, and for a path that cannot be written.
        """
        saver = vars(self).get("_saver")
        if saver is None:
            raise ConfigError(
                "this episode does not know its pixels; save the one that Agent.ask gave, or use "
                "pixelis.trace.write with its workspace"
            )
        saver(self, path)

    def saved_by(self, saver: Callable[[Episode, Any], None]) -> Episode:
        """This episode, which `save` will hand to `saver`; no part of its value or its JSON."""
        object.__setattr__(self, "_saver", saver)
        return self

    @property
    def calls(self) -> tuple[Call, ...]:
        return tuple(step.call for step in self.steps if step.call is not None)

    @property
    def observations(self) -> tuple[Observation, ...]:
        return tuple(step.observation for step in self.steps if step.observation is not None)

    @property
    def slips(self) -> frozenset[int]:
        """Places, from 0, of the steps that are wrong on purpose: read, and never imitated.

        `meta["slips"]` lists them; a number there means so many first steps. DataError for
        anything else.
        """
        told = self.meta.get("slips", ())
        if isinstance(told, int) and not isinstance(told, bool):
            told = range(told)
        known = range(len(self.steps))
        good = isinstance(told, list | tuple | range)
        if not good or not all(type(place) is int and place in known for place in told):
            raise DataError(
                f"meta.slips: came {self.meta['slips']!r}; a list of places of steps, from 0 to "
                f"{len(self.steps) - 1}, is needed"
            )
        return frozenset(told)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return _ADAPTER.dump_python(self, mode="json")

    def to_json(self, indent: int | None = None) -> str:
        return json.dumps(self.to_dict(), indent=indent, ensure_ascii=False)

    @classmethod
    def from_dict(cls, record: JSON) -> Episode:
        """The episode `to_dict` wrote; raises DataError naming the first bad field."""
        try:
            return _ADAPTER.validate_python(record)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise DataError(f"episode field {place or '(top)'}: {first['msg']}") from error

    @classmethod
    def from_json(cls, text: str | bytes) -> Episode:
        """The episode in a JSON text; raises DataError when it is not one."""
        try:
            return cls.from_dict(json.loads(text))
        except json.JSONDecodeError as error:
            raise DataError(f"not JSON: {error.msg} at character {error.pos}") from error
        except UnicodeDecodeError as error:
            raise DataError(f"not JSON: bytes are not {error.encoding}") from error
        except RecursionError as error:
            raise DataError("not an episode: nested too deeply") from error


_ADAPTER: TypeAdapter[Episode] = TypeAdapter(Episode)
