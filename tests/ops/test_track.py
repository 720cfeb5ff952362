import io
import json

import av
import numpy as np
import pytest
import skimage.data
from PIL import Image

from pixelis.episode import Call
from pixelis.geometry import Box
from pixelis.media import Picture, open_video
from pixelis.ops import track as operation
from pixelis.ops.follow import Track
from pixelis.ops.registry import REGISTRY
from pixelis.ops.track import loss, runs, summarise
from pixelis.ops.workspace import Convention, PixelBudget, Workspace

GROUND = skimage.data.coffee()[:180, :300]
THING = skimage.data.chelsea()[100:128, 100:128]


def opened(pictures):
    """A real MP4 file of 10 frames per second, opened by the real reader."""
    held = io.BytesIO()
    with av.open(held, "w", format="mp4") as container:
        height, width, _ = pictures[0].shape
        stream = container.add_stream("mpeg4", rate=10, width=width, height=height)
        stream.pix_fmt = "yuv420p"
        stream.bit_rate = 8_000_000
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode())
    return open_video(held.getvalue())


def clip(count=14, step=8, start=30):
    """A thing that moves right by `step` px a frame, its left edge at `start` in frame 0."""
    pictures = []
    for number in range(count):
        picture = GROUND.copy()
        x = start + step * number
        wide = max(0, min(28, 300 - x))
        picture[70:98, x : x + wide] = THING[:, :wide]
        noise = np.random.default_rng(number).normal(0, 3, picture.shape)
        pictures.append(np.clip(picture + noise, 0, 255).astype(np.uint8))
    return pictures


def workspace(**options):
    return Workspace(
        opened(clip(**options)), PixelBudget(224 * 224, 224 * 224, 32), convention=Convention("px")
    )


def run(space, **arguments):
    return REGISTRY.run(Call("track_object", arguments), space)


@pytest.fixture(scope="module")
def found():
    space = workspace()
    return space, run(space, bbox_2d=[46, 70, 74, 98], start_frame=2, end_frame=12)


def test_boxes_confidence_and_motion_of_every_frame(found):
    space, seen = found
    assert seen.error is None
    data = seen.data
    assert data["found"] == list(range(2, 13))
    assert data["lost"] == []
    for number in range(2, 13):
        truth = Box(30 + 8 * number, 70, 58 + 8 * number, 98)
        assert Box(*data["boxes"][str(number)]).iou(truth) > 0.6
    assert data["displacement"] == pytest.approx([80, 0], abs=4)
    assert data["mean_speed_px_per_frame"] == pytest.approx(8, abs=0.6)
    assert data["direction"] == "right"
    assert json.loads(json.dumps(data)) == data
    assert "float64" not in repr(data)
    assert space.handle("track_1").data == data
    assert space.handle("track_1").frame == 2


def test_the_text_sums_up(found):
    _, seen = found
    assert seen.text.startswith(
        "track_1: seen in 11 of 11 frames, from [46, 70, 74, 98] in frame 2"
    )
    assert "direction right" in seen.text
    assert 0.5 < seen.confidence <= 1


def test_the_contact_sheet_shows_box_and_path(found):
    space, seen = found
    sheet = space.images[seen.image]
    assert seen.view.frame == 2
    assert 0.7 < sheet.width * sheet.height / 224**2 < 1.3
    pixels = np.asarray(sheet).astype(int)
    green = (np.abs(pixels - (0, 200, 80)).sum(axis=2) < 30).sum()
    yellow = (np.abs(pixels - (255, 200, 0)).sum(axis=2) < 60).sum()
    assert green > 100
    assert yellow > 50


def test_a_mask_handle_starts_it():
    space = workspace(count=8)
    mask = np.zeros((180, 300), bool)
    mask[70:98, 30:58] = True
    name = space.add_handle("mask", mask=mask, frame=0).name
    seen = run(space, mask=name, start_frame=0, end_frame=7)
    assert Box(*seen.data["boxes"]["7"]).iou(Box(86, 70, 114, 98)) > 0.6
    late = run(space, mask=name, start_frame=3, end_frame=7)
    assert "mask of frame 0" in late.error


