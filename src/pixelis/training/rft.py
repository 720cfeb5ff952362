"""Reinforcement fine-tuning of any model: one run, from settings to weights.

A step: questions, groups of episodes played by the model as it is, rewards, advantages, one update.
What a step needs besides the weights is a function of its number and of `Memory`, which checkpoints
keep; so a killed run goes on with the weights it would have had.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from pixelis.agent import Budget
from pixelis.data.tasks import FAMILIES
from pixelis.errors import CheckpointError, ConfigError, ModelError
from pixelis.models.local import LocalPolicy
from pixelis.models.policy import Sampling
from pixelis.rewards import (
    Mix,
    Scored,
    State,
    Terms,
    advantages,
    answer,
    informative,
    observe,
    stage_of,
    terms,
    weigh,
)
from pixelis.training.lines import Weighed, line_of, unlearned
from pixelis.training.material import read, split
from pixelis.training.questions import Drawn, Question, Questions, Recorded, question_of
from pixelis.training.replay import Buffer
from pixelis.training.rollouts import Group, Player
from pixelis.training.settings import RftConfig
from pixelis.training.surprise import Forward, Transition, transitions
from pixelis.training.tally import Tally, tally
from pixelis.training.tune import (
    ADAPTED,
    FULL,
    LARGE,
    LORA,
    Report,
    load,
    precision_of,
    seeing,
)

# What may not change when a run goes on; other settings may.
FIXED = (
    *("data", "families", "difficulty", "balance", "model", "seed", "rank", "alpha", "targets"),
    *("lr", "schedule", "warmup", "weight_decay", "steps", "questions", "group", "batch"),
    *("iterations", "temperature", "turns", "max_new_tokens", "beta", "epsilon", "epsilon_high"),
    *("loss", "scale", "curiosity", "coherence", "misuse", "surprise", "consolation", "stage"),
    *("goal", "patience", "replay", "exact"),
)
FOREVER_S = 86_400.0  # an episode of an exact run is not cut off by the clock
HELD_OUT = 7919  # added to the seed, so that no held-out question is ever learned
Gather = Callable[[list[Any]], list[Any]]
"""The items of all processes, in the order of their ranks."""


@dataclass
class Memory:
    """What a run remembers besides weights, optimizer and random numbers."""

    rewards: State
    replay: Buffer
    forward: Forward | None

    def save(self, folder: Path, rank: int) -> None:
        """Into a checkpoint's folder; what all processes share is written by the first."""
        self.replay.save(folder, f"replay-{rank}")
        if self.forward is not None and rank == 0:
            self.forward.save(folder)

    def load(self, folder: Path, rank: int, record: Mapping[str, Any]) -> None:
        """As it was saved; CheckpointError when it cannot be read."""
        self.rewards = State.from_dict(record["rewards"])
        self.replay.load(folder, f"replay-{rank}")
        if self.forward is not None:
            self.forward.load(folder)


