"""The learner's queue: what the gate let through, leased and acknowledged, never lost.

A ticket is leased by the name of one run of the learner. A run that starts takes back what runs
before it held; no clock is needed for that, since a lock allows one learner at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from pixelis.memory.base import Base

MOST_ATTEMPTS = 3  # leases of one ticket that may end in a crash


class Ticket(NamedTuple):
    """One experience to learn from.

    Attributes:
        label: normal form of the answer to learn; of the wrong one when `weight` is negative.
        weight: how much it counts; a person's word counts more than a vote.
        rate: learning rate that the gate chose.
        source: `vote`, `approved`, `corrected`, `rejected` or `replay`.
    """

    number: int
    experience: str
    label: str
    weight: float
    rate: float
    source: str
    attempts: int


class Queue:
    """Tickets in the order in which they came."""

    def __init__(self, base: Base, clock: Callable[[], float]) -> None:
        self.base, self.clock = base, clock

    def put(self, experience: str, label: str, weight: float, rate: float, source: str) -> None:
        """Queues an experience; a later word about the same one takes the place of the first."""
        with self.base.writing() as base:
            base.execute("DELETE FROM queue WHERE experience = ?", (experience,))
            base.execute(
                "INSERT INTO queue (experience, label, weight, rate, source, born)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (experience, label, weight, rate, source, self.clock()),
            )
            base.execute(
                "UPDATE experiences SET status = 'queued' WHERE id = ? AND status = 'stored'",
                (experience,),
            )

    def lease(self, owner: str, most: int) -> list[Ticket]:
        """Takes up to `most` free tickets for a run; one that crashed runs thrice is left out."""
        with self.base.writing() as base:
            rows = base.execute(
                "SELECT number, experience, label, weight, rate, source, attempts FROM queue"
                " WHERE owner = '' AND attempts < ? ORDER BY number LIMIT ?",
                (MOST_ATTEMPTS, most),
            ).fetchall()
            base.executemany(
                "UPDATE queue SET owner = ?, leased = ?, attempts = attempts + 1 WHERE number = ?",
                [(owner, self.clock(), row[0]) for row in rows],
            )
        leased = (Ticket(*row) for row in rows)
        return [ticket._replace(attempts=ticket.attempts + 1) for ticket in leased]

    def acknowledge(self, tickets: Sequence[Ticket]) -> None:
        """They are learned from, or will never be: out of the queue."""
        with self.base.writing() as base:
            base.executemany("DELETE FROM queue WHERE number = ?", [(t.number,) for t in tickets])

    def give_back(self, tickets: Sequence[Ticket]) -> None:
        """They were not used after all; this is no failed attempt."""
        with self.base.writing() as base:
            base.executemany(
                "UPDATE queue SET owner = '', leased = NULL, attempts = attempts - 1"
                " WHERE number = ?",
                [(t.number,) for t in tickets],
            )

    def overruled(self, tickets: Sequence[Ticket]) -> list[Ticket]:
        """Leased ones that were taken out since, or in whose place another answer came.

        A later word with the same answer overrules nothing, and neither does an experience that
        is gone.
        """
        found = []
        for ticket in tickets:
            row = self.base.one(
                "SELECT number, label, weight FROM experiences LEFT JOIN queue ON experience = id"
                " WHERE id = ?",
                (ticket.experience,),
            )
            if row is None or row[0] == ticket.number:
                continue
            number, label, weight = row
            same = number is not None and label == ticket.label
            if not (same and (weight > 0) == (ticket.weight > 0)):
                found.append(ticket)
        return found

    def withdraw(self, experiences: Sequence[str]) -> None:
        """Takes votes on these out; what people said of them stays."""
        ids = [(one,) for one in experiences]
        with self.base.writing() as base:
            base.executemany("DELETE FROM queue WHERE experience = ? AND source = 'vote'", ids)
            base.executemany(
                "UPDATE experiences SET status = 'stored' WHERE id = ? AND status = 'queued'", ids
            )

    def reclaim(self, owner: str) -> int:
        """Frees what other runs than `owner` hold; gives how many. Only for who has the lock."""
        with self.base.writing() as base:
            done = base.execute(
                "UPDATE queue SET owner = '', leased = NULL WHERE owner NOT IN ('', ?)", (owner,)
            )
            return done.rowcount

    def sizes(self) -> dict[str, int]:
        """How many wait, are leased, and failed too often."""
        row = self.base.one(
            "SELECT COALESCE(SUM(owner = '' AND attempts < ?), 0),"
            " COALESCE(SUM(owner != ''), 0), COALESCE(SUM(owner = '' AND attempts >= ?), 0)"
            " FROM queue",
            (MOST_ATTEMPTS, MOST_ATTEMPTS),
        )
        return dict(zip(("waiting", "leased", "failed"), row or (0, 0, 0), strict=True))
