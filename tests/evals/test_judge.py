"""A judge's replies are read, asked for again, never made up."""

import pytest

from pixelis.episode import Answer
from pixelis.errors import JobError
from pixelis.evals.judge import ModelJudge, read_grade
from pixelis.evals.question import Question
from pixelis.models.policy import Profile, Turn


class Replies:
    """A policy that gives these replies, and keeps what it was asked."""

    def __init__(self, *replies):
        self.name = "judge"
        self.profile = Profile("judge")
        self.replies = list(replies)
        self.asked = []

    def generate(self, requests, sampling):
        self.asked.append((requests[0].messages[0]["content"], sampling.temperature))
        return [Turn(self.replies.pop(0))]


def question():
    return Question("q", b"", "What is x?", "-1<AND>-5", "text", "math", "p", rule="parts")


@pytest.mark.parametrize(
    ("reply", "grade"),
    [
        ("0.5", 0.5),
        ("1.0", 1.0),
        ("Grade: 0.7.", 0.7),
        ("1", 1.0),
        ("0", 0.0),
        ("0.5 or 0.7", None),
        ("10", None),
        ("1.5", None),
        ("-", None),
        ("0,5", None),
        ("-1", None),
        ("1 %", None),
        ("0.7, for it is near", 0.7),
        ("", None),
        ("it is 0.3, so 0.3", 0.3),
    ],
)
def test_grades_are_read(reply, grade):
    assert read_grade(reply) == grade


def test_a_grade_becomes_a_verdict_and_the_prompt_holds_everything():
    policy = Replies("0.5")
    verdict = ModelJudge(policy, "judge")(question(), Answer("x = -1"))
    assert verdict == (False, 0.5)
    asked, temperature = policy.asked[0]
    assert asked.endswith("Question: What is x?\nTruth: -1<AND>-5\nAnswer: x = -1\nGrade:")
    assert temperature == 0


def test_an_unreadable_reply_is_asked_for_again_and_then_given_up():
    policy = Replies("hm", "1.0")
    assert ModelJudge(policy, "judge")(question(), Answer("x")).correct
    assert policy.asked[1][1] > 0
    with pytest.raises(JobError, match="judge j gave no grade between 0 and 1 for q: 'c'"):
        ModelJudge(Replies("a", "b", "c"), "j")(question(), Answer("x"))


def test_no_answer_is_not_sent():
    policy = Replies()
    assert ModelJudge(policy, "judge")(question(), None) == (False, 0.0)
    assert ModelJudge(policy, "judge")(question(), Answer("  ")) == (False, 0.0)