@dataclass
class Run:
    """A run before it starts: everything read and set up, nothing learned.

    Attributes:
        policy: the model with its processor and profile.
        asked: held-out questions.
        place: rank of this process and how many there are.
        report: told what each step played.
        show: called with the step and its groups where traces are wanted.
        notes: of the last step that was played.
    """

    config: RftConfig
    policy: LocalPolicy
    player: Player
    questions: Questions
    asked: list[Question]
    method: str
    checkpointing: bool
    parameters: int
    memory: Memory
    place: tuple[int, int] = (0, 1)
    gather: Gather = list
    show: Callable[[int, list[Group], list[list[Scored]]], None] | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def mix(self) -> Mix:
        config = self.config
        return Mix(
            curiosity=config.curiosity,
            coherence=config.coherence,
            misuse=config.misuse,
            surprise=config.surprise,
            consolation=config.consolation,
            goal=config.goal,
            patience=config.patience,
            start=config.stage,
        )

    def identity(self) -> dict[str, Any]:
        """What a run that goes on must have in common with the one before."""
        settings = self.config.model_dump(mode="json", include=set(FIXED))
        return {**settings, "method": self.method, "processes": self.place[1]}

    def remember(self) -> dict[str, Any]:
        """What the mark of a checkpoint says."""
        return {"identity": self.identity(), "rewards": self.memory.rewards.to_dict()}

    def recall(self, folder: Path, record: Mapping[str, Any]) -> None:
        """Takes over a checkpoint; CheckpointError when the run was another one."""
        there = record.get("identity", {})
        for name, value in self.identity().items():
            if there.get(name) != value:
                raise CheckpointError(
                    f"{self.config.out} belongs to a run with {name} = {there.get(name)!r}, not "
                    f"{value!r}; choose another --out to start afresh"
                )
        self.memory.load(folder, self.place[0], record)

    # a step -----------------------------------------------------------------------------------
    def lines(self, model: Any, step: int) -> list[Weighed]:
        """What this process learns from in an optimizer step."""
        config, (rank, world) = self.config, self.place
        # Lines are asked for once in `iterations` steps; no question is left out for that.
        turn = step // config.iterations
        mine = self.questions.at(turn, config.questions * world)[rank::world]
        started = time.perf_counter()
        groups = self.player.play(model, mine, config.group, config.seed + step)
        self.notes = {"play_s": time.perf_counter() - started}
        scored = self._scored(groups)
        if self.show is not None:
            self.show(step, groups, scored)
        weighed: list[Sequence[Weighed]] = [
            self._weighed(group, marks) for group, marks in zip(groups, scored, strict=True)
        ]
        even, drawn = self._replayed(weighed, step)
        self._note(groups, scored, even, drawn)
        return [one for group in weighed for one in group]

    def _replayed(self, weighed: list[Sequence[Weighed]], step: int) -> tuple[int, int]:
        """Puts earlier groups in the places of those that teach nothing and keeps the others.

        Gives how many taught nothing and how many of these places were filled.
        """
        even = [place for place, group in enumerate(weighed) if not _teaches(group)]
        rng = np.random.default_rng([self.config.seed, 11, step, self.place[0]])
        drawn = self.memory.replay.draw(len(even), rng)
        for group in weighed:
            if _teaches(group):
                self.memory.replay.add(group)
        for place, earlier in zip(even, drawn, strict=False):
            weighed[place] = earlier
        return len(even), len(drawn)

    def _scored(self, groups: Sequence[Group]) -> list[list[Scored]]:
        """Rewards of this process's groups; the scales come from those of all processes."""
        moved = [[transitions(rollout) for rollout in group.rollouts] for group in groups]
        errors = self._errors(moved)
        raw = [
            terms([one.episode for one in group.rollouts], group.question.gold, self.mix, missed)
            for group, missed in zip(groups, errors, strict=True)
        ]
        before = self.memory.rewards
        everyone = self.gather([tuple(one) for group in raw for one in group])
        self.memory.rewards = observe(before, [Terms(*one) for one in everyone], self.mix)
        stage = stage_of(before, self.mix)
        return [[weigh(one, self.mix, self.memory.rewards, stage) for one in g] for g in raw]

    def _errors(
        self, moved: Sequence[Sequence[Sequence[Transition]]]
    ) -> Sequence[list[list[float]] | None]:
        """Forward-model errors, after which it learns from the transitions of all processes."""
        forward = self.memory.forward
        if forward is None:
            return [None] * len(moved)
        errors = [[forward.errors(one) for one in group] for group in moved]
        mine = [one for group in moved for episode in group for one in episode]
        self.notes["forward_loss"] = forward.learn(self.gather(mine))
        return errors

    def _weighed(self, group: Group, scored: Sequence[Scored]) -> list[Weighed]:
        """The lines of a group with their advantages; one that teaches nothing is not learned.

        An episode that failed counts as one without an answer and has no line of its own: another
        one's holds its place, unlearned. ModelError when all of a group failed.
        """
        processor = self.player.processor
        rewards = [one.reward for one in scored]
        failed = [not rollout.messages for rollout in group.rollouts]
        if all(failed):
            reason = group.rollouts[0].episode.meta.get("error", "no reason was kept")
            raise ModelError(f"every episode about {group.question.id} failed: {reason}")
        lines = [line_of(one, processor) for one in group.rollouts if one.messages]
        waiting = iter(lines)
        spare = unlearned(lines[0])
        worth = advantages(rewards, self.config.scale)
        even = not informative(rewards)
        made = []
        for fell, value in zip(failed, worth, strict=True):
            line = None if fell else next(waiting)
            made.append(spare if line is None else Weighed(line, value))
        return [unlearned(one.line) for one in made] if even else made

    def _note(
        self, groups: Sequence[Group], scored: Sequence[Sequence[Scored]], even: int, drawn: int
    ) -> None:
        """Keeps the step's numbers, of all processes."""
        own = tally([[one.episode for one in group.rollouts] for group in groups], scored)
        everyone = self.gather([(own.to_dict(), even, drawn)])
        whole = Tally.sum(Tally.from_dict(one) for one, _, _ in everyone)
        cache = self.player.cache
        asked = (cache.hits + cache.misses) if cache is not None else 0
        self.notes |= {
            **whole.values(),
            "even_groups": sum(e for _, e, _ in everyone) / max(whole.groups, 1),
            "replayed_groups": sum(d for _, _, d in everyone) / max(whole.groups, 1),
            "reward_stage": stage_of(self.memory.rewards, self.mix).name,
            "cached": cache.hits / asked if cache is not None and asked else 0.0,
        }

    # examinations -----------------------------------------------------------------------------
    def examine(self, model: Any) -> dict[str, float]:
        """How the model does on the held-out questions, greedily, on all processes together."""
        rank, world = self.place
        greedy = replace(self.player, sampling=Sampling())
        part = self.asked[rank::world]
        groups: list[Group] = []
        for chunk in _chunks(part, 16):
            groups += greedy.play(model, chunk, 1, 0)
        own = [
            (
                answer(group.rollouts[0].episode, group.question.gold),
                len(group.rollouts[0].episode.observations),
                sum(seen.error is not None for seen in group.rollouts[0].episode.observations),
            )
            for group in groups
        ]
        everyone = self.gather(own)
        right, calls, failed = (sum(values) for values in zip(*everyone, strict=True))
        return {
            "held_out": right / len(everyone),
            "held_out_asked": float(len(everyone)),
            "held_out_calls": calls / len(everyone),
            "held_out_failed_calls": failed / max(calls, 1),
        }


