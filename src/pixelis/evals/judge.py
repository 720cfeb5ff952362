"""A language model as the judge of free answers, as MM-Vet's authors use one (Yu et al. 2024).

Any model that `pixelis` can load may judge, an OpenAI-compatible server above all. It is shown
question, gold and answer, and gives a grade in tenths. The wording is ours, the scale and the
meaning of `<AND>` and `<OR>` are the authors'.
"""

from __future__ import annotations

import re

from pixelis.episode import Answer
from pixelis.errors import JobError
from pixelis.evals.question import RIGHT, Question, Verdict
from pixelis.models.policy import Policy, Request, Sampling

ASK = """You grade answers. Give one number between 0.0 (wrong) and 1.0 (right), in tenths, for \
how far the answer agrees with the truth. <AND> in the truth parts things that must all be in the \
answer; <OR> parts things of which one is enough. Other words for the same are fine.

Question: What is x in the equation?
Truth: -1 <AND> -5
Answer: x = -1
Grade: 0.5

Question: What is x in the equation?
Truth: -1 <AND> -5
Answer: x = -5 or x = -1
Grade: 1.0

Question: Which drink is on the table?
Truth: tea <OR> coffee
Answer: A glass of milk.
Grade: 0.0

Question: {question}
Truth: {truth}
Answer: {answer}
Grade:"""
GRADE = re.compile(r"(?<![\d.,-])(?:0(?:\.\d+)?|1(?:\.0+)?)(?![\d.,]*\d)(?!\s*%)")
TRIES = 3


class ModelJudge:
    """Grades by asking a policy; `name` says which, for the report.

    A reply without a grade is asked for again, then JobError: a grade is never made up.
    """

    def __init__(self, policy: Policy, name: str) -> None:
        self.policy = policy
        self.name = name

    def __call__(self, question: Question, answer: Answer | None) -> Verdict:
        text = answer.text.strip() if answer else ""
        if not text:
            return Verdict(False, 0.0)
        golds = [question.gold] if isinstance(question.gold, str) else question.gold
        truth = " <OR> ".join(golds)
        asked = ASK.format(question=question.asked, truth=truth, answer=text)
        said = ""
        for seed in range(TRIES):
            sampling = Sampling(temperature=0.7 if seed else 0.0, max_new_tokens=64)
            request = Request([{"role": "user", "content": asked}], seed=seed)
            [turn] = self.policy.generate([request], sampling)
            said = turn.text
            grade = read_grade(said)
            if grade is not None:
                return Verdict(grade >= RIGHT, grade)
        raise JobError(
            f"judge {self.name} gave no grade between 0 and 1 for {question.id}: {said[:80]!r}"
        )


def read_grade(text: str) -> float | None:
    """The one grade in a judge's reply, None when there is none or there are several."""
    found = {float(one) for one in GRADE.findall(text)}
    return found.pop() if len(found) == 1 else None
