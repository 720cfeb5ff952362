"""`pixelis review`: listing, deciding, walking through."""

from __future__ import annotations

from pixelis.cli.main import main
from pixelis.memory import Memory
from pixelis.memory.reviews import Reviews


def test_reviews_are_listed_and_decided(reviewed, told):
    _, found = told("review", "list", "--store", reviewed, "--json")
    assert found["counts"]["waiting"] == 3
    assert [one["answer"] for one in found["waiting"]] == ["7", "8", "9"]
    assert told("review", "approve", "1", "--store", reviewed)[0] == 0
    _, done = told(
        "review", "correct", "2", "five", "--reviewer", "ann", "--store", reviewed, "--json"
    )
    assert (done["correction"], done["reviewer"]) == ("5", "ann")
    _, found = told("review", "list", "--store", reviewed, "--json")
    assert found["counts"] == {"waiting": 1, "approve": 1, "correct": 1, "reject": 0}
    assert told("review", "approve", "99", "--store", reviewed)[0] == 2


def test_walking_through_reviews(reviewed, monkeypatch):
    said = iter(["s", "c", "4", "r"])
    monkeypatch.setattr("builtins.input", lambda _: next(said))
    assert main(["review", "walk", "--store", reviewed]) == 0
    with Memory(reviewed) as memory:
        assert Reviews(memory).counts() == {"waiting": 1, "approve": 0, "correct": 1, "reject": 1}