def test_loss_is_told():
    seen = run(
        workspace(start=190, count=16), bbox_2d=[190, 70, 218, 98], start_frame=0, end_frame=15
    )
    assert seen.data["lost"][-1] == 15
    assert abs(seen.data["lost"][0] - 13) <= 1
    assert "lost in frames" in seen.text


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"start_frame": 0, "end_frame": 3}, "either bbox_2d or mask"),
        ({"bbox_2d": [0, 0, 9, 9], "mask": "mask_1", "start_frame": 0, "end_frame": 3}, "either"),
        ({"bbox_2d": [0, 0, 9, 9], "start_frame": 3, "end_frame": 3}, "start_frame < end_frame"),
        ({"bbox_2d": [0, 0, 9, 9], "start_frame": 0, "end_frame": 99}, "within 0..13"),
        ({"bbox_2d": [9, 0, 9, 9], "start_frame": 0, "end_frame": 3}, "is empty"),
        ({"mask": "mask_4", "start_frame": 0, "end_frame": 3}, "no handle"),
        ({"bbox_2d": [0, 0, 9, 9], "start_frame": 13}, "start_frame < end_frame"),
    ],
)
def test_bad_arguments_are_told(arguments, reason):
    seen = run(workspace(), **arguments)
    assert seen.error is not None
    assert reason in seen.error


def test_a_handle_without_a_mask_is_refused():
    space = workspace()
    space.add_handle("text", {"text": "x"})
    assert "not a mask" in run(space, mask="text_1", start_frame=0, end_frame=3).error


def test_a_picture_cannot_be_tracked():
    picture = Workspace(Picture(Image.fromarray(GROUND), "still", "0" * 64))
    seen = run(picture, bbox_2d=[0, 0, 9, 9], start_frame=0, end_frame=1)
    assert "videos only" in seen.error


def test_time_is_limited():
    space = workspace()
    space.time_limit_s = -1.0
    assert "took longer" in run(space, bbox_2d=[30, 70, 58, 98], start_frame=0, end_frame=9).error


@pytest.mark.parametrize(
    ("end", "word"),
    [((90, 10), "right"), ((10, 90), "down"), ((-70, -70), "up-left"), ((11, 11), "still")],
)
def test_directions(end, word):
    x, y = end
    track = Track({0: Box(0, 0, 20, 20), 4: Box(x - 10, y - 10, x + 10, y + 10)})
    journey = summarise(track)
    assert journey.direction == word
    assert (journey.dx, journey.dy) == (x - 10, y - 10)
    assert journey.speed == pytest.approx(np.hypot(x - 10, y - 10) / 4)


def test_runs_of_numbers():
    assert runs([3, 7, 8, 9, 11]) == "3, 7-9, 11"
    assert runs([]) == ""
    assert operation.MOST_FRAMES >= 100


def test_without_frames_the_whole_video_is_followed():
    seen = run(workspace(), bbox_2d=[30, 70, 58, 98])
    assert seen.data["found"][0] == 0
    assert seen.data["found"][-1] == 13
    assert seen.text.endswith("never lost")


@pytest.mark.parametrize(
    ("lost", "found", "words"),
    [
        ([], range(12), "never lost"),
        ([5], [0, 11], "never lost"),
        ([3, 4], [0, 11], "lost 1 time, found again"),
        ([2, 3, 6, 7, 8], [0, 11], "lost 2 times, found again"),
        ([2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [0, 1], "lost 1 time, gone from the beginning on"),
        ([6, 7, 8, 9, 10, 11], [0, 5], "lost 1 time, gone from the middle on"),
        ([1, 2, 10, 11], [0, 9], "lost 2 times, gone from the end on"),
    ],
)
def test_what_became_of_a_track_is_said_in_words(lost, found, words):
    assert loss(lost, list(found), 0, 12) == words
