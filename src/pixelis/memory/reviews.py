"""What people are asked to look at, and what they said.

A person's word is above a vote: votes on the same question about the same picture that it speaks
against are not learned, however often it was asked, and neither are those that come later.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple, cast

from pixelis.errors import ConfigError
from pixelis.memory.audit import Audit
from pixelis.memory.erase import versions_of
from pixelis.memory.experience import Experience, Status
from pixelis.memory.queue import Queue
from pixelis.memory.store import Memory
from pixelis.memory.words import Word, kind_of, word_of

Verdict = Literal["approve", "correct", "reject"]
VERDICTS = ("approve", "correct", "reject")
# A person's word against a vote's 1; a rejection says only what is wrong, so it counts less.
WEIGHTS = {"approve": 2.0, "correct": 3.0, "reject": -1.0}
DECIDED = ("confirmed", "corrected", "rejected")  # statuses that a person gave
STATUS = {"approve": "confirmed", "correct": "corrected", "reject": "rejected"}
RATE = 1.0  # above any base rate: what a person said is learned at the full one


class Review(NamedTuple):
    """A question to a person; `verdict` is empty while it waits. Times: seconds since 1970."""

    number: int
    experience: str
    reason: str
    verdict: str
    correction: str
    reviewer: str
    born: float
    decided: float | None


_COLUMNS = "number, experience, reason, verdict, correction, reviewer, born, decided"


class Reviews:
    """The queue of a store; decisions are final but can be made again."""

    def __init__(self, memory: Memory, clock: Callable[[], float] | None = None) -> None:
        self.memory, self.base = memory, memory.base
        self.clock = clock or memory.clock
        self.queue = Queue(self.base, self.clock)
        self.audit = Audit(memory.folder, memory.base, self.clock)

    def ask(self, experience: str, reason: str) -> None:
        """Puts an experience before people; once is enough."""
        with self.base.writing() as base:
            base.execute(
                "INSERT OR IGNORE INTO reviews (experience, reason, born) VALUES (?, ?, ?)",
                (experience, reason, self.clock()),
            )

    def hear(self, experience: str, reason: str) -> None:
        """Puts a user's word before reviewers; the latest one stands while it waits.

        Until it is decided no vote on that question is learned. The experience says so itself, as
        `feedback` in its provenance.
        """
        with self.base.writing() as base:
            self.ask(experience, reason)
            base.execute(
                "UPDATE reviews SET reason = ? WHERE experience = ? AND verdict = ''",
                (reason, experience),
            )
            self._withdraw(experience)

    def words(self, one: Experience) -> list[Word]:
        """What people said of an experience, and of the same question about the same picture,
        whatever types of answer it was asked with."""
        marks = ", ".join("?" * len(DECIDED))
        rows = self.base.rows(
            "SELECT id, verdict FROM experiences LEFT JOIN reviews ON experience = id"
            " WHERE (id = ? OR (media = ? AND question = ?))"
            f" AND (status IN ({marks}) OR verdict = '')",
            (one.id, one.media, one.question, *DECIDED),
        )
        found = [(self.memory.get(id), verdict) for id, verdict in rows]
        words = [word_of(other, verdict == "") for other, verdict in found if other is not None]
        return [word for word in words if word is not None]

    def contradicted(self, one: Experience) -> bool:
        """Whether somebody has spoken against the answer of an experience."""
        return any(word.against(one.canonical, kind_of(one)) for word in self.words(one))

    def waiting(self, limit: int = 50) -> list[Review]:
        """What nobody has decided yet, the oldest first."""
        rows = self.base.rows(
            f"SELECT {_COLUMNS} FROM reviews WHERE verdict = '' ORDER BY number LIMIT ?", (limit,)
        )
        return [Review(*row) for row in rows]

    def get(self, number: int) -> Review | None:
        row = self.base.one(f"SELECT {_COLUMNS} FROM reviews WHERE number = ?", (number,))
        return None if row is None else Review(*row)

    def of(self, experience: str) -> Review | None:
        """The review of an experience."""
        row = self.base.one(f"SELECT {_COLUMNS} FROM reviews WHERE experience = ?", (experience,))
        return None if row is None else Review(*row)

    def decide(
        self, number: int, verdict: Verdict, correction: str = "", reviewer: str = ""
    ) -> Review:
        """A person's word: the experience's status changes and the learner hears of it.

        Votes that it speaks against leave the queue. The audit log says who decided, and which
        versions had learned from the experience by then; all of it is one transaction.

        Args:
            correction: the right answer; needed for `correct`, not allowed else.

        Raises:
            ConfigError: no such review or verdict, a correction that is missing or superfluous.
        """
        if verdict not in VERDICTS:
            raise ConfigError(f"verdict {verdict!r}; verdicts are {', '.join(VERDICTS)}")
        if (verdict == "correct") != bool(correction.strip()):
            raise ConfigError("a correction is needed with correct, and with nothing else")
        with self.base.writing():
            review = self.get(number)
            if review is None:
                raise ConfigError(f"there is no review {number}; see: pixelis review list")
            one = self.memory.get(review.experience)
            if one is None:
                raise ConfigError(f"experience {review.experience} is gone")
            self._keep(number, one, verdict, correction, reviewer)
            return self.get(number) or review

    def _keep(
        self, number: int, one: Experience, verdict: Verdict, correction: str, reviewer: str
    ) -> None:
        """Writes a decision down everywhere; call it in a transaction."""
        label, told = one.canonical, dict(one.provenance)
        told.pop("correction", None)
        told.pop("said", None)
        if verdict == "correct":
            hook = self.memory.hook or str
            told["said"] = hook(correction.strip())
            told["correction"] = label = hook(kind_of(one).normal(told["said"]))
        with self.base.writing() as base:
            base.execute(
                "UPDATE reviews SET verdict = ?, correction = ?, reviewer = ?, decided = ?"
                " WHERE number = ?",
                (verdict, label if verdict == "correct" else "", reviewer, self.clock(), number),
            )
        status = cast(Status, STATUS[verdict])
        reward = 1.0 if label == one.canonical and verdict != "reject" else -1.0
        self.memory.revise(replace(one, status=status, reward=reward, provenance=told))
        self.queue.put(one.id, label, WEIGHTS[verdict], RATE, status)
        self._withdraw(one.id)
        self.audit.append(
            "review", reviewer, number=number, experience=one.id, verdict=verdict,
            versions=list(versions_of(self.memory, [one.id])),
        )  # fmt: skip

    def _withdraw(self, experience: str) -> None:
        """Takes the votes that a word speaks against out of the learner's queue."""
        one = self.memory.get(experience)
        if one is None:
            return
        words = self.words(one)
        rows = self.base.rows(
            "SELECT id, label FROM experiences JOIN queue ON experience = id"
            " WHERE source = 'vote' AND (id = ? OR (media = ? AND question = ?))",
            (one.id, one.media, one.question),
        )
        voted = [(self.memory.get(id), label) for id, label in rows]
        self.queue.withdraw(
            [
                other.id
                for other, label in voted
                if other is not None and any(word.against(label, kind_of(other)) for word in words)
            ]
        )

    def counts(self) -> dict[str, int]:
        """How many wait, and how many were decided each way."""
        rows = self.base.rows("SELECT verdict, COUNT(*) FROM reviews GROUP BY verdict")
        found = {str(verdict) or "waiting": int(count) for verdict, count in rows}
        return {name: found.get(name, 0) for name in ("waiting", *VERDICTS)}
