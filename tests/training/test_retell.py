from dataclasses import asdict, replace

import pytest

from pixelis.answers import correct
from pixelis.errors import DataError
from pixelis.models.dialects import get_dialect
from pixelis.models.policy import Profile
from pixelis.ops.workspace import PixelBudget
from pixelis.training import pool
from pixelis.training.material import read
from pixelis.training.retell import retell, same_words

NEW = Profile("q", "qwen2.5-vl", "Look.", True, PixelBudget(56 * 56, 448 * 448, 28))


@pytest.fixture(scope="module")
def samples(episodes):
    return read([episodes])


def test_boxes_become_pixels_of_what_the_model_is_shown(samples):
    zoomed = [one for one in samples if one.episode.calls and one.episode.calls[0].op == "zoom_in"]
    assert zoomed
    for sample in zoomed:
        with sample.open() as media:
            told = retell(sample.episode, media, NEW)
        was = sample.episode.calls[0].arguments["bbox_2d"]
        now = told.episode.calls[0].arguments["bbox_2d"]
        width, height = told.images[0].size
        sides = (width, height, width, height)
        assert [round(n * 1000 / side, -1) for n, side in zip(now, sides, strict=True)] == (
            pytest.approx(was, abs=12)
        )
        assert now != was
        # The same part of the source, up to the pixel it was rounded to.
        before = sample.episode.observations[0].view
        after = told.episode.observations[0].view
        pixel = media.size.width / width
        if before is not None and after is not None:
            assert tuple(after.box) == pytest.approx(tuple(before.box), abs=pixel + 1)


def test_the_words_are_those_of_the_dialect_and_the_answer_still_holds(samples):
    dialect = get_dialect("qwen2.5-vl")
    for sample in samples:
        with sample.open() as media:
            told = retell(sample.episode, media, NEW)
        for step, was in zip(told.episode.steps, sample.episode.steps, strict=True):
            assert step.text == dialect.turn(step)
            assert step.thought == was.thought
        assert told.episode.meta["pixels"] == asdict(NEW.budget)
        assert same_words(told.episode, NEW)
        assert all(image.width % 28 == image.height % 28 == 0 for image in told.images)


def test_most_of_them_are_still_right(samples):
    found = []
    for sample in samples:
        with sample.open() as media:
            told = retell(sample.episode, media, NEW)
        found.append(correct(told.episode.answer.text, sample.gold, sample.answer_type))
    assert sum(found) >= len(found) - 1


def test_in_the_same_dialect_and_budget_nothing_changes(samples):
    same = Profile("n", budget=pool.BUDGET, text_limit=60)
    for sample in samples[:3]:
        with sample.open() as media:
            told = retell(sample.episode, media, same)
        assert told.episode.steps == sample.episode.steps


def test_what_cannot_be_told_is_refused(samples):
    pixels = replace(samples[0].episode, dialect="qwen2.5-vl")
    with samples[0].open() as media, pytest.raises(DataError, match=r"only 0\.\.1000"):
        retell(pixels, media, Profile("n"))
    mute = replace(samples[0].episode, steps=(replace(samples[0].episode.steps[0], call=None),))
    with samples[0].open() as media, pytest.raises(DataError, match="no call and no answer"):
        retell(mute, media, NEW)
