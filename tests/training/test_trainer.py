from collections import Counter
from types import SimpleNamespace

import numpy as np

from pixelis.training.curriculum import STAGES
from pixelis.training.sampling import Order
from pixelis.training.trainer import Feed

LENGTHS = [10, 90, 20, 80, 30, 70, 40, 60]


class Recording:
    """Gives the plan itself as the batch."""

    def padded(self, talks):
        return ("padded", tuple(talks))

    def packed(self, talks):
        return ("packed", tuple(talks))


def feed(steps=6, accumulate=2, packing=False, start=0, shares=None, fixed=True, place=(0, 1)):
    items = tuple(SimpleNamespace(tokens=length) for length in LENGTHS)
    stock = SimpleNamespace(items=items, talks=lambda collator, chosen: chosen)
    bands = ("easy",) * 4 + ("hard",) * 4
    order = Order(np.full(8, 1 / 8), bands, 2 * accumulate * place[1], 3)
    return Feed(
        stock,
        Recording(),
        order,
        steps,
        accumulate,
        packing,
        start=lambda: start,
        shares=shares or (lambda: None),
        fixed=lambda step: fixed,
        place=place,
    )


def test_a_restart_gives_the_batches_that_were_left():
    whole = list(feed())
    assert len(whole) == len(feed()) == 12
    assert list(feed(start=4)) == whole[8:]


def test_every_episode_of_a_step_is_in_one_pass():
    one = feed(packing=True)
    for step in range(6):
        drawn = sorted(index for plan in one.plans(step) for index in plan)
        assert drawn == sorted(one.order.at(step))
    assert {kind for kind, _ in one} == {"packed"}
    assert {kind for kind, _ in feed()} == {"padded"}


def test_processes_share_a_step():
    parts = [feed(place=(rank, 2)) for rank in range(2)]
    for step in range(6):
        drawn = [index for part in parts for plan in part.plans(step) for index in plan]
        assert Counter(drawn) == Counter(parts[0].order.at(step))
        assert [len(part.plans(step)) for part in parts] == [2, 2]


def test_a_change_of_the_mixture_holds_from_the_next_step():
    stage = [0]
    made = feed(shares=lambda: STAGES[stage[0]].shares, fixed=False)
    seen = []
    for number, (_, plan) in enumerate(made):
        seen.append(plan)
        if number == 5:  # the last pass of step 2
            stage[0] = 2
    mixed = feed(shares=lambda: STAGES[0].shares)
    full = feed(shares=lambda: STAGES[2].shares)
    expected = [tuple(plan) for step in range(3) for plan in mixed.plans(step)]
    expected += [tuple(plan) for step in range(3, 6) for plan in full.plans(step)]
    assert seen == expected
