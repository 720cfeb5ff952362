import pytest

from pixelis.geometry import Box
from pixelis.ops.lookup import look_up
from pixelis.ops.ocr import Line


def line(text, x, y, wide=60):
    return Line(text, Box(x, y, x + wide, y + 20), 0.9)


TABLE = [
    line("Departures", 10, 0, 120),
    *(line(t, x, 40) for t, x in (("To", 10), ("Time", 120), ("Platform", 230))),
    *(line(t, x, 80) for t, x in (("Ely", 10), ("09:15", 120), ("12", 230))),
    *(line(t, x, 120) for t, x in (("Leeds", 10), ("10:40", 120), ("17", 230))),
]


@pytest.mark.parametrize(
    ("label", "column", "value"),
    [
        ("Ely", None, "09:15"),
        ("ely", "platform", "12"),
        ("Leeds", "Time", "10:40"),
        ("Leds", "Platform", "17"),  # one slip
        ("Ely:", "Time", "09:15"),
    ],
)
def test_a_cell_is_found_by_row_and_column(label, column, value):
    assert look_up(TABLE, label, column).value.text == value


def test_the_rest_of_a_line_belongs_to_its_label():
    found = look_up([line("Name: Anna Berg", 0, 0, 200), line("City", 0, 40)], "name")
    assert (found.line, found.value.text) == (1, "Anna Berg")


def test_a_whole_line_goes_before_one_that_holds_the_label():
    lines = [line("Total due today", 0, 0, 200), line("Total", 0, 40), line("7.50", 200, 40)]
    assert look_up(lines, "Total").value.text == "7.50"


def test_what_is_not_there_is_not_found():
    assert look_up(TABLE, "Zanzibar") is None
    assert look_up([], "Ely") is None
    assert look_up([line("Ely", 0, 0)], "Ely").value is None
    assert look_up(TABLE, "Ely", "Zanzibar").value is None
