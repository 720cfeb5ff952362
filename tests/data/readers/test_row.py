from pathlib import Path

import pytest

from pixelis.data.readers.row import RecordError, Rejections, Row, each
from pixelis.errors import DataError


def row(**value) -> Row:
    return Row(value, Path("a.json"), "line 3")


@pytest.mark.parametrize(
    ("ask", "value", "told"),
    [
        (lambda r: r.text("f"), 7, "a.json: line 3: f: came 7; a text is needed"),
        (lambda r: r.text("f"), "  ", "a.json: line 3: f: came '  '; a text is needed"),
        (lambda r: r.text("f"), None, "came null"),
        (lambda r: r.word("f"), True, "came True; a text or a whole number is needed"),
        (lambda r: r.number("f"), "7", "came '7'; a number is needed"),
        (lambda r: r.number("f"), float("nan"), "came nan; a number is needed"),
        (lambda r: r.number("f", 0, 1), 2, "came 2; 0 to 1 is allowed"),
        (lambda r: r.whole("f"), 2.5, "came 2.5; a whole number is needed"),
        (lambda r: r.whole("f", 1), 0, "came 0; at least 1 is allowed"),
        (lambda r: r.texts("f"), [], "came []; a list of texts is needed"),
        (lambda r: r.texts("f"), ["a", 2], "came ['a', 2]; a list of texts is needed"),
        (lambda r: r.corner_box("f"), [1, 2, 3], "four numbers [x, y, width, height] is needed"),
        (lambda r: r.corner_box("f"), [1, 2, -3, 4], "came a box of -3 by 4 px"),
        (lambda r: r.edges_box("f"), [5, 0, 2, 9], "came a box of -3 by 9 px"),
        (lambda r: r.inner("f"), [1], "came [1]; an object is needed"),
        (lambda r: r.rows("f"), [{}, 3], "f[1]: came 3; an object is needed"),
    ],
)
def test_a_wrong_value_is_named_with_what_is_allowed(ask, value, told):
    with pytest.raises(RecordError) as caught:
        ask(row(f=value))
    assert told in str(caught.value)
    assert str(caught.value).startswith("a.json: line 3: f")


def test_a_missing_field_is_named():
    with pytest.raises(DataError, match="line 3: f: is missing; a text is needed"):
        row().text("f")


def test_a_field_inside_others_is_named_with_its_path():
    inner = row(a=[{"b": {"c": 1}}]).rows("a")[0].inner("b")
    with pytest.raises(RecordError, match=r"line 3: a\[0\]\.b\.c: came 1"):
        inner.text("c")


def test_good_values_come_out():
    good = row(t=" a ", n=3, l=["x"], one="y", b=[1, 2, 3, 4], id=17)
    assert good.text("t") == "a"
    assert good.number("n") == 3.0
    assert good.texts("l") == ("x",)
    assert good.texts("one") == ("y",)
    assert good.corner_box("b") == (1, 2, 4, 6)
    assert good.edges_box("b") == (1, 2, 3, 4)
    assert good.word("id") == "17"


def test_long_values_are_quoted_shortly():
    with pytest.raises(RecordError) as caught:
        row(f={"x": "y" * 5000}).text("f")
    assert len(str(caught.value)) < 200


def test_errors_are_counted_by_their_reason_and_the_good_rows_are_kept():
    rejections = Rejections()
    kept = []
    rows = [
        row(f="a"),
        row(f=1),
        RecordError("a.json: line 9", "", "cut off", "not JSON"),
        row(f=2),
    ]
    for made in each(rows, lambda one: one.text("f")):
        if isinstance(made, RecordError):
            rejections.add(made)
        else:
            kept.append(made)
    assert kept == ["a"]
    assert rejections.report()["reasons"] == {"f: not a text": 2, "not JSON": 1}
    assert rejections.rejected == 3
    assert "came 1" in rejections.first[0]
