"""What people are asked to look at, and what they said."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, cast

from pixelis.answers import ANSWER_TYPES, AnswerType, canonical
from pixelis.errors import ConfigError
from pixelis.memory.queue import Queue
from pixelis.memory.store import Memory

Verdict = Literal["approve", "correct", "reject"]
VERDICTS = ("approve", "correct", "reject")
# A person's word against a vote's 1; a rejection says only what is wrong, so it counts less.
WEIGHTS = {"approve": 2.0, "correct": 3.0, "reject": -1.0}
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

    def ask(self, experience: str, reason: str) -> None:
        """Puts an experience before people; once is enough."""
        with self.base.writing() as base:
            base.execute(
                "INSERT OR IGNORE INTO reviews (experience, reason, born) VALUES (?, ?, ?)",
                (experience, reason, self.clock()),
            )

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

        Args:
            correction: the right answer; needed for `correct`, not allowed else.

        Raises:
            ConfigError: no such review or verdict, a correction that is missing or superfluous.
        """
        review = self.get(number)
        if review is None:
            raise ConfigError(f"there is no review {number}; see: pixelis review list")
        if verdict not in VERDICTS:
            raise ConfigError(f"verdict {verdict!r}; verdicts are {', '.join(VERDICTS)}")
        if (verdict == "correct") != bool(correction.strip()):
            raise ConfigError("a correction is needed with correct, and with nothing else")
        one = self.memory.get(review.experience)
        if one is None:
            raise ConfigError(f"experience {review.experience} is gone")
        label = one.canonical
        if verdict == "correct":
            label = normal(self.memory.hook(correction) if self.memory.hook else correction, one)
        reward = 1.0 if label == one.canonical and verdict != "reject" else -1.0
        with self.base.writing() as base:
            base.execute(
                "UPDATE reviews SET verdict = ?, correction = ?, reviewer = ?, decided = ?"
                " WHERE number = ?",
                (verdict, label if verdict == "correct" else "", reviewer, self.clock(), number),
            )
            base.execute(
                "UPDATE experiences SET status = ?, reward = ? WHERE id = ?",
                (STATUS[verdict], reward, one.id),
            )
            Queue(self.base, self.clock).put(
                one.id, label, WEIGHTS[verdict], RATE, f"{STATUS[verdict]}"
            )
        return self.get(number) or review

    def counts(self) -> dict[str, int]:
        """How many wait, and how many were decided each way."""
        rows = self.base.rows("SELECT verdict, COUNT(*) FROM reviews GROUP BY verdict")
        found = {str(verdict) or "waiting": int(count) for verdict, count in rows}
        return {name: found.get(name, 0) for name in ("waiting", *VERDICTS)}


def normal(answer: str, like: object) -> str:
    """The normal form of an answer to the question of an experience."""
    kind = getattr(like, "answer_type", "")
    return canonical(answer, cast(AnswerType, kind if kind in ANSWER_TYPES else "word"))
