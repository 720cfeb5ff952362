"""Answer types, normalisation and scorers: what counts as the same answer, and how good one is."""

from pixelis.answers.normalize import canonical
from pixelis.answers.score import correct, score
from pixelis.answers.types import ANSWER_TYPES, COLORS, AnswerType

__all__ = ["ANSWER_TYPES", "COLORS", "AnswerType", "canonical", "correct", "score"]
