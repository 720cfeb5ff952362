import pytest

from pixelis.agent.budget import Budget, notice
from pixelis.errors import ConfigError


@pytest.mark.parametrize(
    ("used", "met"),
    [
        ((0, 0, 1), None),
        ((4, 11, 15), None),
        ((5, 0, 1), "steps"),
        ((1, 12, 1), "calls"),
        ((1, 1, 16), "images"),
        ((9, 12, 16), "steps"),
    ],
)
def test_which_limit_is_met(used, met):
    assert Budget().spent(*used) == met


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"calls": -1},
        {"images": 0},
        {"new_tokens": 0},
        {"image_tokens": 0},
        {"seconds": 0},
    ],
)
def test_nonsense_is_refused(wrong):
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        Budget(**wrong)


def test_notices_are_one_line():
    assert notice() is None
    assert notice("a.", "b.") == "Notice: a. b."
