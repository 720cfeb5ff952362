"""An episode made into what another model would have done: its units, its images, its words.

Calls are written in the other dialect's coordinates and executed again, so that every observation
is what this model will get when it is served. Nothing is copied but thoughts and answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

from PIL import Image

from pixelis.agent.room import run_call
from pixelis.answers.reference import answered, handles_of
from pixelis.episode import Call, Episode, Step
from pixelis.errors import DataError
from pixelis.geometry import Box, Point
from pixelis.media import Picture, Video
from pixelis.models.dialects import Dialect, get_dialect
from pixelis.models.policy import Profile
from pixelis.models.resize import fit_image
from pixelis.ops.registry import REGISTRY, Registry
from pixelis.ops.workspace import Workspace


class Told(NamedTuple):
    """An episode as a model of some profile has it, with the images it is shown (RGB)."""

    episode: Episode
    images: tuple[Image.Image, ...]


def same_words(episode: Episode, profile: Profile) -> bool:
    """Whether the episode was made for a model of this profile and needs no retelling."""
    meta = episode.meta
    return (
        episode.dialect == profile.dialect
        and meta.get("pixels") == asdict(profile.budget)
        and meta.get("text_limit") == profile.text_limit
    )


def retell(
    episode: Episode, media: Picture | Video, profile: Profile, registry: Registry = REGISTRY
) -> Told:
    """The episode for a model of this profile.

    Raises DataError, which says why, when it cannot be told: its coordinates are not relative and
    its dialect is another one, a turn has no call and no answer that could be written anew, or a
    call that worked does not work for this model.
    """
    dialect = get_dialect(profile.dialect)
    there = get_dialect(episode.dialect)
    if there.name != dialect.name and there.convention.units != "rel":
        raise DataError(f"{episode.id}: told in {there.name}; only 0..1000 boxes can be converted")
    workspace = Workspace(media, profile.budget, dialect.convention, profile.text_limit)
    steps: list[Step] = []
    with workspace:
        for step in episode.steps:
            if step.call is None and step.answer is None:
                raise DataError(f"{episode.id}: step {len(steps)} has no call and no answer")
            steps.append(_step(step, steps, workspace, there, dialect, profile, registry))
        images = tuple(fit_image(image, profile.budget) for image in workspace.images)
    answer = steps[-1].answer if steps else None
    meta = {
        **episode.meta,
        "pixels": asdict(profile.budget),
        "text_limit": profile.text_limit,
        "image_tokens": profile.image_tokens,
    }
    told = replace(episode, dialect=dialect.name, steps=tuple(steps), answer=answer, meta=meta)
    return Told(told, images)


def _step(
    step: Step,
    before: Sequence[Step],
    workspace: Workspace,
    there: Dialect,
    dialect: Dialect,
    profile: Profile,
    registry: Registry,
) -> Step:
    if step.call is None:
        assert step.answer is not None
        seen = [one.observation for one in before if one.observation is not None]
        raw = step.answer.raw or step.answer.text
        answer, _ = answered(raw, handles_of(seen))
        made = Step(step.thought, answer=replace(answer, known=answer.known and step.answer.known))
        return replace(made, text=dialect.turn(made))
    same = there.name == dialect.name
    call = step.call if same else Call(step.call.op, converted(step.call.arguments, workspace))
    observation = run_call(registry, call, workspace, profile.image_tokens)
    worked = step.observation is None or step.observation.error is None
    if worked and observation.error is not None:
        raise DataError(f"step {len(before)}: {observation.error}")
    made = Step(step.thought, call, observation, notice=step.notice)
    return replace(made, text=dialect.turn(made))


def converted(arguments: Mapping[str, Any], workspace: Workspace) -> dict[str, Any]:
    """Arguments in 0..1000 of the named image, in the workspace's own units."""
    changed = dict(arguments)
    image = arguments.get("image", 0)
    if not isinstance(image, int) or not 0 <= image < len(workspace.views):
        return changed
    for name, size in (("bbox_2d", 4), ("point_2d", 2)):
        values = arguments.get(name)
        if isinstance(values, list | tuple) and len(values) == size:
            changed[name] = _numbers(values, workspace, image)
    return changed


def _numbers(values: Sequence[float], workspace: Workspace, image: int) -> list[float]:
    """A box or point in source pixels, then as the workspace's convention writes it."""
    view = workspace.view(image)
    if len(values) == 4:
        box = view.to_source(values)  # type: ignore[arg-type]
    else:
        spot: Point = view.point_to_source(values)  # type: ignore[arg-type]
        box = Box(spot.x, spot.y, spot.x, spot.y)
    written = workspace.convention.numbers(box, view, workspace.shown_size(image))
    return list(written[: len(values)])
