"""The learner: leases what the gate let through, updates, examines, promotes or rolls back.

It decides nothing about weights itself: a trainer does updates and writes folders, an examiner
asks the canary's questions. Tickets are acknowledged in the transaction that decides about the
version they went into; a crash before that gives all of them back.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from pixelis.errors import ConfigError, StoreError
from pixelis.evolve.canary import Bands, rotate, told
from pixelis.memory import Experience, Memory
from pixelis.memory.queue import Queue, Ticket
from pixelis.online.exam import Mark, health
from pixelis.online.settings import EvolveConfig
from pixelis.online.versions import Version, Versions
from pixelis.sequential import Sequential

Event = Literal["idle", "learned", "promoted", "rolled-back", "overtaken"]
Which = Literal["candidate", "promoted"]
LEAST = 100  # canary questions before a promotion
CHUNK = 40  # canary questions asked before looking at the test
PATIENCE_S = 3.0  # wait for a whole batch before taking what there is
log = logging.getLogger(__name__)


class Lesson(NamedTuple):
    """An experience with what is to be learned from it."""

    ticket: Ticket
    experience: Experience
    media: bytes | None


class Trainer(Protocol):
    """What changes weights."""

    def learn(self, lessons: Sequence[Lesson]) -> Mapping[str, Any]:
        """One update; gives figures, plain JSON values."""
        ...

    def using(self, which: Which) -> AbstractContextManager[None]:
        """Wears what would be published, or what is promoted, inside the block."""
        ...

    def write(self, folder: Path) -> None:
        """Writes what would be published."""
        ...

    def settle(self, promoted: bool) -> None:
        """What would be published is promoted now, or is forgotten."""
        ...


class Asker(Protocol):
    """What asks the canary's questions."""

    @property
    def ids(self) -> Sequence[str]: ...
    def look(self, ids: Sequence[str]) -> list[Mark]: ...


