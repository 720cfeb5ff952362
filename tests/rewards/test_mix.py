import itertools
import random
from dataclasses import replace

import numpy as np
import pytest

from pixelis.errors import CheckpointError
from pixelis.rewards import STAGES, Gold, Mix, State, Terms, means, observe, score, weigh

RED = Gold(("red",), "color")
FULL = Mix(start="full")
A, B = (10, 10, 60, 60), (200, 100, 260, 180)


def rewards(group, mix=FULL, state=None, gold=RED):
    return [one.reward for one in score([group], [gold], mix, state).groups[0]]


def warm(batch, mix=FULL, times=50):
    """A state that has seen batches like this one."""
    state = State()
    for _ in range(times):
        state = observe(state, batch, mix)
    return state


def test_only_the_task_at_first(build):
    group = [build().zoom(*A).answer("red"), build().answer("red"), build().answer("blue")]
    assert rewards(group, Mix()) == [1.0, 1.0, 0.0]
    assert rewards([build().fail().answer("red")], Mix()) == [0.975]


def test_a_penalty_lowers_the_reward(build):
    for stage in STAGES:
        mix = Mix(start=stage.name)
        direct, failing = rewards([build().answer("red"), build().fail().answer("red")], mix)
        assert failing < direct
        ended = rewards([build().end("loop")], mix)[0]
        assert ended < 0


def pointless_calls(one):
    """Ways to call an operation that tell nothing."""
    return [
        lambda: one.fail(),
        lambda: one.fail("track_object"),
        lambda: one.malformed(),
        lambda: one.nothing(7, 7),
        lambda: one.zoom(0, 0, 400, 300),
        lambda: one.zoom(0, 0, 399, 300),
    ]


@pytest.mark.parametrize("length", [1, 2, 3])
def test_pointless_calls_never_pay(build, length):
    direct = build().answer("red")
    for chosen in itertools.product(range(6), repeat=length):
        one = build()
        for number in chosen:
            pointless_calls(one)[number]()
        for cited in ((), ("crop_1",)):
            episode = one.answer("red", *cited)
            for others in ([direct] * 7, [build().answer("blue")] * 7):
                earned, plain = rewards([episode, direct, *others])[:2]
                assert earned <= plain, chosen


def test_one_more_pointless_call_never_helps(build):
    rng = np.random.default_rng(1)
    for _ in range(60):
        one = build().zoom(*A)
        previous = rewards([one.answer("red", "crop_1"), build().answer("red")])[0]
        for number in rng.integers(0, 6, 4):
            pointless_calls(one)[int(number)]()
            now = rewards([one.answer("red", "crop_1"), build().answer("red")])[0]
            assert now <= previous + 1e-12
            previous = now


def test_no_wrong_answer_earns_what_a_right_one_does(build):
    best = Terms(0.0, 1e9, 1.0, 0.0)
    plain = Terms(1.0, 0.0, 0.0, 0.0)
    state = warm([plain])
    wrong, right = (weigh(one, FULL, state, STAGES[2]).reward for one in (best, plain))
    assert wrong == pytest.approx(0.25 * 3 * 0.15)
    assert right == 1.0


def test_bonuses_are_paid_fully_for_right_answers_only(build):
    right, wrong = (Terms(a, 0.1, 0.5, 0.0) for a in (1.0, 0.0))
    state = warm([right, wrong])
    paid, consoled = (weigh(one, FULL, state, STAGES[2]).reward for one in (right, wrong))
    assert consoled == pytest.approx(0.25 * (paid - 1.0))
    assert consoled > 0
    low = Terms(0.0, -0.1, -0.5, 0.0), Terms(1.0, -0.1, -0.5, 0.0)
    costs = [weigh(one, FULL, state, STAGES[2]).reward - one.answer for one in low]
    assert costs[0] == pytest.approx(costs[1])
    assert costs[0] < 0


def test_normalisation_keeps_signs_and_sizes_up(build):
    small = [Terms(0, 0.2, 0.1, 0), Terms(0, 0.0, -0.1, 0)] * 4
    state = warm(small)
    one, two = (weigh(each, FULL, state, STAGES[2]) for each in small[:2])
    assert one.normalised["coherence"] == pytest.approx(1.0)
    assert two.normalised["coherence"] == pytest.approx(-1.0)
    assert one.normalised["curiosity"] == pytest.approx(2**0.5)
    assert two.normalised["curiosity"] == 0.0
    noise = warm([Terms(0, 1e-6, 0, 0)])
    assert weigh(Terms(0, 1e-6, 0, 0), FULL, noise, STAGES[2]).normalised["curiosity"] < 1e-4


