import hashlib

import numpy as np
import pytest

from pixelis.data.worlds import clips, domains
from pixelis.media import open_video

STORIES = tuple(clips.STORIES)


def film(story, seed=0, domain=domains.TRAIN[0]):
    return clips.draw_clip(np.random.default_rng([seed, 5]), domain, story)


@pytest.mark.parametrize("story", STORIES)
def test_a_clip_is_a_video_of_what_its_truth_says(story):
    made = film(story)
    with open_video(made.video) as video:
        assert video.frames == made.frames
        assert video.size == made.size
        shown = [np.asarray(video.frame(n)).astype(int) for n in range(video.frames)]
    back = np.median(shown, 0)
    for actor in made.actors:
        for number, box in enumerate(actor.boxes):
            if box is None:
                assert actor.why[number] in ("hidden", "gone")
                continue
            x, y = (round(v) for v in box.center)
            moved = np.abs(shown[number][y, x] - back[y, x]).max() > 25
            still = len({b.rounded() for b in actor.boxes if b}) == 1
            assert moved or still or made.shakes or story in ("enter", "return", "leave")


def test_what_hides_and_leaves_is_known():
    hidden = next(f for f in (film("hide", s) for s in range(20)) if "hidden" in f.actors[0].why)
    assert hidden.posts
    assert "gone" not in hidden.actors[0].why
    left = film("leave").actors[0]
    assert left.why[0] == ""
    assert left.why[-1] == "gone"
    back = film("return").actors[0]
    assert back.why[0] == back.why[-1] == ""
    assert "gone" in back.why


def test_a_shaking_camera_moves_everything():
    shaky = next(f for f in (film("cross", s) for s in range(40)) if f.shakes)
    steady = next(f for f in (film("cross", s) for s in range(40)) if not f.shakes)

    def corner(made):
        with open_video(made.video) as video:
            frames = [np.asarray(video.frame(n))[:20, :20].astype(int) for n in (0, 5)]
        return made.actors[-1].boxes, frames

    for made in (shaky, steady):
        boxes = [b.rounded() for b in corner(made)[0] if b is not None]
        if len(made.actors) > 1:  # the last one stands still in the scene
            assert (len(set(boxes)) > 1) == made.shakes


def test_the_same_seed_gives_the_same_file_after_other_work():
    first = hashlib.sha256(film("race", 3, domains.BY_NAME["fabric"]).video).hexdigest()
    for number in range(4):  # other sizes and noise, so that memory is used again
        film(STORIES[number], number, domains.TRAIN[number])
    assert hashlib.sha256(film("race", 3, domains.BY_NAME["fabric"]).video).hexdigest() == first
