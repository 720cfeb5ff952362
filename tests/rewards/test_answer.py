import pytest

from pixelis.rewards import Gold, answer


@pytest.mark.parametrize(
    ("text", "gold", "reward"),
    [
        ("crimson", Gold(("red",), "color"), 1.0),
        ("blue", Gold(("red",), "color"), 0.0),
        ("3", Gold(("three", "3"), "number"), 1.0),
        ("102", Gold(("100",), "number", tolerance=0.05), 1.0),
        ("106", Gold(("100",), "number", tolerance=0.05), 0.0),
        ("B", Gold(("the box",), "option", ("the cup", "the box")), 1.0),
        ("[0, 0, 10, 10]", Gold(("[1, 0, 10, 10]",), "box"), 1.0),
        ("cat, dog", Gold(("dog", "cat"), "list"), 1.0),
        ("cat", Gold(("dog", "cat"), "list"), 0.0),
        ("", Gold(("red",), "color"), 0.0),
    ],
)
def test_it_is_the_scorers_verdict(build, text, gold, reward):
    assert answer(build().answer(text), gold) == reward


def test_without_an_answer_nothing(build):
    assert answer(build().end(), Gold(("red",), "color")) == 0.0


def test_what_nobody_can_tell(build):
    unknown = Gold((), "text")
    assert answer(build().answer("I can't see that", known=False), unknown) == 1.0
    assert answer(build().answer("red"), unknown) == 0.0
    assert answer(build().answer("I can't see that", known=False), Gold(("red",), "color")) == 0.0


def test_a_list_of_everything_is_not_right(build):
    everything = "red, blue, green, yellow, black, white"
    assert answer(build().answer(everything), Gold(("red",), "color")) == 0.0