class Learner:
    """One run of the learner; its caller holds the store's learner lock.

    Args:
        asker: asks the canary's questions; None only with `canaries` off.
        name: of this run, different for each.
        start: version that the trainer has begun from; default: the one promoted now.
    """

    def __init__(
        self,
        memory: Memory,
        trainer: Trainer,
        asker: Asker | None,
        config: EvolveConfig,
        name: str,
        start: int | None = None,
    ) -> None:
        if asker is None and config.canaries:
            raise ConfigError("the canary is on and nobody asks its questions; give an asker")
        self.memory, self.trainer, self.asker = memory, trainer, asker
        self.config, self.name = config, name
        self.queue = Queue(memory.base, memory.clock)
        self.versions = Versions(memory, "learner")
        self.queue.reclaim(name)
        self._start = self.versions.promoted if start is None else start
        self._held: list[Ticket] = []
        self._figures: list[Mapping[str, Any]] = []
        self._marks: dict[str, Mark] = {}  # of the promoted version, by question
        self._marked = self.versions.promoted
        self._waiting_since: float | None = None

    def step(self) -> Event:
        """Does the next thing; `idle` when there is nothing to do yet."""
        tickets = self._take()
        if not tickets:
            return self.publish() if self._held and self._waited() else "idle"
        lessons = self._lessons(tickets)
        self._held += tickets
        if lessons:
            self._figures.append(self.trainer.learn(lessons))
        self._waiting_since = None
        full = len(self._held) >= self.config.updates * self.config.batch
        return self.publish() if full else "learned"

    def publish(self) -> Event:
        """Makes a version of what was learned, and promotes it or takes it back."""
        tickets, figures = self._held, self._figures
        self._held, self._figures = [], []
        if not any(one.get("used") for one in figures):
            self.queue.acknowledge(tickets)  # nothing in them that changes anything
            return "idle"
        # What was learned began from another version than the one that answers now, or people
        # spoke against it: the canary need not be asked.
        if self.versions.promoted != self._start or self.queue.overruled(tickets):
            self.queue.give_back(tickets)
            self.trainer.settle(False)
            return "overtaken"
        parent = self._start
        ids = [ticket.experience for ticket in tickets]
        version = self.versions.add(self.trainer.write, parent, ids, {"updates": list(figures)})
        passed, found = self.examine(version.number)
        with self.memory.writing():
            event = self._decide(version, tickets, passed, found)
            if event == "overtaken":
                self.queue.give_back(tickets)
            else:
                self.queue.acknowledge(tickets)
        self.trainer.settle(event == "promoted")
        if event == "promoted":
            self._marked = self._start = version.number
        elif passed:  # what was measured is the candidate's, which nobody wears
            self._marks = {}
        return event

    def _decide(
        self, version: Version, tickets: Sequence[Ticket], passed: bool, found: dict[str, Any]
    ) -> Event:
        """Promotes a candidate or takes it back, by the canary and by what happened meanwhile.

        It was compared with its parent: where somebody has promoted or rolled back another one
        since, that says nothing of the candidate, and it is set aside. So it is where a person
        has spoken against something that it learned from.
        """
        number, figures = version.number, {"canary": found}
        if self.versions.get(number).state == "rolled-back":  # by hand, with its parent perhaps
            return "rolled-back"
        if self.versions.promoted != version.parent:
            self.versions.set_aside(number, "another version was promoted meanwhile", figures)
            return "overtaken"
        if gone := self.versions.erased(number):
            passed, found["why"] = False, f"{len(gone)} experiences it learned from were erased"
        elif against := self.queue.overruled(tickets):
            reason = f"people spoke against {len(against)} answers it learned from"
            self.versions.set_aside(number, reason, figures)
            return "overtaken"
        if not passed:
            self.versions.roll_back(number, found["why"], figures)
            return "rolled-back"
        self.versions.promote(number, "no worse than the version before", figures)
        self._learned(self.versions.lineage(number))
        return "promoted"

    def examine(self, turn: int) -> tuple[bool, dict[str, Any]]:
        """The canary: whether the candidate may be promoted, and what was measured."""
        asker = self.asker
        if not self.config.canaries or asker is None:
            return True, {"why": "canary is off"}
        if self._marked != self.versions.promoted:
            self._marks, self._marked = {}, self.versions.promoted
        share = min(1.0, self.config.canary_size / len(asker.ids))
        ids = rotate(asker.ids, turn, share)
        test = Sequential(self.config.margin, least=min(LEAST, len(ids)))
        fresh: dict[str, Mark] = {}
        for start in range(0, len(ids), CHUNK):
            part = ids[start : start + CHUNK]
            with self.trainer.using("candidate"):
                fresh |= dict(zip(part, asker.look(part), strict=True))
            if missing := [name for name in part if name not in self._marks]:
                with self.trainer.using("promoted"):
                    self._marks |= dict(zip(missing, asker.look(missing), strict=True))
            for name in part:
                test = test.observe(float(fresh[name].right) - float(self._marks[name].right))
            if test.verdict != "open":
                break
        before = health([self._marks[name] for name in fresh])
        after = health(list(fresh.values()))
        problems = Bands().problems(before, after)
        if test.verdict != "no_worse":
            lost = f"accuracy changed by {test.mean:+.3f} on {test.n} questions"
            problems.insert(0, f"canary {test.verdict}: {lost}")
        found = {
            **told(test), "before": before._asdict(), "after": after._asdict(),
            "why": "; ".join(problems),
        }  # fmt: skip
        if not problems:
            self._marks = fresh  # the candidate is what the next one is compared with
        return not problems, found

    def close(self) -> None:
        """Gives back what was leased and went into no version."""
        self.queue.give_back(self._held)
        self._held = []

    def _take(self) -> list[Ticket]:
        """A batch, or after some patience what there is of one."""
        waiting = self.queue.sizes()["waiting"]
        if waiting == 0:
            return []
        if waiting < self.config.batch and not self._waited():
            return []
        return self.queue.lease(self.name, self.config.batch)

    def _waited(self) -> bool:
        now = self.memory.clock()
        if self._waiting_since is None or self._waiting_since > now:  # or the clock went back
            self._waiting_since = now
        return now - self._waiting_since >= PATIENCE_S

    def _lessons(self, tickets: Sequence[Ticket]) -> list[Lesson]:
        """What can be learned from; not erased, quarantined or damaged experiences."""
        found = []
        for ticket in tickets:
            try:
                one = self.memory.get(ticket.experience)
                if one is None or one.status == "quarantined" or not ticket.label:
                    continue
                media = None if one.media is None else self.memory.picture(one.media)
            except StoreError as error:  # it would end the learner, and take its batch along
                log.warning("left out: %s", error)
                continue
            found.append(Lesson(ticket, one, media))
        return found

    def _learned(self, ids: Sequence[str]) -> None:
        with self.memory.writing() as base:
            base.executemany(
                "UPDATE experiences SET status = 'learned' WHERE id = ? AND status = 'queued'",
                [(one,) for one in ids],
            )
