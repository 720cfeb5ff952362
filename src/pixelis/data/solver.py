"""Writes an episode step by step, every call executed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pixelis.answers.reference import answered, handles_of
from pixelis.data.plans import Place
from pixelis.data.tasks import Task
from pixelis.episode import Call, Episode, Media, Observation, Step
from pixelis.geometry import Box, Point
from pixelis.media import Video
from pixelis.models.dialects.qwen3 import Qwen3
from pixelis.ops.registry import Registry
from pixelis.ops.workspace import Workspace

AGAIN = "not there: "  # how the first thought after a slip begins
_DIALECT = Qwen3()


def tens(value: float) -> int:
    """Rounded to a multiple of ten: a hundred values are learned sooner than a thousand."""
    return int(round(value / 10) * 10)


def described(media: Any) -> Media:
    """What an episode keeps of its media."""
    if isinstance(media, Video):
        seconds = round(media.seconds, 3)
        return Media("video", media.name, media.size, media.sha256, media.frames, seconds)
    return Media("picture", media.name, media.size, media.sha256)


class Solver:
    """An episode being written.

    Attributes:
        slips: places of the steps that went wrong on purpose.
        detour: makes such a step on the way to the second of two things, and says whether its
            observation shows it; None for none.
        visible: whether the observation of every detour did.
        exact: whether boxes are given to the thousandth of a side instead of in tens.
        image: the image that boxes and points are given in; a crop after a look that was too wide.
    """

    exact = False

    def __init__(self, task: Task, workspace: Workspace, registry: Registry) -> None:
        self.workspace = workspace
        self.registry = registry
        media = described(workspace.media)
        self.episode = Episode(task.question, media, id=task.id, model="oracle")
        self.task = task
        self.slips: list[int] = []
        self.detour: Callable[[Place], bool] | None = None
        self.visible = True
        self.image = 0

    def act(self, thought: str, op: str, **arguments: Any) -> bool:
        """One executed call; False when the operation refused or found nothing to name."""
        thought = self._again(thought)
        call = Call(op, arguments)
        observation = self.registry.run(call, self.workspace)
        self._add(Step(thought, call, observation))
        return observation.error is None

    def _add(self, step: Step) -> None:
        self.episode = self.episode.with_step(replace(step, text=_DIALECT.turn(step)))

    def _again(self, thought: str) -> str:
        """The thought, which after a slip says that it was one."""
        return AGAIN + thought if self.astray and thought else thought

    def slip(self) -> None:
        """Marks the step just taken as one that went wrong on purpose."""
        self.slips.append(len(self.episode.steps) - 1)

    @property
    def astray(self) -> bool:
        """Whether the step just taken was a slip."""
        return bool(self.slips) and self.slips[-1] == len(self.episode.steps) - 1

    @property
    def seen(self) -> Observation:
        """What the last call brought."""
        return self.episode.observations[-1]

    def latest(self, kind: str) -> str:
        """The newest handle of that kind: `mask_2`; `mask_1` when there is none yet."""
        names = [name for name in self.workspace.handles if name.startswith(f"{kind}_")]
        return names[-1] if names else f"{kind}_1"

    def answer(self, raw: str, thought: str = "") -> Episode:
        """The finished episode."""
        answer, _ = answered(raw, handles_of(self.episode.observations))
        self._add(Step(self._again(thought), answer=answer))
        meta = {"slips": list(self.slips)} if self.slips else {}
        return replace(self.episode, answer=answer, ended="answered", meta=meta)

    def line(self, field: str) -> str:
        """The reference to the latest text, or to its `first` or `last` line."""
        name = self.latest("text")
        return f"{{{name}.{field}}}" if field else f"{{{name}}}"

    def box(self, box: Box) -> list[int]:
        """A source box in 0..1000 of the image in use."""
        values = self.workspace.view(self.image).to_relative(box)
        return list(values) if self.exact else [tens(value) for value in values]

    def viewed(self, image: int) -> Callable[[Place], list[int]]:
        """`point` on that image."""
        return lambda place: self.point(place, image)

    def point(self, place: Place, image: int) -> list[int]:
        """A source point in 0..1000 of that image, in tens."""
        view = self.workspace.view(image)
        return [tens(value) for value in view.point_to_relative(Point(*place))]

    def named(self, image: int | None = None) -> dict[str, int]:
        """The argument that names an image; left out for the original."""
        number = self.image if image is None else image
        return {"image": number} if number else {}

    def hinted(self, meant: Place) -> list[int] | None:
        """The point that the observation of a slip named, when it lies amid what is meant."""
        if not self.astray:
            return None
        seen = self.episode.observations[-1:]
        if not seen or "near" not in seen[0].data:
            return None
        near = seen[0].data["near"]
        side = 0.05 * min(self.workspace.media.size)
        if abs(near[0] - meant[0]) > side or abs(near[1] - meant[1]) > side:
            return None
        return self.point((near[0], near[1]), 0)
