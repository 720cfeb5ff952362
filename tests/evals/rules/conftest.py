"""Golden verdicts: what the authors' own scoring says of an answer, one file a rule.

They come from running the published code (named in each file) on these answers; `count` and `parts`
are by hand.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"


def cases(rule: str) -> list[tuple]:
    return [tuple(case) for case in json.loads((GOLDEN / f"{rule}.json").read_text())["cases"]]


def pytest_generate_tests(metafunc):
    """A test with `golden` runs once a case of the rule its module names in RULE."""
    if "golden" in metafunc.fixturenames:
        rules = metafunc.module.RULE
        found = [(rule, *case) for rule in rules for case in cases(rule)]
        metafunc.parametrize("golden", found, ids=[f"{c[0]}-{c[1][:24]!r}" for c in found])


@pytest.fixture
def graded():
    from pixelis.evals.rules import apply

    def grade(rule, text, golds, choices=(), details=None):
        return apply(rule, text, golds, choices, details or {})

    return grade
