"""What the episodes of a step were like, as sums that processes can add up."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pixelis.episode import Episode
from pixelis.rewards import Scored, found, looks, means, telling, used


@dataclass
class Tally:
    """Sums over episodes.

    Attributes:
        looked: episodes that used operations (see `rewards.calls.used`).
        calls: of which `failed` gave an error, `found` brought something and `told` something new.
        answered: episodes that ended with an answer.
        tokens: that the model wrote.
        ops: calls by operation, `unread` for those that could not be read.
        rewards: sums of every term and of the reward.
    """

    groups: int = 0
    episodes: int = 0
    looked: int = 0
    calls: int = 0
    failed: int = 0
    found: int = 0
    told: int = 0
    answered: int = 0
    tokens: int = 0
    ops: Counter[str] = field(default_factory=Counter)
    rewards: Counter[str] = field(default_factory=Counter)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {**vars(self), "ops": dict(self.ops), "rewards": dict(self.rewards)}

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Tally:
        """What `to_dict` gave."""
        counters = {name: Counter(record[name]) for name in ("ops", "rewards")}
        return cls(**{**record, **counters})

    @classmethod
    def sum(cls, parts: Iterable[Tally]) -> Tally:
        """All of them together."""
        total = cls()
        for part in parts:
            for item in dataclasses.fields(cls):
                name = item.name
                if name in ("ops", "rewards"):
                    getattr(total, name).update(getattr(part, name))
                else:
                    setattr(total, name, getattr(total, name) + getattr(part, name))
        return total

    def values(self) -> dict[str, Any]:
        """As they stand in `metrics.jsonl`: means per episode, shares of calls."""
        episodes, calls = max(self.episodes, 1), max(self.calls, 1)
        return {
            "rapr": self.looked / episodes,
            "ops_per_episode": self.calls / episodes,
            "op_success": (self.calls - self.failed) / calls if self.calls else 1.0,
            "found_calls": self.found / calls,
            "wasted_calls": (self.calls - self.told) / calls,
            "answered": self.answered / episodes,
            "written": self.tokens / episodes,
            **{name: value / episodes for name, value in sorted(self.rewards.items())},
            "ops": {name: count / episodes for name, count in sorted(self.ops.items())},
        }


def tally(groups: Sequence[Sequence[Episode]], scored: Sequence[Sequence[Scored]]) -> Tally:
    """The sums of these groups."""
    total = Tally(groups=len(groups))
    for group, marks in zip(groups, scored, strict=True):
        for episode in group:
            _count(total, episode)
        for name, value in means(marks).items():
            total.rewards[name] += value * len(group)  # type: ignore[assignment]
    return total


def _count(total: Tally, episode: Episode) -> None:
    seen = looks(episode)
    total.episodes += 1
    total.looked += used(episode)
    total.calls += len(seen)
    total.failed += sum(look.seen.error is not None for look in seen)
    total.found += sum(found(look.seen) for look in seen)
    total.told += sum(telling(episode))
    total.answered += episode.ended == "answered"
    total.tokens += sum(step.tokens for step in episode.steps)
    total.ops.update(look.call.op if look.call is not None else "unread" for look in seen)
