"""Tables of several runs: differences by hand, Holm's correction, cells and Markdown."""

from __future__ import annotations

import json

import pytest

from pixelis.cli.eval import tables
from pixelis.cli.output import Printer
from pixelis.evals.report import summarize
from pixelis.evals.results import Result


def results(right: set[int], seed: int = 0) -> list[Result]:
    return [
        Result(
            id=f"q{number}",
            fingerprint=f"f{number}",
            family="all",
            difficulty="",
            domain="",
            picture=f"p{number}",
            question="?",
            gold="a",
            answer_type="word",
            answer="a",
            known=True,
            confidence=None,
            correct=number in right,
            score=float(number in right),
            ops=0,
            failed_ops=0,
            ended="answered",
            seconds=0.1,
            wall_s=0.1,
            episode={},
            seed=seed,
        )
        for number in range(40)
    ]


@pytest.fixture
def document():
    runs = {
        "none": results(set(range(30))),
        "no_ops": results(set(range(10))),
        "twin": results(set(range(30))),
    }
    summaries = {name: summarize(found, control=name) for name, found in runs.items()}
    return tables.gather(summaries, runs)


def test_rows_are_beside_the_first(document):
    first, without, twin = document["table"]
    assert "difference" not in first
    assert without["difference"] == -0.5
    assert without["p"] < 0.01
    assert without["retention"] == pytest.approx(1 / 3)
    assert (twin["difference"], twin["p"]) == (0.0, 1.0)
    assert json.loads(json.dumps(document))["runs"]["twin"]["n"] == 40


def test_cells_and_markdown(document):
    cells = tables.cells_of(document["table"][1])
    assert cells[0] == "25.0 %"
    assert cells[3] == "-50.0"
    assert cells[7] == "0.10"
    lines = tables.markdown(document).splitlines()
    assert len(lines) == 5
    assert all(line.count("|") == len(tables.COLUMNS) + 2 for line in lines)


def test_the_table_is_printed(document, capsys):
    tables.several(Printer(), document, None)
    told = capsys.readouterr().out
    assert "no_ops" in told
    assert "Holm" in told
    assert "-50.0" in told


@pytest.mark.parametrize(
    ("settings", "frozen", "told"),
    [
        ({}, True, "frozen questions, data"),
        ({"seed": 3}, False, "fresh questions, not frozen, data"),
        ({"published": 800, "limit": 4}, False, "not all of the published questions, data"),
        ({"published": 800, "spoil": "noise:1"}, False, "spoiled pictures, not frozen, data"),
    ],
)
def test_one_run_says_what_its_questions_are(capsys, settings, frozen, told):
    summary = summarize(
        results({1, 2}), model="m", settings=settings, frozen=frozen, notes=["look"]
    )
    tables.one(Printer(), summary, None)
    text = capsys.readouterr().out
    assert told in text
    assert "accuracy 5.0 %" in text
    assert "look\n" in text
    assert "a question: 0.00 operations; 0.10 s, 0 tokens, 0 thousand pixels" in text
