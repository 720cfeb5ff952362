import pytest

from pixelis.errors import CheckpointError
from pixelis.training.curriculum import STAGES, Rules, State, observe

RULES = Rules(goal=0.7, fall=0.05, rest=2, patience=3)


def after(*accuracies, state=None):
    state = state or State()
    for number, accuracy in enumerate(accuracies, start=1):
        state = observe(state, accuracy, 100 * number, RULES)
    return state


def test_it_goes_on_when_the_goal_is_met():
    assert after(0.5).name == "easy"
    assert after(0.5, 0.71).name == "mixed"
    assert after(0.5, 0.71, 0.72).name == "full"
    assert after(0.9, 0.9, 0.9, 0.9).name == "full"
    assert after(0.5, 0.71).history == ((0, 0), (200, 1))


def test_it_goes_on_when_nothing_rises_any_more():
    assert after(0.4, 0.4, 0.4).name == "easy"
    assert after(0.4, 0.4, 0.4, 0.4).name == "mixed"
    assert after(0.4, 0.4, 0.41, 0.4, 0.4).name == "easy"
    forever = State()
    for step in range(30):
        forever = observe(forever, 0.4, step, Rules(patience=0))
    assert forever.name == "easy"


def test_it_steps_back_when_accuracy_falls_by_five_points_and_then_rests():
    mixed = after(0.71)
    assert after(0.67, state=mixed).name == "mixed"
    back = after(0.65, state=mixed)
    assert (back.name, back.resting) == ("easy", 2)
    # While it rests neither a high nor a low accuracy moves it.
    assert after(0.9, state=back).name == "easy"
    assert after(0.9, 0.1, state=back).name == "easy"
    assert after(0.9, 0.9, 0.9, state=back).name == "mixed"


def test_the_best_since_the_stage_began_counts():
    risen = after(0.71, 0.69, state=None)
    assert risen.best == 0.71
    assert after(0.71, 0.69, 0.655).name == "easy"


def test_the_first_stage_has_nothing_behind_it():
    assert after(0.6, 0.3).name == "easy"
    assert after(0.6, 0.3).resting == 0


def test_the_same_accuracies_give_the_same_state_through_a_restart():
    whole = after(0.5, 0.72, 0.6, 0.7, 0.8, 0.75)
    half = after(0.5, 0.72, 0.6)
    state = State.from_dict(half.to_dict())
    for number, accuracy in enumerate((0.7, 0.8, 0.75), start=4):
        state = observe(state, accuracy, 100 * number, RULES)
    assert state == whole


def test_a_broken_state_is_refused():
    for broken in ({}, {"history": [], "stage": 7}, {"history": [[0, 0]], "strange": 1}):
        with pytest.raises(CheckpointError, match="curriculum state"):
            State.from_dict(broken)


def test_shares_sum_to_one():
    for stage in STAGES[:-1]:
        assert sum(stage.shares.values()) == pytest.approx(1)
    assert STAGES[-1].shares is None
