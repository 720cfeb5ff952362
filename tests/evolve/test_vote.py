"""Votes: shares, ties, abstentions, and what order and more votes may never change."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelis.evolve.vote import STRATEGIES, Ballot, decided, same_question, tally

ballots = st.lists(
    st.builds(
        Ballot,
        answer=st.just("x"),
        canonical=st.sampled_from(["", "a", "b", "c"]),
        confidence=st.none() | st.floats(0, 1),
        supported=st.booleans(),
        source=st.sampled_from(["sampled", "memory"]),
        likeness=st.floats(0, 1),
    ),
    max_size=12,
)


@given(ballots, st.sampled_from(STRATEGIES))
def test_every_number_lies_where_it_should(votes, strategy):
    found = tally(votes, strategy)
    assert 0 <= found.confidence <= 1
    assert 0 <= found.share <= 1 + 1e-9
    assert found.margin <= found.share + 1e-9
    assert found.margin >= -1 - 1e-9
    assert found.canonical in {vote.canonical for vote in votes} | {""}
    assert len(found.weights) == len(votes)
    assert sum(found.provenance()["counts"].values()) == pytest.approx(sum(found.weights))


@given(ballots, st.sampled_from(STRATEGIES), st.randoms())
def test_order_decides_nothing(votes, strategy, rng: random.Random):
    shuffled = list(votes)
    rng.shuffle(shuffled)
    first, second = tally(votes, strategy), tally(shuffled, strategy)
    assert first.canonical == second.canonical
    assert first.confidence == pytest.approx(second.confidence)
    assert first.tie == second.tie


@given(ballots)
def test_the_majority_is_a_majority(votes):
    """Against counting by hand."""
    found = tally(votes)
    names = [vote.canonical for vote in votes if vote.canonical]
    if not names:
        assert found.abstained
        return
    most = max(map(names.count, names))
    assert names.count(found.canonical) == most
    assert found.tie == (sum(names.count(name) == most for name in set(names)) > 1)


@given(ballots)
def test_one_more_vote_for_the_winner_never_lowers_its_share(votes):
    before = tally(votes)
    if before.abstained:
        return
    after = tally([*votes, Ballot("x", before.canonical, 0.5)])
    assert after.canonical == before.canonical
    assert after.share >= before.share - 1e-9


def test_abstentions_lower_the_share():
    votes = [Ballot("a", "a", 1.0)] * 2
    assert tally(votes).share == 1.0
    assert tally([*votes, Ballot("", "")] * 2).share == pytest.approx(2 / 3)


def test_a_tie_is_told_and_the_greedy_answer_wins_it():
    votes = [Ballot("b", "b", 0.2, source="greedy"), Ballot("a", "a", 0.9)]
    found = tally(votes)
    assert (found.canonical, found.tie) == ("b", True)
    assert found.confidence < tally([votes[0]]).confidence


def test_strategies_weigh_differently():
    votes = [Ballot("a", "a", 0.9, likeness=0.1), Ballot("b", "b", 0.3, likeness=0.8),
             Ballot("b", "b", 0.3, likeness=0.8)]  # fmt: skip
    assert [tally(votes, s).canonical for s in STRATEGIES] == ["b", "a", "b"]


@given(ballots.filter(lambda votes: len(votes) <= 8), st.sampled_from(STRATEGIES), st.data())
def test_decided_means_that_nothing_can_change(votes, strategy, data):
    if not decided(votes, 8, strategy):
        return
    names, sure = st.sampled_from(["", "a", "b", "c"]), st.none() | st.floats(0, 1)
    rest = data.draw(st.lists(st.tuples(names, sure), max_size=8 - len(votes)))
    final = tally([*votes, *(Ballot("x", name, one) for name, one in rest)], strategy)
    assert final.canonical == tally(votes, strategy).canonical
    assert not final.tie or final.abstained


def test_many_unsure_answers_do_not_decide_against_sure_ones_to_come():
    unsure = [Ballot("a", "a", 0.01) for _ in range(5)]
    assert decided(unsure, 8, "majority")
    assert not decided(unsure, 8, "confidence")
    assert tally([*unsure, *(Ballot("b", "b", 0.9) for _ in range(3))], "confidence").answer == "b"


def test_one_more_to_come_can_only_tie():
    lead = [Ballot("a", "a")] * 4 + [Ballot("b", "b")] * 3
    assert not decided(lead, 8), "a tie is another verdict"
    assert decided([*lead, Ballot("a", "a")], 8)


def test_only_the_same_confirmed_question_on_nearly_the_same_picture_votes():
    assert same_question("how many?", "how many?", 0.95, True)
    assert not same_question("how many?", "how many?", 0.95, False)
    assert not same_question("how many?", "how much?", 1.0, True)
    assert not same_question("how many?", "how many?", 0.6, True)
    assert not same_question("how many?", "how many?", None, True)


@given(ballots.filter(bool), st.sampled_from(STRATEGIES))
def test_every_figure_by_hand(votes, strategy):
    """The formulas of the docstring, with exact fractions of what each ballot counts."""
    own = {"majority": lambda b: 1.0, "similarity": lambda b: b.likeness,
           "confidence": lambda b: 0.5 if b.confidence is None else b.confidence}  # fmt: skip
    counted = [(vote.canonical, Fraction(own[strategy](vote))) for vote in votes]
    total = sum(value for _, value in counted)
    sums = {name: sum(v for n, v in counted if n == name) for name, _ in counted}
    named = {name: value for name, value in sums.items() if name and value}
    found = tally(votes, strategy)
    if not named:
        assert found.abstained
        return
    most = max(named.values())
    tied = [name for name, value in named.items() if value >= most - Fraction(1, 10**9)]
    mine = [vote for vote in votes if vote.canonical == found.canonical]
    sure = sum(0.5 if vote.confidence is None else vote.confidence for vote in mine) / len(mine)
    assert found.canonical in tied
    assert found.tie == (len(tied) > 1)
    assert found.share == pytest.approx(float(most / total))
    assert found.support == sum(vote.supported for vote in mine) / len(mine)
    halved = 0.5 if len(tied) > 1 else 1.0
    raw = halved * (0.7 * float(most / total) + 0.3 * sure)
    assert found.confidence == pytest.approx(min(1.0, raw))


def test_nine_bits_of_ten_make_a_picture_nearly_the_same():
    assert same_question("q", "q", 0.9, True)
    assert not same_question("q", "q", 0.899, True)
