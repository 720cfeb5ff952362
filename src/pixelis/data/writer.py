"""A writer rephrases the thoughts of executed episodes; calls, observations and answers stay.

What it writes is checked: one short line, without markup, that keeps every colour, shape and
number of the thought it stands for. What does not pass is thrown away and the thought stays.
"""

from __future__ import annotations

import re
from dataclasses import replace

from pixelis.data.worlds.palette import COLORS
from pixelis.data.worlds.sprites import SHAPES
from pixelis.episode import Episode, Step
from pixelis.errors import ModelError
from pixelis.models.dialects.qwen3 import Qwen3
from pixelis.models.policy import Policy, Request, Sampling

LONGEST = 160  # letters of a thought
ASK = (
    "Rephrase this note of somebody who looks at a picture, in one short sentence. Keep every "
    "colour, shape, number and quoted word; add nothing. Write the sentence alone.\n\n{thought}"
)
_KEPT = re.compile(r"\d+|\b(?:" + "|".join((*COLORS, *SHAPES)) + r")\b", re.IGNORECASE)
_MARKUP = re.compile(r"[<>{}\[\]\n]")
_DIALECT = Qwen3()


class Writer:
    """Rephrases with a policy, which is best a server (`openai:BASE_URL#MODEL`).

    Attributes:
        written, refused: how many thoughts were rephrased, and how many replies did not pass.
    """

    def __init__(self, policy: Policy, temperature: float = 0.7) -> None:
        self.policy = policy
        self.temperature = temperature
        self.written = self.refused = 0

    def rephrase(self, episode: Episode, seed: int = 0) -> Episode:
        """The episode with other thoughts; itself where nothing passed. ModelError from the server.

        Thoughts that reckon (with brackets in them) are left alone.
        """
        places = [k for k, step in enumerate(episode.steps) if wordy(step.thought)]
        if not places:
            return episode
        asked = [_request(episode.steps[k].thought, seed + k) for k in places]
        turns = self.policy.generate(asked, Sampling(self.temperature, max_new_tokens=80))
        if len(turns) != len(places):
            raise ModelError(f"the writer gave {len(turns)} replies to {len(places)} requests")
        steps = list(episode.steps)
        for k, turn in zip(places, turns, strict=True):
            said = turn.text.strip().strip('"')
            if passes(steps[k].thought, said):
                steps[k] = _reworded(steps[k], said)
                self.written += 1
            else:
                self.refused += 1
        return replace(episode, steps=tuple(steps))


def _request(thought: str, seed: int) -> Request:
    return Request([{"role": "user", "content": ASK.format(thought=thought)}], seed=seed)


def wordy(thought: str) -> bool:
    """Whether a thought is words rather than reckoning."""
    return bool(thought) and not _MARKUP.search(thought) and not re.search(r"[<>=]", thought)


def passes(before: str, after: str) -> bool:
    """Whether a rephrased thought may stand for the first."""
    if not after or len(after) > LONGEST or _MARKUP.search(after):
        return False
    wanted = {word.lower() for word in _KEPT.findall(before)}
    return wanted == {word.lower() for word in _KEPT.findall(after)}


def _reworded(step: Step, thought: str) -> Step:
    changed = replace(step, thought=thought)
    return replace(changed, text=_DIALECT.turn(changed))