def _teaches(group: Sequence[Weighed]) -> bool:
    return any(one.advantage for one in group)


def _chunks(items: Sequence[Question], size: int) -> Iterator[Sequence[Question]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


# before the run -----------------------------------------------------------------------------------
def prepare(config: RftConfig, place: tuple[int, int] = (0, 1)) -> Run:
    """Reads the questions and loads the model."""
    if config.threads is not None:
        torch.set_num_threads(config.threads)
    questions, asked = ask(config)
    policy = load(config)
    processor = seeing(policy)
    parameters = sum(each.numel() for each in policy.model.parameters())
    method: str = config.method
    if method == "auto":
        method = FULL if parameters < ADAPTED else LORA
    again = parameters > LARGE if config.checkpointing is None else config.checkpointing
    budget = Budget(
        steps=config.turns,
        new_tokens=config.max_new_tokens,
        seconds=FOREVER_S if config.exact else 300.0,
    )
    player = Player(
        processor,
        policy.profile,
        budget,
        Sampling(config.temperature, seed=config.seed),
        config.max_batch,
        config.workers,
        precision_of(config, policy.model.device),
        config.exact,
    )
    forward = Forward(config.seed) if config.surprise and config.curiosity else None
    memory = Memory(State(), Buffer(config.replay), forward)
    wanted = asked if config.eval_every else []
    return Run(config, policy, player, questions, wanted, method, again, parameters, memory, place)


def ask(config: RftConfig) -> tuple[Questions, list[Question]]:
    """Where questions come from, and those that are held out; ConfigError for unknown families."""
    if not config.data:
        for name in config.families:
            if name not in FAMILIES:
                raise ConfigError(f"family {name!r} is not known; give {', '.join(FAMILIES)}")
        families = tuple(config.families) or FAMILIES
        other = Drawn(config.seed + HELD_OUT, families, config.difficulty)
        asked = other.at(0, config.held_out) if config.eval_every else []
        return Drawn(config.seed, families, config.difficulty), asked
    samples = read(config.data)
    if config.families:
        samples = [sample for sample in samples if sample.family in config.families]
    if not samples:
        raise ConfigError(f"no question in data is of the families {', '.join(config.families)}")
    learned, kept = split(samples, config.held_out)
    kept = kept[:: max(len(kept) // max(config.held_out, 1), 1)][: config.held_out]
    return Recorded(learned, config.seed, config.balance), [question_of(one) for one in kept]


def rft(run: Run, report: Report) -> Any:
    """Runs or resumes; gives the trainer, whose model has the final weights.

    `report` gets one dict of numbers a step, and one for each examination.
    """
    from pixelis.training.course import build, latest

    found, record = latest(run.config.out)
    if found is not None and record is not None:
        run.recall(found, record)
    trainer = build(run, report)
    trainer.train(resume_from_checkpoint=None if found is None else str(found))
    return trainer


def episodes_of(run: Run) -> int:
    """How many episodes the whole run plays, on all devices."""
    config = run.config
    rounds = math.ceil(config.steps / config.iterations)
    return rounds * config.questions * config.group * run.place[1]
