"""One question, several episodes, one verdict: the greedy answer and samples, counted as votes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from PIL import Image

from pixelis.agent import Agent, Task
from pixelis.answers import AnswerType, canonical, normalize
from pixelis.episode import Episode
from pixelis.evolve.vote import Ballot, Strategy, Verdict, decided, same_question, tally
from pixelis.memory import Recollection
from pixelis.memory.experience import TRUSTED
from pixelis.memory.media import alike
from pixelis.models.policy import Sampling


@dataclass(frozen=True)
class Asking:
    """A question on its way.

    Attributes:
        media: what the agent opens: bytes, or a picture where there is none.
        answer_type: empty when unknown; answers are then compared as words.
        fingerprint: of the picture, None without.
        recollection: what memory found.
    """

    question: str
    media: Any
    answer_type: str = ""
    choices: tuple[str, ...] = ()
    seed: int = 0
    fingerprint: int | None = None
    recollection: Recollection = Recollection()  # noqa: RUF009 - a frozen value

    @property
    def asked(self) -> str:
        """What the agent is asked: the question, and its choices below it."""
        if not self.choices:
            return self.question
        lines = [f"{chr(ord('A') + i)}. {choice}" for i, choice in enumerate(self.choices)]
        return "\n".join([self.question, *lines])

    def normal(self, answer: str) -> str:
        """The normal form by which answers are counted."""
        kind = cast(AnswerType, self.answer_type or "word")
        return canonical(answer, kind, self.choices or None)


@dataclass(frozen=True)
class Answered:
    """The verdict on a question and the greedy episode that is shown."""

    verdict: Verdict
    episode: Episode


def blank() -> Image.Image:
    """What is looked at when a question comes without a picture."""
    return Image.new("RGB", (64, 64), "white")


def answer(
    agent: Agent, asked: Sequence[Asking], votes: int, temperature: float, strategy: Strategy
) -> list[Answered]:
    """Verdicts on questions, in order; all episodes of a round share the agent's batches.

    First the greedy episode and half of the samples; the rest only where the vote is open.
    """
    episodes: list[list[Episode]] = [[] for _ in asked]
    first = 1 + votes // 2 if votes > 1 else 1
    _round(agent, asked, episodes, range(len(asked)), 0, first, temperature)
    if first < votes:
        still = [
            place
            for place, one in enumerate(asked)
            if not _settled(one, episodes[place], votes, strategy)
        ]
        _round(agent, asked, episodes, still, first, votes, temperature)
    return [_conclude(one, mine, strategy) for one, mine in zip(asked, episodes, strict=True)]


def _round(
    agent: Agent, asked: Sequence[Asking], episodes: list[list[Episode]], places: Any,
    start: int, stop: int, temperature: float,
) -> None:  # fmt: skip
    todo = [(place, number) for place in places for number in range(start, stop)]
    tasks = [
        Task(
            asked[place].media,
            asked[place].asked,
            seed=asked[place].seed * 1000 + number,
            sampling=Sampling(temperature=temperature) if number else Sampling(),
        )
        for place, number in todo
    ]
    for (place, _), episode in zip(todo, agent.ask_many(tasks), strict=True):
        episodes[place].append(episode)


def ballot(asking: Asking, episode: Episode, number: int) -> Ballot:
    """What an episode votes for; no answer and "I cannot know" are abstentions."""
    said = episode.answer
    dangling = bool(episode.meta.get("unknown_references"))  # it names what was never found
    text = said.text if said is not None and said.known and not dangling else ""
    return Ballot(
        text,
        asking.normal(text) if text.strip() else "",
        said.confidence if said else None,
        bool(said and said.evidence),
        "greedy" if number == 0 else "sampled",
    )


def remembered(asking: Asking) -> list[Ballot]:
    """Votes from memory: answers a person confirmed or gave to the same question on nearly the
    same picture. All other neighbours are other questions and do not vote.
    """
    found: list[Ballot] = []
    if asking.recollection.state == "NOVEL":  # what came nearest is not what is meant
        return found
    for near in asking.recollection.neighbours:
        one = near.experience
        same = None
        if asking.fingerprint is not None and one.likeness is not None:
            same = alike(asking.fingerprint, one.likeness)
        first, second = normalize.phrase(asking.question), normalize.phrase(one.question)
        right = one.right_answer  # of a corrected one the correction, not what was answered
        if right is not None and same_question(first, second, same, one.status in TRUSTED):
            weight = min(1.0, max(0.0, near.likeness))
            # A letter means another choice here, and its type may be another one, too.
            text = (one.settled if one.provenance.get("choices") else None) or right
            found.append(Ballot(text, asking.normal(text), 1.0, True, "memory", weight))
    return found


def _settled(asking: Asking, episodes: Sequence[Episode], votes: int, strategy: Strategy) -> bool:
    """Whether the samples that are still to come could not change the verdict's winner."""
    ballots = _ballots(asking, episodes)
    return decided(ballots, len(ballots) + votes - len(episodes), strategy)


def _conclude(asking: Asking, episodes: Sequence[Episode], strategy: Strategy) -> Answered:
    return Answered(tally(_ballots(asking, episodes), strategy), episodes[0])


def _ballots(asking: Asking, episodes: Sequence[Episode]) -> list[Ballot]:
    own = [ballot(asking, episode, number) for number, episode in enumerate(episodes)]
    return [*own, *remembered(asking)]
