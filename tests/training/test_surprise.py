"""The forward model learns: what repeats stops being surprising, what is new does not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pixelis.agent import Rollout
from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.errors import CheckpointError
from pixelis.geometry import Box, Size, View
from pixelis.training.surprise import Forward, transitions


def picture(seed):
    rng = np.random.default_rng(seed)
    image = Image.new("RGB", (96, 96), tuple(int(v) for v in rng.integers(0, 255, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(6):
        x, y = (int(v) for v in rng.integers(0, 70, 2))
        color = tuple(int(v) for v in rng.integers(0, 255, 3))
        draw.rectangle((x, y, x + 26, y + 26), fill=color)
    return image


def rollout(seed, box=(0, 0, 48, 48)):
    whole = picture(seed)
    crop = whole.crop(box).resize((96, 96))
    seen = Observation(
        f"crop_1 is image 1: part {list(box)}",
        image=1,
        view=View(Box(*box), Size(96, 96)),
        box=Box(*box),
        handle="crop_1",
    )
    steps = (
        Step(call=Call("zoom_in", {"bbox_2d": list(box)}), observation=seen),
        Step(answer=Answer("red")),
    )
    media = Media("picture", "a.png", Size(96, 96), str(seed))
    return Rollout(Episode("What is there?", media, steps=steps), [], (whole, crop))


def test_repeats_become_familiar_and_the_new_stays_new():
    model = Forward(seed=1)
    known = [one for seed in range(8) for one in transitions(rollout(seed))]
    first = np.mean(model.errors(known))
    for _ in range(120):
        model.learn(known)
    last = np.mean(model.errors(known))
    new = [one for seed in range(100, 140) for one in transitions(rollout(seed))]
    assert 0.5 < first < 1.5
    assert last < 0.1 * first
    assert np.mean(model.errors(new)) > 5 * last


def test_only_calls_that_told_something_count():
    whole = rollout(3, (0, 0, 96, 96))
    assert transitions(whole) == []
    assert len(transitions(rollout(3))) == 1
    state, call, seen = transitions(rollout(3))[0]
    assert (state.shape, call.shape, seen.shape) == ((128,), (64,), (64,))
    elsewhere = transitions(rollout(3, (48, 48, 96, 96)))[0]
    assert not np.allclose(call, elsewhere.call)
    assert np.allclose(state, elsewhere.state)


def test_nothing_to_learn_from():
    model = Forward()
    assert model.errors([]) == []
    assert model.learn([]) == 0.0


def test_it_goes_on_exactly(tmp_path):
    model, batch = Forward(seed=2), transitions(rollout(1)) + transitions(rollout(2))
    for _ in range(5):
        model.learn(batch)
    model.save(tmp_path)
    again = Forward(seed=9)
    again.load(tmp_path)
    assert again.errors(batch) == model.errors(batch)
    assert [again.learn(batch) for _ in range(3)] == [model.learn(batch) for _ in range(3)]
    (tmp_path / "surprise.safetensors").write_bytes(b"no")
    with pytest.raises(CheckpointError, match="cannot be read"):
        again.load(tmp_path)
