"""How each kind of plan is carried out: which calls, and how the answer follows from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from pixelis.answers.normalize import phrase
from pixelis.answers.score import similarity
from pixelis.answers.types import CANNOT
from pixelis.data.plans import ASKED, Place, Plan
from pixelis.data.solver import Solver
from pixelis.episode import Episode
from pixelis.geometry import Box, Point
from pixelis.media import Video
from pixelis.ops.track import PARTS, loss, stretches

SAME_TEXT = 0.8  # least similarity of what a sign says and what was asked for

MORE = tuple(more for _, more in ASKED.values())

Thing = tuple[str, list[int], bool]


def listed(plan: Plan, point: Callable[[Place], list[int]]) -> list[Thing]:
    """What a `count` plan is about, for `tally`; `point` turns source pixels into 0..1000."""
    return [(name, point(place), place in plan.points) for name, place in plan.among]


def tally(target: str, things: Sequence[Thing]) -> str:
    """The thought before a count: what is asked for, then everything there is, in reading order:
    where, what, and beside it once more what is asked for, with its number or `no`.

    Args:
        target: what is counted, as `Plan.counted`.
        things: name, point in 0..1000 and whether it is asked for, of each.

    To say where the next one is, what it is, and whether two words side by side agree are three
    small steps; to find the next that counts is a large one.
    """
    said, count = [], 0
    for name, (x, y), asked in sorted(things, key=lambda thing: (thing[1][1], thing[1][0])):
        count += asked
        said.append(f"[{x}, {y}] {name}, {target}: {count if asked else 'no'}")
    return f"{target}: {'; '.join(said) or 'none'}"


def unknown(solver: Solver, plan: Plan) -> Episode:
    """Says that it cannot be seen."""
    return solver.answer(CANNOT)


# reading ------------------------------------------------------------------------------------------
def read(solver: Solver, plan: Plan) -> Episode:
    """Reads a box, a label on the page, or signs one after another until one says it."""
    if plan.boxes:
        return _search(solver, plan)
    where = {} if plan.box is None else {"bbox_2d": solver.box(plan.box)}
    if plan.words:
        sought = dict(zip(("find", "column"), plan.words, strict=False))
        solver.act(plan.target, "read_text", **where, **solver.named(), **sought)
        if "value" not in solver.seen.data:
            return solver.answer(CANNOT)
        return solver.answer(f"{{{solver.latest('text')}.value}}")
    solver.act(plan.target, "read_text", **where, **solver.named())
    return solver.answer(solver.line(plan.field))


def _search(solver: Solver, plan: Plan) -> Episode:
    def says(box: Box) -> bool:
        text = str(solver.seen.data.get("text", "")).replace("\n", " ")
        return similarity(phrase(text), phrase(plan.words[0])) >= SAME_TEXT

    return _one_by_one(solver, plan, "read_text", "text", says)


def seek(solver: Solver, plan: Plan) -> Episode:
    """Zooms into one part after another until one shows what is looked for."""
    mark = Point(*plan.points[0])
    return _one_by_one(solver, plan, "zoom_in", "crop", lambda box: box.contains(mark))


def _one_by_one(
    solver: Solver, plan: Plan, op: str, handle: str, shows: Callable[[Box], bool]
) -> Episode:
    """Looks at the plan's boxes until `shows` says that the one just looked at is it."""
    again = ""
    for name, box in zip(plan.names, plan.boxes, strict=True):
        thought = f"{plan.asked}? {again}{name} sign"
        solver.act(thought, op, bbox_2d=solver.box(box), **solver.named())
        if shows(box):
            return solver.answer(f"{name} [{solver.latest(handle)}]", f"{plan.asked}? yes")
        again = "no, "
    return solver.answer(CANNOT, f"{plan.asked}? no")


def label(solver: Solver, plan: Plan) -> Episode:
    """Finds a label by reading, then measures what stands above it."""
    solver.act(plan.target, "read_text", find=plan.words[0])
    if "found" not in solver.seen.data:
        return solver.answer(CANNOT)
    return _measured(solver, plan, plan.points[0], "above it")


# measuring ----------------------------------------------------------------------------------------
def _zoomed(solver: Solver, plan: Plan) -> int:
    """The image to go on with: a zoom to the plan's box when it has one."""
    if plan.box is not None:
        solver.act(plan.target, "zoom_in", bbox_2d=solver.box(plan.box), **solver.named())
        solver.image = len(solver.workspace.images) - 1
    return solver.image


