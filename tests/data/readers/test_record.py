import pytest

from pixelis.data.readers.record import type_of


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        (("3",), "number"),
        (("1,200", "1200"), "number"),
        (("70%",), "number"),
        (("yes", "Yes"), "yes_no"),
        (("red", "crimson"), "color"),
        (("banana",), "word"),
        (("3", "three apples"), "text"),
        (("to the left",), "text"),
        (("A-17b",), "text"),
    ],
)
def test_how_an_answer_is_scored(answers, kind):
    assert type_of(answers) == kind
