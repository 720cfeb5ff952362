"""Drills, worked out here in another way."""

import re
from collections import Counter

import numpy as np
import pytest

from pixelis.data.worlds import lexicon
from pixelis.training import drills


def rngs(count=200):
    return (np.random.default_rng([5, k]) for k in range(count))


def test_a_tally_counts_what_its_question_lists():
    counted = Counter()
    for rng in rngs():
        question, answer = drills.ask_tally(rng)
        target, listed = question.removeprefix("Count ").split(": ", 1)
        things = re.findall(r"(\[\d+, \d+\]) (\w+) (\w+)", listed)
        wanted = set(target.split()) - {"all"}
        thought, said = answer.removeprefix("<think>").split("</think>\n")
        verdicts = re.findall(r"(\[\d+, \d+\]) (\w+) (\w+), ([a-z ]+): (\d+|no)", thought)
        assert sorted(one[:3] for one in verdicts) == sorted(things)
        assert {one[3] for one in verdicts} == {target}
        numbers = [one[4] for one in verdicts if one[4] != "no"]
        assert numbers == [str(n) for n in range(1, int(said) + 1)]
        assert all((n != "no") == (wanted <= {color, shape}) for _, color, shape, _, n in verdicts)
        assert int(said) == sum(wanted <= {color, shape} for _, color, shape in things)
        counted[int(said)] += 1
    assert len(counted) >= 5


OPPOSITE = {
    "wider": "narrower", "taller": "shorter", "larger": "smaller",
    "left": "right", "above": "below",
}  # fmt: skip
TRACKS = {
    "moves: yes or no": "up|down|left|right",
    "gone: yes or no": "gone from",
    "back: yes or no": "found again|lost [23] times, gone",
}
OPPOSITE |= {less: more for more, less in OPPOSITE.items()}


def test_a_verdict_follows_from_what_was_measured():
    seen = Counter()
    for rng in rngs():
        question, answer = drills.ask_verdict(rng)
        asked, measured = question.removeprefix("Decide: ").split("? ")
        said = answer.split("</think>\n")[1]
        if asked in TRACKS:
            assert said == ("yes" if re.search(TRACKS[asked], measured) else "no")
        elif asked.endswith(": yes or no"):
            word = asked.split(":")[0]
            assert {word, OPPOSITE[word]} >= {measured}
            assert said == ("yes" if word == measured else "no")
        elif ": " in asked:
            word, names = asked.split(": ")
            first, second = names.split(" or ")
            assert said == (first if word == measured else second)
        elif asked.endswith(" B"):
            first = asked.split(" A or ")[0]
            assert said == ("A" if measured == first else "B")
        else:
            assert said == measured
        seen[said in ("yes", "no"), said in ("A", "B")] += 1
    assert len(seen) == 3
    assert min(seen.values()) >= 10


def test_an_entry_is_looked_up_as_it_is_written_whether_a_page_has_it_or_not():
    known = {*lexicon.GOODS, *lexicon.FIELDS}
    known |= {word for table in lexicon.TABLES for word in (*table.rows, *table.columns)}
    found, whole = Counter(), 0
    for rng in rngs():
        question, answer = drills.ask_entry(rng)
        label = re.search(r'"find": "([^"]+)"', answer).group(1)
        whole += label.lower() in question.lower()
        found[label in known] += 1
    assert whole >= 180  # the others have a slip of the finger
    assert min(found[True], found[False]) > 40


def test_an_echo_says_what_it_is_told():
    for rng in rngs(50):
        question, answer = drills.ask_echo(rng)
        assert question == f"Say: {answer}"


def test_all_kinds_are_asked():
    begun = Counter(drills.ask(rng)[0].split()[0] for rng in rngs(300))
    assert begun["Say:"] > 70
    assert begun["Count"] > 35
    assert begun["Decide:"] > 35


@pytest.mark.parametrize("thought", ["", "red star"])
def test_a_turn_is_a_thought_and_the_rest(thought):
    assert drills.turn(thought, "yes") == ("<think>red star</think>\nyes" if thought else "yes")
