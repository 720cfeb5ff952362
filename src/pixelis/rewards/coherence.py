"""The coherence term: calls that build on what was seen, and none that go in circles.

Every call after the first counts, and so does what the answer says of them:

    +1  it uses a handle that an earlier call made, or looks inside what one showed, closer; and
        the answer rests on it
    -1  it asks for the same again, at once or after going elsewhere (zig-zag)
    -1  it names a handle that nothing made; or the answer refers to one, or says that it cannot
        tell while it cites what was found
     0  otherwise: a new place is neither, so two objects may be compared one after the other

The term is the mean over the calls after the first, in [-1, 1]. A chain on which the answer does
not rest earns nothing, however well it hangs together: else every question would get one.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from pixelis.episode import Episode
from pixelis.rewards.calls import Look, alike, found, looks, names

HANDLE = re.compile(r"[a-z]+_\d{1,4}\Z")
CLOSER = 0.8  # share of the earlier region's area that a closer look may have at most
Kind = Literal["new", "follows", "repeat", "zigzag", "contradicts"]
VALUES = {"new": 0.0, "follows": 1.0, "repeat": -1.0, "zigzag": -1.0, "contradicts": -1.0}


class Judged(NamedTuple):
    """One call: what kind of step it is, and whether the answer rests on it."""

    kind: Kind
    rests: bool


def coherence(episode: Episode) -> float:
    """How well the episode's calls hang together, in [-1, 1]; 0 for at most one call."""
    judged = judge(episode)
    total = sum(VALUES[one.kind] for one in judged if VALUES[one.kind] < 0 or one.rests)
    total += _contradiction(episode)
    return max(-1.0, min(1.0, total / max(len(judged) - 1, 1)))


def judge(episode: Episode) -> list[Judged]:
    """What each call of the episode is, in order."""
    seen = looks(episode)
    resting = _rests(episode, seen)
    return [Judged(_kind(seen, i), resting[i]) for i in range(len(seen))]


def _kind(seen: list[Look], index: int) -> Kind:
    look, earlier = seen[index], seen[:index]
    if earlier and alike(look, earlier[-1]):
        return "repeat"
    if any(alike(look, one) for one in earlier):
        return "zigzag"
    made = {one.seen.handle for one in earlier}
    if look.call is not None and _strange(look, made):
        return "contradicts"
    return "follows" if _follows(look, earlier) else "new"


def _strange(look: Look, made: set[str | None]) -> bool:
    """Whether it names a handle that no earlier call made."""
    assert look.call is not None
    words = [value for value in look.call.arguments.values() if isinstance(value, str)]
    return any(HANDLE.match(word) and word not in made for word in words)


def _follows(look: Look, earlier: list[Look]) -> bool:
    """Whether it goes on from something found earlier, and brought something itself."""
    if not found(look.seen):
        return False
    for one in earlier:
        if not found(one.seen):
            continue
        if one.seen.handle is not None and names(look.call, one.seen.handle):
            return True
        if _inside(look, one):
            return True
    return False


def _inside(look: Look, outer: Look) -> bool:
    """Whether it looks at a part of what `outer` looked at."""
    if look.region is None or outer.region is None or look.frame != outer.frame:
        return False
    if look.region.area > CLOSER * outer.region.area:
        return False
    return look.region.intersect(outer.region).area >= 0.95 * look.region.area > 0


def _rests(episode: Episode, seen: list[Look]) -> list[bool]:
    """Which calls the answer rests on: those it cites, and those that led to them."""
    cited = set(episode.answer.evidence) if episode.answer is not None else set()
    marks = [look.seen.handle in cited and found(look.seen) for look in seen]
    for index in reversed(range(len(seen))):
        later = [seen[other] for other in range(index + 1, len(seen)) if marks[other]]
        if not marks[index] and found(seen[index].seen):
            marks[index] = any(_led(seen[index], one) for one in later)
    return marks


def _led(look: Look, later: Look) -> bool:
    handle = look.seen.handle
    return (handle is not None and names(later.call, handle)) or _inside(later, look)


def _contradiction(episode: Episode) -> float:
    """-1 when the answer does not fit what was found, else 0."""
    given = episode.answer
    if given is None:
        return 0.0
    unknown = episode.meta.get("unknown_references")
    return -1.0 if unknown or (not given.known and given.evidence) else 0.0
