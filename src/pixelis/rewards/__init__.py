"""Rewards of an episode: plain functions of episodes, usable with any trainer.

    answer      1 when the answer is right, else 0
    curiosity   pays for looking where a group hardly looks, and for what the model did not expect
    coherence   pays for calls that build on what was seen, costs for going in circles
    misuse      what failed and useless calls cost
    mix         the one number: weights, stages, running normalisation
    group       advantages within a group, and which groups teach anything

>>> from pixelis.rewards import Gold, Mix, score
>>> scored = score([episodes_of_one_question], [Gold(("red",), "color")], Mix()).groups[0]
>>> [one.reward for one in scored]
"""

from pixelis.rewards.answer import Gold, answer
from pixelis.rewards.calls import Look, found, looks, telling, used
from pixelis.rewards.coherence import coherence
from pixelis.rewards.curiosity import bonus, rapr, surprise
from pixelis.rewards.group import advantages, informative
from pixelis.rewards.misuse import misuse
from pixelis.rewards.mix import (
    STAGES,
    Mix,
    Scored,
    Scores,
    Stage,
    State,
    Terms,
    means,
    observe,
    score,
    stage_of,
    terms,
    weigh,
)

__all__ = [
    "STAGES",
    "Gold",
    "Look",
    "Mix",
    "Scored",
    "Scores",
    "Stage",
    "State",
    "Terms",
    "advantages",
    "answer",
    "bonus",
    "coherence",
    "found",
    "informative",
    "looks",
    "means",
    "misuse",
    "observe",
    "rapr",
    "score",
    "stage_of",
    "surprise",
    "telling",
    "terms",
    "used",
    "weigh",
]
