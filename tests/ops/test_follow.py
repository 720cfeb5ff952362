import cv2
import numpy as np
import pytest
import skimage.data

from pixelis.errors import OpError
from pixelis.geometry import Box
from pixelis.ops.follow import follow
from pixelis.ops.motion import Guess, Place, best_guesses, observe, predict, smooth, start
from pixelis.ops.scenery import camera_shift, learn_scenery

GROUND = skimage.data.coffee()[:200, :320]
THING = cv2.resize(
    skimage.data.astronaut()[20:180, 150:310], (30, 30), interpolation=cv2.INTER_AREA
)


def frame(center, side=30, bar=None, ground=GROUND, twin=None, seed=0):
    """The thing at `center` (x, y), `side` px large, behind a bar of columns `bar`; RGB uint8."""
    picture = ground.copy()
    for place, picture_of in ((twin, THING[::-1]), (center, THING)):
        if place is not None:
            _paste(picture, picture_of, place, side)
    if bar:
        picture[:, bar[0] : bar[1]] = (90, 95, 100)
    noise = np.random.default_rng(seed).normal(0, 3, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def _paste(picture, thing, center, side):
    thing = cv2.resize(thing, (side, side), interpolation=cv2.INTER_AREA)
    x, y = round(center[0] - side / 2), round(center[1] - side / 2)
    x1, y1 = max(x, 0), max(y, 0)
    x2, y2 = min(x + side, picture.shape[1]), min(y + side, picture.shape[0])
    if x1 < x2 and y1 < y2:
        picture[y1:y2, x1:x2] = thing[y1 - y : y2 - y, x1 - x : x2 - x]


def box_at(center, side=30):
    half = side / 2
    return Box(center[0] - half, center[1] - half, center[0] + half, center[1] + half)


def walk(count, start=(60, 100), step=(7, 0)):
    return [(start[0] + n * step[0], start[1] + n * step[1]) for n in range(count)]


def mean_iou(track, places, side=30):
    found = [track.boxes[n].iou(box_at(p, side)) for n, p in enumerate(places) if n in track.boxes]
    return float(np.mean(found))


# following ----------------------------------------------------------------------------------------
def test_a_moving_thing_is_followed_before_a_still_camera():
    places = walk(12, step=(9, 3))
    frames = [frame(place, seed=n) for n, place in enumerate(places)]
    track = follow(enumerate(frames), box_at(places[0]), frames)
    assert sorted(track.boxes) == list(range(12))
    assert track.lost == []
    assert mean_iou(track, places) > 0.8
    assert min(track.confidence.values()) > 0.5


def test_a_thing_is_followed_without_samples_and_under_a_moving_camera():
    wide = np.concatenate([skimage.data.coffee()[:200], skimage.data.coffee()[:200, ::-1]], 1)
    places = walk(10, step=(6, 2))
    frames = [
        frame(place, ground=wide[:, 4 * n : 4 * n + 320], seed=n) for n, place in enumerate(places)
    ]
    assert learn_scenery([picture[:, :, ::-1] for picture in frames]) is None
    track = follow(enumerate(frames), box_at(places[0]), frames)
    assert track.lost == []
    assert mean_iou(track, places) > 0.7


def test_a_thing_behind_a_bar_is_lost_and_found_again():
    places = walk(22, step=(9, 0))
    frames = [frame(place, bar=(130, 180), seed=n) for n, place in enumerate(places)]
    hidden = [n for n, (x, _) in enumerate(places) if x - 15 >= 130 and x + 15 <= 180]
    track = follow(enumerate(frames), box_at(places[0]), frames)
    assert set(hidden) <= set(track.lost)
    assert len(track.lost) <= len(hidden) + 4
    assert all(track.boxes[n].iou(box_at(places[n])) > 0.6 for n in range(18, 22))
    assert all(track.confidence[n] < 0.5 for n in hidden)


def test_a_thing_that_leaves_stays_lost():
    places = walk(18, start=(200, 90), step=(12, 0))
    frames = [frame(place, seed=n) for n, place in enumerate(places)]
    track = follow(enumerate(frames), box_at(places[0]), frames)
    assert track.lost == list(range(track.lost[0], 18))
    assert abs(track.lost[0] - 11) <= 1
    assert all(box.x2 <= 320 for box in track.boxes.values())


@pytest.mark.slow
def test_a_twin_that_crosses_does_not_take_over():
    places = walk(20, step=(8, 0))
    frames = [frame(place, twin=(220 - 8 * n, 104), seed=n) for n, place in enumerate(places)]
    track = follow(enumerate(frames), box_at(places[0]), frames)
    assert track.boxes[19].iou(box_at(places[19])) > 0.7


@pytest.mark.slow
def test_the_size_is_followed():
    places = walk(20, step=(5, 0))
    sides = [round(30 * (1 + 0.02 * n)) for n in range(20)]
    frames = [frame(p, side=s, seed=n) for n, (p, s) in enumerate(zip(places, sides, strict=True))]
    track = follow(enumerate(frames), box_at(places[0]), frames)
    assert track.boxes[19].width == pytest.approx(sides[19], rel=0.15)


def test_a_mask_may_say_what_the_object_is():
    places = walk(8)
    frames = [frame(place, seed=n) for n, place in enumerate(places)]
    mask = np.zeros(GROUND.shape[:2], bool)
    mask[85:115, 45:75] = True
    track = follow(enumerate(frames), box_at(places[0]), mask=mask)
    assert mean_iou(track, places) > 0.7


def test_a_thing_that_stands_still_is_no_part_of_the_scene():
    frames = [frame((100, 100), seed=n) for n in range(8)]
    track = follow(enumerate(frames), box_at((100, 100)), frames)
    assert track.lost == []
    assert track.boxes[7].iou(box_at((100, 100))) > 0.8


def test_no_frames_give_an_empty_track_and_check_may_stop():
    def stop():
        raise OpError("took longer")

    assert follow([], Box(0, 0, 5, 5)).boxes == {}
    with pytest.raises(OpError):
        follow([(0, GROUND)], box_at((50, 50)), check=stop)


# parts --------------------------------------------------------------------------------------------
def test_scenery_forgets_what_passes_and_shows_what_moves():
    frames = [frame(place, seed=n)[:, :, ::-1] for n, place in enumerate(walk(12, step=(18, 0)))]
    scenery = learn_scenery(frames)
    assert scenery is not None
    assert np.abs(scenery.picture - GROUND[:, :, ::-1]).mean() < 4
    moving = scenery.moving(frames[3])
    x = 60 + 3 * 18
    assert moving[90:110, x - 10 : x + 10].mean() > 0.6
    assert moving[20:60, 200:].mean() < 0.05


def test_camera_shift_is_measured():
    wide = cv2.cvtColor(skimage.data.coffee(), cv2.COLOR_RGB2GRAY)
    dx, dy = camera_shift(wide[50:250, 50:350], wide[47:247, 55:355])
    assert (dx, dy) == pytest.approx((-5, 3), abs=0.2)
    flat = np.zeros((50, 50), np.uint8)
    assert camera_shift(flat, flat) == (0.0, 0.0)


def test_a_guess_learns_the_velocity():
    guess = start(0, 0, 30)
    for n in range(1, 8):
        mean, spread = predict(guess, 0.3, np.zeros(2))
        mean, spread, surprise = observe(mean, spread, np.array([5.0 * n, -2.0 * n]), 0.5)
        guess = Guess(mean, spread, -surprise, seen=Place(*mean[0], 1, 1), before=guess)
    assert guess.velocity == pytest.approx((5, -2), abs=0.2)
    points = smooth(guess.past(), 0.3)
    assert points[:, 0] == pytest.approx(5 * np.arange(8), abs=0.7)


def test_alike_guesses_are_merged_and_the_best_kept():
    a, b = start(10, 10, 30), start(60, 10, 30)
    near = Guess(a.mean + 0.5, a.spread, -1.0)
    assert {id(guess) for guess in best_guesses([near, b, a], 5, 2.0)} == {id(a), id(b)}
    assert len(best_guesses([near, b, a], 1, 2.0)) == 1
