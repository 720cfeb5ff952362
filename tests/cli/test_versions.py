"""`pixelis versions`: seen, compared, promoted, rolled back."""

from __future__ import annotations

import pytest


def test_versions_are_shown_compared_and_rolled_back(reviewed, told):
    _, found = told("versions", "list", "--store", reviewed, "--json")
    assert found["promoted"] == 2
    assert [one["state"] for one in found["versions"]] == ["retired", "promoted"]
    _, diff = told("versions", "diff", "1", "2", "--store", reviewed, "--json")
    assert diff["all"] == pytest.approx(3**0.5)
    _, shown = told("versions", "show", "2", "--store", reviewed, "--json")
    assert len(shown["experiences"]) == 1
    _, now = told("versions", "rollback", "--store", reviewed, "--json")
    assert now == {"promoted": 1}
    assert told("versions", "verify", "--store", reviewed)[0] == 0
    assert told("versions", "promote", "9", "--store", reviewed)[0] == 2
