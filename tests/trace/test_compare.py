from __future__ import annotations

from dataclasses import replace
from html import unescape

from pixelis.episode import Answer, Call, Step
from pixelis.trace.compare import Side, parted, render_pair, rows
from pixelis.trace.page import render


def test_the_first_step_done_otherwise(told):
    steps = told.episode.steps
    other = replace(steps[2], thought="Something else.")
    assert parted(steps, (*steps[:2], other, *steps[3:])) is None
    other = replace(steps[2], observation=replace(steps[2].observation, text="otherwise"))
    assert parted(steps, (*steps[:2], other, *steps[3:])) == 3
    called = next(number for number, step in enumerate(steps) if step.call is not None)
    other = replace(steps[called], call=Call("zoom_in", {"bbox_2d": [0, 0, 9, 9]}))
    assert parted(steps, (*steps[:called], other, *steps[called + 1 :])) == called + 1
    assert parted(steps, steps[:4]) == 5
    assert parted(steps, (*steps[:4], Step(answer=Answer("no")))) == 5
    assert parted((), ()) is None


def test_the_table_marks_what_differs(told):
    other = replace(told.episode, model="nano-direct", answer=None, ended="steps", seconds=9.0)
    table = {row.label: row for row in rows(told.episode, other)}
    assert [label for label, row in table.items() if not row.same] == [
        "Model",
        "Answer",
        "Confidence",
        "Rests on",
        "Ended",
    ]
    assert table["Answer"].right == "No answer."
    assert table["Failed calls"].left == "1"
    assert (table["Time"].left, table["Time"].right) == ("1.5 s", "9.0 s")


def test_the_page_holds_both_traces_whole_and_escaped(told):
    hostile = "</iframe><script>alert(1)</script>"
    left = Side("a.json", told.episode, told.workspace)
    right = Side(hostile, replace(told.episode, question=hostile), told.workspace, hostile)
    html = render_pair(left, right)
    assert "<script" not in html
    assert html.count("</iframe>") == 2
    inside = render(told.episode, told.workspace) in unescape(html)
    assert inside
