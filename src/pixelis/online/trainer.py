"""What the learner trains: the agent's own episodes on lessons and replay, by votes as labels."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from pixelis.agent import Agent, Rollout, Task
from pixelis.data import tasks
from pixelis.evolve import guardrails
from pixelis.evolve.vote import tally
from pixelis.models.policy import Sampling
from pixelis.online.answering import Asking, ballot, blank
from pixelis.online.exam import FAMILIES
from pixelis.online.learner import Lesson, Which
from pixelis.online.settings import EvolveConfig
from pixelis.online.update import Group, PolicyGradient
from pixelis.online.wear import Wearer
from pixelis.training.adapters import lora, save_adapters

REPLAY_SEED = 20270318  # of replayed questions of the worlds; never those of the canary


class Item(NamedTuple):
    """A question to practise: its label in normal form, and how much it counts."""

    asking: Asking
    label: str
    weight: float
    voted: bool


class AdapterTrainer:
    """Trains adapters of an agent of its own.

    Args:
        agent: used for episodes; its policy's weights must be here.
        config: of the service.
        start: folder of the promoted version, None for version 0.
        base: what the adapters are for, as `--model` names it; written into their folder.
    """

    def __init__(
        self, agent: Agent, config: EvolveConfig, start: Path | None, seed: int = 0
    ) -> None:
        self.agent, self.config = agent, config
        self.wearer = Wearer(agent.policy)
        if start is None:
            self.wearer.begin(lora(agent.policy.model, config.rank))  # type: ignore[attr-defined]
        else:
            self.wearer.wear(start, 1)
        self.update = PolicyGradient(self.wearer, config)
        self.rng = np.random.default_rng([seed, config.seed])
        self._round = 0

    def learn(self, lessons: Sequence[Lesson]) -> dict[str, Any]:
        """One update on lessons and replay; see `Trainer`."""
        items = [item for lesson in lessons if (item := _item(lesson))]
        replayed = self._replay(math.ceil(len(items) * self.config.replay))
        self._round += 1
        rollouts = self._practise([*items, *replayed])
        groups, flips, seen = [], 0, 0
        for item, mine in zip([*items, *replayed], rollouts, strict=True):
            ballots = [ballot(item.asking, r.episode, n + 1) for n, r in enumerate(mine)]
            if item.voted:
                winner = tally(ballots).canonical
                seen += 1
                flips += winner != item.label
                if winner != item.label:
                    continue  # the vote does not hold: no label
            sign = -1.0 if item.weight < 0 else 1.0
            rewards = [sign * float(one.canonical == item.label) for one in ballots]
            groups.append(Group(mine, rewards, item.weight))
        rates = [lesson.ticket.rate for lesson in lessons]
        rate = self._rate(rates) * guardrails.flip_scale(flips, seen)
        figures = self.update.step(groups, rate) if rate > 0 else None
        if figures is not None and figures.tokens and not figures.used:
            self.update.retreat()
        told = {"flips": flips, "asked": seen, "replayed": len(replayed), "rate": rate}
        return {"used": False, **told, **(figures._asdict() if figures else {})}

    @contextmanager
    def using(self, which: Which) -> Iterator[None]:
        """Wears the published candidate or the promoted version inside the block."""
        mine = self.wearer.state()
        self.wearer.load(self._published() if which == "candidate" else dict(self.update.anchor))
        try:
            yield
        finally:
            self.wearer.load(mine)

    def write(self, folder: Path) -> None:
        """Writes the published candidate as a folder of adapters."""
        with self.using("candidate"):
            policy: Any = self.agent.policy
            base = self.config.model.removeprefix("hf:")
            save_adapters(self.wearer.wrapped, folder, base, policy.profile)

    def settle(self, promoted: bool) -> None:
        """Goes on after a decision about the candidate.

        Promoted: the candidate is the new anchor, and learning goes on from the newest weights,
        which the average follows over the next versions. Else all goes back to the anchor.
        """
        if promoted:
            self.update.anchor = self._published()
        else:
            self.wearer.load(dict(self.update.anchor))
            self.update.renew()

    def _published(self) -> dict[str, Any]:
        """Tier 3: the moving average of the adapters over published versions."""
        state = self.wearer.state()
        keep = guardrails.decay(self.config.half_life) if self.config.time else 0.0
        return {n: keep * old + (1 - keep) * state[n] for n, old in self.update.anchor.items()}

    def _practise(self, items: Sequence[Item]) -> list[list[Rollout]]:
        """The agent's own episodes on each question, sampled."""
        count = self.config.rollouts
        sampling = Sampling(temperature=self.config.temperature)
        todo = [
            Task(
                item.asking.media, item.asking.asked, seed=self._round * 1000 + n, sampling=sampling
            )
            for item in items
            for n in range(count)
        ]
        found = self.agent.rollouts(todo)
        return [found[start : start + count] for start in range(0, len(found), count)]

    def _replay(self, count: int) -> list[Item]:
        """Labelled questions of the worlds, for nano; other models replay what people confirmed,
        which comes through the queue."""
        if not self.config.model.startswith("nano"):
            return []
        drawn = [
            tasks.draw(REPLAY_SEED, int(self.rng.integers(2**31)), "train", FAMILIES)
            for _ in range(count)
        ]
        items = []
        for task in drawn:
            asking = Asking(task.question, task.source, task.answer_type)
            items.append(Item(asking, asking.normal(task.answer), 1.0, False))
        return items

    def _rate(self, rates: Sequence[float]) -> float:
        """The learning rate of a batch; what people said is learned at the full one."""
        limited = [min(rate, self.config.lr) for rate in rates]
        return sum(limited) / len(limited) if limited else 0.0


def _item(lesson: Lesson) -> Item | None:
    one, ticket = lesson.experience, lesson.ticket
    choices = tuple(one.provenance.get("choices", ()))
    asking = Asking(
        one.question,
        lesson.media if lesson.media is not None else blank(),
        one.answer_type,
        choices,
    )
    return Item(asking, ticket.label, ticket.weight, ticket.source == "vote")
