from __future__ import annotations

import io
from typing import Any

import av
import numpy as np
import pytest

from pixelis.episode import Call, Observation
from pixelis.geometry import Box, Size, View
from pixelis.media import Video, open_video
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Workspace

FRAMES, WIDTH, HEIGHT = 50, 160, 120


@pytest.fixture(scope="module")
def data() -> bytes:
    """Fifty frames at 25 a second: brightness four times the number plus ten, one corner black."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mjpeg", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuvj420p"
        for number in range(FRAMES):
            pixels = np.full((HEIGHT, WIDTH, 3), 10 + 4 * number, np.uint8)
            pixels[: HEIGHT // 2, : WIDTH // 2] = 0
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return buffer.getvalue()


@pytest.fixture
def space(data: bytes) -> Any:
    with open_video(data) as video, Workspace(video) as workspace:
        yield workspace


def select(space: Workspace, **arguments: Any) -> Observation:
    return REGISTRY.run(Call("select_frames", arguments), space)


def number_of(space: Workspace, image: int) -> int:
    pixels = np.asarray(space.images[image])
    return round((int(pixels[-8, -8, 0]) - 10) / 4)


def test_frames_by_number(space: Workspace) -> None:
    observation = select(space, frames=[3, 40, 10])
    assert observation.error is None
    assert observation.data == {
        "images": [1, 2, 3],
        "frames": [3, 40, 10],
        "timestamps": [0.12, 1.6, 0.4],
    }
    assert [number_of(space, image) for image in (1, 2, 3)] == [3, 40, 10]
    assert observation.text == (
        "frames_1 of 50 frames: image 1 is frame 3 at 0.12 s, image 2 is frame 40 at 1.60 s, "
        "image 3 is frame 10 at 0.40 s"
    )
    assert (observation.image, observation.handle) == (1, "frames_1")
    assert observation.view == View(Box(0, 0, WIDTH, HEIGHT), Size(256, 192), 3)
    assert [space.view(image).frame for image in (1, 2, 3)] == [3, 40, 10]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"from": 10, "to": 20, "count": 3}, [10, 15, 20]),
        ({"start": 10, "end": 20, "count": 3}, [10, 15, 20]),
        ({"count": 2}, [0, 49]),
        ({}, [0, 16, 33, 49]),
        ({"from": 7, "to": 7}, [7]),
        ({"from": 5, "to": 6, "count": 8}, [5, 6]),
        ({"from": 30, "count": 1}, [30]),
        ({"frames": [4, 4, 2]}, [4, 2]),
        ({"frames": [49, 0]}, [49, 0]),
        ({"frames": [-1, -50, 49]}, [49, 0]),
    ],
)
def test_ranges_include_both_ends(
    space: Workspace, arguments: dict[str, Any], expected: list[int]
) -> None:
    observation = select(space, **arguments)
    assert observation.data["frames"] == expected
    assert [number_of(space, image) for image in observation.data["images"]] == expected


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"frames": [0, 50]}, "frame 50 does not exist; frames are 0..49"),
        ({"frames": [-51]}, "frame -51 does not exist; frames are 0..49"),
        ({"frames": []}, "argument frames = []"),
        ({"frames": list(range(9))}, "argument frames = [0, 1"),
        ({"from": 20, "to": 10}, "range from 20 to 10 is empty; need from <= to in 0..49"),
        ({"from": 60}, "range from 60 to 49 is empty"),
        ({"to": 50, "count": 1}, "frame 50 does not exist"),
        ({"count": 9}, "argument count = 9"),
        ({"frames": [1], "count": 2}, "argument arguments"),
        ({"every": 2}, "unknown argument 'every'; arguments are frames, from, to, count"),
    ],
)
def test_wrong_calls_add_no_image(space: Workspace, arguments: dict[str, Any], reason: str) -> None:
    observation = select(space, **arguments)
    assert (observation.error or "").startswith(f"select_frames: {reason}")
    assert len(space.images) == 1


def test_a_box_in_a_selected_frame_is_cut_from_that_frame(space: Workspace) -> None:
    select(space, frames=[45])
    crop = REGISTRY.run(Call("zoom_in", {"bbox_2d": [250, 250, 1000, 1000], "image": 1}), space)
    assert crop.view == View(Box(40, 30, 160, 120), Size(256, 192), 45)
    assert number_of(space, crop.image or 0) == 45
    assert np.asarray(space.images[crop.image or 0])[5, 5].max() < 30


def test_image_zero_is_the_first_frame(space: Workspace) -> None:
    assert isinstance(space.media, Video)
    assert number_of(space, 0) == 0
    assert space.view(0).frame == 0
    assert number_of(space, 0) == 0


def test_the_schema_names_from_and_to() -> None:
    properties = REGISTRY.get("select_frames").schema["function"]["parameters"]["properties"]
    assert list(properties) == ["frames", "from", "to", "count"]
    assert properties["frames"]["type"] == "array"
