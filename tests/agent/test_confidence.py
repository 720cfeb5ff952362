import pytest

from pixelis.agent.confidence import combine, supports
from pixelis.episode import Observation


def test_alone_the_answer_counts():
    assert combine(0.8, []) == 0.8
    assert combine(None, [0.5]) is None


def test_supports_enter_by_their_geometric_mean():
    assert combine(0.8, [0.25, 1.0]) == pytest.approx(0.4)
    assert combine(0.8, [0.5]) == pytest.approx(combine(0.8, [0.5, 0.5, 0.5]))
    assert combine(0.8, [0.0, 1.0]) == 0


def test_only_evidence_that_can_tell_counts():
    seen = [
        Observation("a", handle="mask_1", confidence=0.3),
        Observation("b", handle="mask_2", confidence=0.9),
        Observation("c", handle="crop_1"),
        Observation("d", confidence=0.1),
    ]
    assert supports(seen, ("crop_1", "mask_2")) == [0.9]
    assert supports(seen, ()) == []
