import pytest

from pixelis.data.difficulty import Group, difficulty, weights, weights_of
from pixelis.data.episodes import CORRECTION, GOLDEN, TRAP, read_samples
from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.geometry import Box, Size

MEDIA = Media("picture", "a", Size(1000, 1000), "x")


def looked(*boxes, answer="red", error=None) -> Episode:
    steps = [
        Step(
            call=Call("zoom_in", {"n": n}), observation=Observation("", box=Box(*box), error=error)
        )
        for n, box in enumerate(boxes)
    ]
    said = Answer(answer)
    return Episode("?", MEDIA, steps=(*steps, Step(answer=said)), answer=said, ended="answered")


def test_more_steps_smaller_places_slips_and_longer_answers_are_harder():
    plain = difficulty(looked((0, 0, 1000, 1000)))
    assert difficulty(looked((0, 0, 100, 100))) > plain
    assert difficulty(looked((0, 0, 1000, 1000), (0, 0, 1000, 1000))) > plain
    assert difficulty(looked((0, 0, 1000, 1000), error="no")) > plain
    assert difficulty(looked((0, 0, 1000, 1000), answer="word " * 20)) > plain
    assert 0 <= plain < difficulty(looked(*[(0, 0, 9, 9)] * 19, error="no", answer="x" * 99)) <= 1


def test_the_size_of_the_smallest_place_counts_as_documented():
    # steps 1/10, a side of 250/1000 is looked at, no slips, 3 letters of 80
    assert difficulty(looked((0, 0, 250, 250))) == pytest.approx(
        (0.1 + 0.75 + 0 + 3 / 80) / 4, 1e-3
    )


def test_families_count_the_same_unless_one_is_very_small():
    groups = [Group("a", GOLDEN)] * 60 + [Group("b", GOLDEN)] * 30
    found = weights_of(groups)
    assert sum(found[:60]) == pytest.approx(sum(found[60:]), rel=1e-3)
    assert sum(found) == pytest.approx(90, rel=1e-3)
    rare = weights_of([Group("a", GOLDEN)] * 99 + [Group("b", GOLDEN)])
    assert rare[-1] / rare[0] == pytest.approx(3 / (50 / 99), rel=1e-3)  # the cap, not 99


def test_kinds_are_mixed_as_documented_and_traps_never_drawn():
    groups = [Group("a", GOLDEN)] * 10 + [Group("a", CORRECTION)] * 10 + [Group("a", TRAP)] * 5
    found = weights_of(groups)
    assert sum(found[:10]) == pytest.approx(3 * sum(found[10:20]), rel=1e-3)
    assert found[20:] == [0.0] * 5


def test_weights_come_in_the_order_of_the_samples(clean):
    samples = list(read_samples(clean))
    assert weights(samples) == [1.0] * 9
    uneven = samples[:1] + samples[3:]
    found = weights(uneven)
    assert found[0] == max(found)
    assert sum(found) == pytest.approx(len(uneven), rel=1e-3)