def count(solver: Solver, plan: Plan) -> Episode:
    """Names everything and numbers what was asked for."""
    image = _zoomed(solver, plan)
    cite = f" [{solver.latest('crop')}]" if image else ""
    thought = tally(plan.counted, listed(plan, solver.viewed(image)))
    return solver.answer(f"{len(plan.points)}{cite}", thought)


def measure(solver: Solver, plan: Plan) -> Episode:
    """Outlines one thing and measures it."""
    image = _zoomed(solver, plan)
    thought = plan.led(solver.viewed(image))
    return _measured(solver, plan, plan.points[0], thought, solver.hinted(plan.points[0]), image)


def _measured(
    solver: Solver,
    plan: Plan,
    place: Place,
    thought: str,
    point: list[int] | None = None,
    image: int = 0,
) -> Episode:
    spot = point or solver.point(place, image)
    found = solver.act(thought, "segment_object_at", point_2d=spot, **solver.named(image))
    if not found or solver.seen.handle is None:
        return solver.answer(CANNOT)
    mask = solver.latest("mask")
    solver.act("", "get_properties", mask=mask)
    return solver.answer(f"{{{mask}.{plan.field}}}")


def _outline(solver: Solver, place: Place, thought: str, first: bool) -> str | None:
    """The mask of the thing there; None when nothing stands out."""
    if solver.detour is not None and not first:
        solver.visible &= solver.detour(place)
        thought = solver.task.plan.opening
    spot = solver.hinted(place) or solver.point(place, solver.image)
    found = solver.act(thought, "segment_object_at", point_2d=spot, **solver.named())
    return solver.latest("mask") if found and solver.seen.handle else None


def compare(solver: Solver, plan: Plan) -> Episode:
    """Outlines both and asks how the first's size stands to the second's."""
    if plan.field == "area_px":
        return _covers(solver, plan)
    word, masks = _beside(solver, plan, "size", plan.field)
    if word is None:
        return solver.answer(CANNOT)
    said = decided(plan, word in MORE)
    return solver.answer(f"{said} [{', '.join(masks)}]", f"{plan.asked}? {word}")


def _covers(solver: Solver, plan: Plan) -> Episode:
    """Outlines both and compares the pixels that they are told to have."""
    areas, masks = [], []
    for number, place in enumerate(plan.points):
        mask = _outline(solver, place, "" if number else plan.opening, not number)
        if mask is None:
            return solver.answer(CANNOT)
        areas.append(int(solver.seen.data["area_px"]))
        masks.append(mask)
    sign = ">" if areas[0] > areas[1] else "<"
    said = decided(plan, areas[0] > areas[1])
    thought = f"{plan.asked}? {areas[0]} {sign} {areas[1]} px"
    return solver.answer(f"{said} [{', '.join(masks)}]", thought)


def _beside(
    solver: Solver, plan: Plan, measure: str, field: str
) -> tuple[str | None, Sequence[str]]:
    """The word for how the first thing stands to the second, and the masks of both."""
    masks: list[str] = []
    for number, place in enumerate(plan.points):
        mask = _outline(solver, place, "" if number else plan.opening, not number)
        if mask is None:
            return None, masks
        masks.append(mask)
    solver.act("", "get_properties", mask=masks[0], other=masks[1], properties=[measure])
    return str(solver.seen.data["beside"][field]), masks


def decided(plan: Plan, more: bool) -> str:
    """The answer when the first has `more` of it than the second."""
    if plan.say.startswith("yes_"):
        return "yes" if more == (plan.say == "yes_more") else "no"
    words = plan.words if plan.say == "words" else plan.names
    wants_first = (not more) if plan.say == "words" else more == (plan.say == "more")
    return words[not wants_first]


def side(solver: Solver, plan: Plan) -> Episode:
    """Outlines both and asks on which side of the second the first lies."""
    word, masks = _beside(solver, plan, "position", plan.field)
    if word is None:
        return solver.answer(CANNOT)
    said = decided(plan, word in MORE)
    return solver.answer(f"{said} [{', '.join(masks)}]", f"{plan.asked}? {word}")