def test_the_order_within_groups_and_batches_does_not_matter(build):
    group = [
        build().zoom(*A).answer("red", "crop_1"),
        build().answer("blue"),
        build().zoom(*A).zoom(*A).answer("red"),
        build().segment(30, 30, *A).properties("mask_1", *A).answer("red", "mask_1"),
        build().fail().end("steps"),
        *[build().answer("red") for _ in range(3)],
    ]
    places = list(range(8))
    random.Random(5).shuffle(places)
    shuffled = [group[i] for i in places]
    first = score([group], [RED], FULL)
    second = score([shuffled], [RED], FULL)
    assert [one.reward for one in second.groups[0]] == [first.groups[0][i].reward for i in places]
    assert first.state == second.state


def test_stages_advance_on_measured_success(build):
    mix = Mix(goal=0.5, patience=3)
    state = State()
    names = []
    for right in (0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1):
        before = state
        state = observe(state, [Terms(float(right), 0, 0, 0)], mix)
        names.append((before.stage, state.stage))
    stages = [after for _, after in names]
    assert stages[:4] == [0, 0, 0, 0]
    assert stages[-1] == 2
    assert stages == sorted(stages)
    assert names[0] == (None, 0)


def test_the_stage_of_a_batch_is_the_one_before_it(build):
    mix = Mix(goal=0.1, patience=1)
    chain = build().segment(30, 30, *A).properties("mask_1", *A).answer("red", "mask_1")
    first = score([[chain, build().answer("red")]], [RED], mix)
    assert first.groups[0][0].reward == 1.0
    assert first.state.stage == 1
    second = score([[chain, build().answer("red")]], [RED], mix, first.state)
    assert second.groups[0][0].reward > 1.0


def test_state_goes_through_json_and_scoring_changes_nothing(build):
    state = warm([Terms(1, 0.1, 0.2, 0)], Mix())
    assert State.from_dict(state.to_dict()) == state
    before = replace(state)
    score([[build().answer("red")]], [RED], Mix(), state)
    assert state == before
    with pytest.raises(CheckpointError, match="rewards"):
        State.from_dict({**state.to_dict(), "stage": 9})
    with pytest.raises(ValueError, match="stages are task"):
        score([[build().answer()]], [RED], Mix(start="late"))


def test_surprise_counts_beside_the_bonus(build):
    group = [build().zoom(*A).answer("red"), build().zoom(*B).answer("red")]
    scored = score([group], [RED], FULL, errors=[[[1.0], [0.0]]]).groups[0]
    assert scored[0].terms.curiosity - scored[1].terms.curiosity == pytest.approx(0.1)
    assert scored[0].reward > scored[1].reward


def test_means(build):
    scored = score([[build().answer("red"), build().answer("blue")]], [RED], FULL).groups[0]
    told = means(scored)
    assert told["answer"] == told["reward"] == 0.5
    assert set(told) >= {"curiosity", "coherence", "misuse", "coherence_normalised"}


def test_the_next_stage_begins_when_the_goal_is_reached_to_the_dot():
    mix = Mix(goal=0.5, patience=2)
    half = [Terms(1.0, 0, 0, 0), Terms(0.0, 0, 0, 0)]
    assert observe(observe(State(), half, mix), half, mix).stage == 1
    short = [*half, Terms(0.0, 0, 0, 0)]
    assert observe(observe(State(), short, mix), short, mix).stage == 0


def test_running_scales_are_the_weighted_root_mean_square():
    """Against the whole history at once: weights decay^age, normalised."""
    rng = np.random.default_rng(3)
    values, state, mix = rng.normal(size=(30, 5)), State(), Mix(decay=0.9)
    for row in values:
        state = observe(state, [Terms(0.0, float(one), 0.0, 0.0) for one in row], mix)
    weights = 0.9 ** np.arange(30)[::-1]
    wanted = np.sqrt((weights * (values**2).mean(1)).sum() / weights.sum())
    found = weigh(Terms(0.0, 0.1, 0.0, 0.0), mix, state, STAGES[2]).normalised["curiosity"]
    assert found == pytest.approx(0.1 / wanted)
