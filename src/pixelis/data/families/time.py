"""temporal_tracking: where things of a clip go, when they leave, which is fastest."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import cast

from pixelis.data import phrases
from pixelis.data.families.space import SLACK, THIRDS
from pixelis.data.plans import Plan, Query
from pixelis.data.worlds.clips import Actor, Film
from pixelis.data.worlds.scene import Scene
from pixelis.geometry import Box
from pixelis.ops.track import DIRECTIONS

FAMILY = "temporal_tracking"
PARTS = ("beginning", "middle", "end")
OFF_AXIS = 13.0  # degrees from one of the eight ways
FASTER = 1.55


def queries(scene: Scene) -> Iterator[Query]:
    """What can be asked about a clip; nothing about a picture."""
    if not isinstance(scene, Film):
        return
    makers: tuple[Callable[[Film], Iterator[Query]], ...] = (
        _journeys, _ends, _exits, _hidings, _races, _arrivals, _movers,
    )  # fmt: skip
    for make in makers:
        yield from make(scene)


def _slots(actor: Actor) -> dict[str, str]:
    return {"a": f"{actor.color} [{actor.shape}|{phrases.THING[1:-1]}]"}


def _follow(film: Film, actor: Actor, field: str, **more: object) -> Plan:
    """Follows the actor from the first frame to the last."""
    assert actor.boxes[0] is not None
    ends = (0, film.frames - 1)
    target = f"{actor.color} {actor.shape}"
    return Plan("follow", target, field=field, boxes=(actor.boxes[0],), frames=ends, **more)  # type: ignore[arg-type]


def _step(actor: Actor) -> tuple[float, float]:
    """dx, dy in px between the first and the last frame it is seen in."""
    seen = [box for box in actor.boxes if box is not None]
    return seen[-1].center.x - seen[0].center.x, seen[-1].center.y - seen[0].center.y


def _starts(film: Film) -> list[Actor]:
    """Those that are wholly seen in the first frame."""
    return [a for a in film.actors if a.boxes[0] is not None and _whole(a.boxes[0], a)]


def _whole(box: Box, actor: Actor) -> bool:
    return min(box.width, box.height) > 0.72 * actor.side


def _travels(actor: Actor) -> bool:
    """Whether it goes on one way, so that start and end say where it goes."""
    seen = [box.center for box in actor.boxes if box is not None]
    length = sum(math.dist(a, b) for a, b in pairwise(seen))
    return math.hypot(*_step(actor)) > 0.85 * length


def _journeys(film: Film) -> Iterator[Query]:
    """Which way, and whether it moves at all."""
    for actor in _starts(film):
        moved = math.hypot(*_step(actor))
        still = moved < 0.05 * actor.side
        if still or (moved > 1.5 * actor.side and _travels(actor)):
            answer = "no" if still else "yes"
            plan = _follow(film, actor, "moves")
            yield Query(FAMILY, "moves", _slots(actor), answer, "yes_no", plan)
        if moved > 1.5 * actor.side and _travels(actor):
            angle = math.degrees(math.atan2(_step(actor)[1], _step(actor)[0]))
            octant = round(angle / 45)
            if abs(angle - 45 * octant) < OFF_AXIS:
                plan = _follow(film, actor, "direction")
                way = DIRECTIONS[octant % 8]
                yield Query(FAMILY, "direction", _slots(actor), way, "word", plan)


def _ends(film: Film) -> Iterator[Query]:
    """Where a thing is in the last frame."""
    for actor in _starts(film):
        box, last = actor.boxes[-1], film.frames - 1
        if box is None or math.hypot(*_step(actor)) < actor.side or not _whole(box, actor):
            continue
        x, y = box.center.x / film.size.width, box.center.y / film.size.height
        if any(abs(v - third) < SLACK for v in (x, y) for third in THIRDS):
            continue
        column = ("left", "", "right")[sum(x > third for third in THIRDS)]
        row = ("top", "", "bottom")[sum(y > third for third in THIRDS)]
        answer = f"{row} {column}".strip() or "centre"
        target = f"last frame: {actor.color} {actor.shape}"
        point = cast(tuple[float, float], tuple(box.center))
        plan = Plan("frame", target, None, (point,), "position", frames=(last,))
        yield Query(FAMILY, "end_place", _slots(actor), answer, "word", plan, 1)


def _runs(actor: Actor, why: str) -> list[tuple[int, int]]:
    """First and last frames of stretches in which it is `hidden` or `gone`."""
    runs: list[tuple[int, int]] = []
    for number, reason in enumerate(actor.why):
        if reason != why:
            continue
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs


def _exits(film: Film) -> Iterator[Query]:
    """Whether, when and in which frame a thing leaves, and whether it comes back."""
    if film.story not in ("leave", "return"):
        return
    last = film.frames - 1
    for actor in _starts(film):
        gone = _runs(actor, "gone")
        for_good = bool(gone) and gone[-1][1] == last
        if math.hypot(*_step(actor)) < 0.5 * actor.side and not gone:
            continue
        if gone and last - gone[-1][0] < 2 and for_good:
            continue
        kind = _slots(actor)
        plan = _follow(film, actor, "leaves")
        yield Query(FAMILY, "leaves", kind, "yes" if for_good else "no", "yes_no", plan)
        if gone and gone[0][1] - gone[0][0] >= 2:
            plan = _follow(film, actor, "returns")
            answer = "no" if for_good else "yes"
            yield Query(FAMILY, "returns", kind, answer, "yes_no", plan)
        if for_good:
            yield from _moments(film, actor, gone[-1][0])


def _moments(film: Film, actor: Actor, first: int) -> Iterator[Query]:
    """When it was gone: a part of the clip, or the nearest of three frames."""
    share = first / film.frames
    if min(abs(share - third) for third in THIRDS) > 0.08:
        part = PARTS[sum(share > third for third in THIRDS)]
        plan = _follow(film, actor, "part")
        yield Query(FAMILY, "leaves_part", _slots(actor), part, "word", plan, 1)
    step = max(4, film.frames // 4)
    for place in range(3):
        frames = [first + step * (k - place) for k in range(3)]
        if frames[0] >= 1 and frames[-1] < film.frames + step:
            words = tuple(str(frame) for frame in frames)
            plan = _follow(film, actor, "when", words=words, say="letter")
            slots = {**_slots(actor), **dict(zip("xyz", words, strict=True))}
            yield Query(FAMILY, "leaves_frame", slots, "ABC"[place], "option", plan, 1)


def _hidings(film: Film) -> Iterator[Query]:
    """How often a thing goes behind a post."""
    if film.story != "hide":
        return
    for actor in _starts(film):
        hidden = _runs(actor, "hidden")
        if any(end - start < 1 or end == film.frames - 1 for start, end in hidden):
            continue
        if any(b[0] - a[1] < 3 for a, b in pairwise(hidden)):
            continue
        plan = _follow(film, actor, "hidden")
        yield Query(FAMILY, "hidden", _slots(actor), str(len(hidden)), "number", plan, 1)


def _pace(actor: Actor) -> float:
    seen = [box.center for box in actor.boxes if box is not None]
    return sum(math.dist(a, b) for a, b in pairwise(seen)) / len(seen)


def _races(film: Film) -> Iterator[Query]:
    """Which of the moving things is fastest or slowest."""
    actors = [a for a in film.actors if a.boxes[0] is not None]
    if film.story != "race" or any("gone" in actor.why for actor in actors):
        return
    paces = [_pace(actor) for actor in actors]
    order = sorted(range(len(actors)), key=lambda k: -paces[k])
    names = tuple(actor.color for actor in actors)
    boxes = tuple(cast(Box, actor.boxes[0]) for actor in actors)
    target = ", ".join(f"{a.color} {a.shape}" for a in actors)
    frames = (0, film.frames - 1)
    ends = (("more", order[0], order[1]), ("less", order[-1], order[-2]))
    for say, chosen, next_to in ends:
        pair = sorted((paces[chosen], paces[next_to]))
        if pair[1] < FASTER * pair[0]:
            continue
        plan = Plan(
            "follow", target, field="speed", names=names, boxes=boxes, say=say, frames=frames
        )
        kind = "fastest" if say == "more" else "slowest"
        yield Query(FAMILY, kind, {}, names[chosen], "color", plan, len(actors) - 1)


def _arrivals(film: Film) -> Iterator[Query]:
    """What comes in later, and when."""
    if film.story != "enter":
        return
    last = film.frames - 1
    for actor in film.actors:
        box = actor.boxes[-1]
        if actor.boxes[0] is not None or box is None or not _whole(box, actor):
            continue
        point = cast(tuple[float, float], tuple(box.center))
        for field, kind, seen in (
            ("color", "color", actor.shape),
            ("shape", "word", f"{actor.color} one"),
        ):
            plan = Plan(
                "frame", f"new in the last frame: {seen}", None, (point,), field, frames=(last,)
            )
            answer = str(getattr(actor, field))
            yield Query(FAMILY, f"arrives_{field}", {}, answer, kind, plan, 1)  # type: ignore[arg-type]
        first = next(n for n, b in enumerate(actor.boxes) if b is not None)
        yield from _appearing(film, actor, first)


def _appearing(film: Film, actor: Actor, first: int) -> Iterator[Query]:
    """In which part of the clip a thing appears: seen at a third, at two thirds, or at the end."""
    share = first / film.frames
    if min(abs(share - third) for third in THIRDS) < 0.09:
        return
    frames = (*(round(film.frames * third) for third in THIRDS), film.frames - 1)
    seen = [actor.boxes[frame] for frame in frames]
    if any(box is not None and not _whole(box, actor) for box in seen):
        return
    part = PARTS[sum(share > third for third in THIRDS)]
    shown = [(k, box) for k, box in enumerate(seen) if box is not None]
    names = tuple(str(k) for k, _ in shown[:1])
    points = tuple(cast(tuple[float, float], tuple(box.center)) for _, box in shown[:1])
    target = f"first seen: {actor.color} {actor.shape}"
    plan = Plan("frame", target, None, points, "part", names=names, frames=frames)
    yield Query(FAMILY, "arrives_part", _slots(actor), part, "word", plan, 1)


def _movers(film: Film) -> Iterator[Query]:
    """The only thing that moves."""
    actors = _starts(film)
    moving = [a for a in actors if math.hypot(*_step(a)) > 0.05 * a.side]
    if film.story != "cross" or len(actors) < 2 or len(moving) != 1 or moving[0].boxes[-1] is None:
        return
    (actor,), last = moving, film.frames - 1
    box = moving[0].boxes[-1]
    if not _whole(box, actor):
        return
    point = cast(tuple[float, float], tuple(box.center))
    for field, kind, seen in (
        ("color", "color", actor.shape),
        ("shape", "word", f"{actor.color} one"),
    ):
        plan = Plan(
            "frame", f"moved in the last frame: {seen}", None, (point,), field, frames=(last,)
        )
        answer = str(getattr(actor, field))
        yield Query(FAMILY, f"mover_{field}", {}, answer, kind, plan, 1)  # type: ignore[arg-type]