def same(solver: Solver, plan: Plan) -> Episode:
    """Outlines both and asks whether they are alike."""
    word, masks = _beside(solver, plan, plan.field, plan.field)
    if word is None:
        return solver.answer(CANNOT)
    verdict = "yes" if word.startswith("same") else "no"
    return solver.answer(f"{verdict} [{', '.join(masks)}]", f"{plan.asked}? {word}")


# clips --------------------------------------------------------------------------------------------
def frame(solver: Solver, plan: Plan) -> Episode:
    """Looks at the last frame, or at four of them, and measures a thing in it."""
    if plan.field != "part":
        solver.act(plan.target, "select_frames", frames=[-1])
        return _measured(solver, plan, plan.points[0], "", image=solver.seen.data["images"][-1])
    solver.act(plan.target, "select_frames", count=len(PARTS) + 1)
    first = int(plan.names[0])  # of a third, two thirds and the end; image 1 is the beginning
    image = solver.seen.data["images"][first + 1]
    spot = solver.point(plan.points[0], image)
    solver.act(f"first seen in image {image}", "segment_object_at", point_2d=spot, image=image)
    if solver.seen.handle is None:
        return solver.answer(CANNOT)
    return solver.answer(f"{PARTS[first]} [{solver.latest('mask')}]")


def follow(solver: Solver, plan: Plan) -> Episode:
    """Follows one thing, or several one after another, and says what was asked of the tracks."""
    tracks: list[dict[str, Any]] = []
    names: list[str] = []
    for number, box in enumerate(plan.boxes):
        thought = "" if number else plan.opening
        if not solver.act(thought, "track_object", bbox_2d=solver.box(box), **_ends(solver, plan)):
            return solver.answer(CANNOT)
        tracks.append(dict(solver.seen.data))
        names.append(solver.latest("track"))
    if plan.field == "direction":
        return solver.answer(f"{{{names[0]}.direction}}", f"{plan.asked}?")
    if plan.field == "speed":
        return _fastest(solver, plan, tracks, names)
    said, thought = _told(plan, tracks[0], plan.frames[1] + 1)
    return solver.answer(f"{said} [{names[0]}]", f"{plan.asked}? {thought}")


def _ends(solver: Solver, plan: Plan) -> dict[str, int]:
    """First and last frame of the plan; nothing when they are those of the video."""
    media = solver.workspace.media
    if not isinstance(media, Video) or plan.frames == (0, media.frames - 1):
        return {}
    return {"start_frame": plan.frames[0], "end_frame": plan.frames[1]}


def _fastest(
    solver: Solver, plan: Plan, tracks: Sequence[dict[str, Any]], names: Sequence[str]
) -> Episode:
    speeds = [float(track["mean_speed_px_per_frame"]) for track in tracks]
    chosen = speeds.index(max(speeds) if plan.say == "more" else min(speeds))
    return solver.answer(f"{plan.names[chosen]} [{', '.join(names)}]", f"{plan.asked}?")


def _told(plan: Plan, track: dict[str, Any], frames: int) -> tuple[str, str]:
    """The answer about one track, and the thought before it: words the observation has."""
    if plan.field == "moves":
        return ("no" if track["direction"] == "still" else "yes"), str(track["direction"])
    lost, found = stretches(track["lost"]), list(track["found"])
    seen_last = found[-1] if found else -1
    thought = loss(track["lost"], found, 0, frames)
    if plan.field == "leaves":
        return ("yes" if "gone" in thought else "no"), thought
    if plan.field == "returns":
        return ("yes" if any(end < seen_last for _, end in lost) else "no"), thought
    if plan.field == "hidden":
        return str(sum(end < frames - 1 for _, end in lost)), thought
    gone = seen_last + 1
    if plan.field == "part":
        return PARTS[min(3 * gone // frames, 2)], thought
    near = min(range(len(plan.words)), key=lambda k: abs(int(plan.words[k]) - gone))
    return "ABC"[near], f"gone from {gone}"


SOLUTIONS: dict[str, Callable[[Solver, Plan], Episode]] = {
    "unknown": unknown,
    "read": read,
    "seek": seek,
    "label": label,
    "count": count,
    "measure": measure,
    "compare": compare,
    "side": side,
    "same": same,
    "frame": frame,
    "follow": follow,
}
