from __future__ import annotations

import base64
import hashlib
import io
import random
import threading
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from pixelis.errors import MediaError
from pixelis.media import Limits, Video, open_media, open_video

FORMATS = [
    ("mp4", "libx264"),
    ("mp4", "mpeg4"),
    ("mov", "mjpeg"),
    ("matroska", "libx264"),
    ("webm", "libvpx"),
    ("webm", "libvpx-vp9"),
    ("avi", "mpeg4"),
    ("avi", "libx264"),
    ("mpegts", "libx264"),
    ("mpegts", "mpeg2video"),
    ("mpeg", "mpeg2video"),
    ("flv", "flv1"),
]


@pytest.mark.parametrize(("format", "codec"), FORMATS)
def test_every_frame_is_itself_in_order_and_out_of_order(
    clips: Any, format: str, codec: str
) -> None:
    with open_video(clips.make(format, codec, frames=50)) as video:
        assert (video.frames, video.size) == (50, (160, 96))
        assert video.fps == pytest.approx(25, rel=0.01)
        assert video.seconds == pytest.approx(2.0, rel=0.01)
        assert [video.timestamp(n) for n in (0, 1, 49)] == pytest.approx([0, 0.04, 1.96], abs=1e-3)
        assert [clips.number_of(image) for _, image in video.between(0, 49)] == list(range(50))
        order = random.Random(0).choices(range(50), k=30)
        assert [clips.number_of(video.frame(number)) for number in order] == order


@pytest.mark.parametrize("format", ["mp4", "matroska", "mpegts"])
def test_varying_frame_rate(clips: Any, format: str) -> None:
    with open_video(clips.make(format, frames=40, varying=True)) as video:
        steps = np.diff([video.timestamp(number) for number in range(40)])
        expected = [0.04 if number % 3 else 0.13 for number in range(39)]
        assert steps == pytest.approx(expected, abs=2e-3)
        order = random.Random(1).choices(range(40), k=20)
        assert [clips.number_of(video.frame(number)) for number in order] == order


@pytest.mark.parametrize(
    ("turn", "size", "red"),
    [(90, (96, 160), (5, 155)), (-90, (96, 160), (90, 5)), (180, (160, 96), (155, 90))],
)
def test_rotation_metadata_is_applied(
    clips: Any, turn: int, size: tuple[int, int], red: tuple[int, int]
) -> None:
    # The red block lies top-left; a positive turn is counter-clockwise.
    with open_video(clips.make(turn=turn, frames=3)) as video:
        assert video.size == size
        image = video.frame(1)
        assert image.size == size
        assert image.getpixel(red)[0] > 200
        assert image.getpixel(red)[1] < 80


def test_between_is_inclusive_and_checks_first(clips: Any, plain_clip: bytes) -> None:
    with open_video(plain_clip) as video:
        found = list(video.between(10, 14))
        assert [number for number, _ in found] == [10, 11, 12, 13, 14]
        assert [clips.number_of(image) for _, image in found] == [10, 11, 12, 13, 14]
        assert [number for number, _ in video.between(7, 7)] == [7]
        assert list(video.between(9, 8)) == []
        with pytest.raises(MediaError, match=r"frame 60 does not exist; allowed: frames 0\.\.59"):
            video.between(50, 60)


@pytest.mark.parametrize("number", [-1, 60, 10**9])
def test_frames_that_do_not_exist(plain_clip: bytes, number: int) -> None:
    with open_video(plain_clip, name="a.mp4") as video:
        for ask in (video.frame, video.timestamp):
            with pytest.raises(MediaError, match=r"^a\.mp4: frame .* allowed: frames 0\.\.59$"):
                ask(number)


def test_frames_are_kept_and_the_file_is_hashed(tmp_path: Path, plain_clip: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(plain_clip)
    with open_video(path) as video:
        assert video.frame(20) is video.frame(20)
        assert video.sha256 == hashlib.sha256(plain_clip).hexdigest()
        assert video.name == "a.mp4"


def test_closing_ends_it_and_frames_stay(clips: Any, plain_clip: bytes) -> None:
    video = open_video(plain_clip)
    image = video.frame(5)
    frames = video.between(0, 5)
    video.close()
    video.close()
    assert clips.number_of(image) == 5
    for ask in (lambda: video.frame(5), lambda: video.frames, lambda: next(frames)):
        with pytest.raises(MediaError, match="closed"):
            ask()


def test_data_url(plain_clip: bytes) -> None:
    url = "data:video/mp4;base64," + base64.b64encode(plain_clip).decode()
    with open_media(url) as video:
        assert isinstance(video, Video)
        assert video.frames == 60


def test_caps(plain_clip: bytes) -> None:
    for limits, reason in (
        (Limits(max_frames=59), "59 frames"),
        (Limits(max_seconds=2.0), "lasts 2 s"),
        (Limits(max_pixels=160 * 96 - 1), "160x96 pixels"),
        (Limits(max_bytes=1000), "bytes"),
    ):
        with pytest.raises(MediaError, match=reason):
            open_video(plain_clip, limits).frames  # noqa: B018


def test_caps_hold_for_files_that_hide_their_length(clips: Any) -> None:
    data = clips.make("mpegts", frames=60)
    with open_video(data, Limits(max_frames=59)) as video:
        with pytest.raises(MediaError, match="more than 59 frames"):
            video.frame(0)
        with pytest.raises(MediaError, match="more than 59 frames"):
            video.frames  # noqa: B018


def test_time_is_capped(plain_clip: bytes) -> None:
    with pytest.raises(MediaError, match="took longer than 0 s"):
        open_video(plain_clip, Limits(timeout_s=0))


def test_a_truncated_clip_gives_what_is_there(clips: Any) -> None:
    whole = clips.make("matroska", frames=60)
    with open_video(whole[: len(whole) * 2 // 3], name="cut.mkv") as video:
        assert 5 < video.frames < 60
        assert clips.number_of(video.frame(4)) == 4


def test_a_gap_in_the_data_is_reported_not_papered_over(clips: Any) -> None:
    data = bytearray(clips.make("mp4", "mjpeg", frames=30))
    start = data.index(b"mdat")
    for place in range(start + (len(data) - start) // 3, start + (len(data) - start) * 2 // 3):
        data[place] = 0
    found, damaged = [], []
    with open_video(bytes(data), name="gap.mp4") as video:
        for number in range(video.frames):
            try:
                found.append(clips.number_of(video.frame(number)))
            except MediaError as error:
                damaged.append(number)
                assert str(error).startswith(f"gap.mp4: frame {number} ")  # noqa: PT017
    assert len(damaged) >= 3
    assert found[:5] == [0, 1, 2, 3, 4]
    assert found[-3:] == [27, 28, 29]


@pytest.mark.parametrize(
    "data",
    [
        b"\0\0\0\x20ftypisom" + bytes(500),
        b"\x1a\x45\xdf\xa3" + bytes(500),
        b"RIFF\xff\xff\xff\x7fAVI LIST" + bytes(200),
        b"FLV\x01\x05\0\0\0\x09" + bytes(200),
        b"OggS" + bytes(200),
        (b"\x47" + bytes(187)) * 20,
        b"\0\0\x01\xba" + bytes(2000),
    ],
)
def test_lying_headers(data: bytes) -> None:
    with pytest.raises(MediaError) as caught:
        open_media(data, name="liar")
    assert str(caught.value).startswith("liar: ")
    assert "allowed: " in str(caught.value)
    assert "\n" not in str(caught.value)


def test_sound_alone_is_no_video() -> None:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match="has no video track"):
        open_video(buffer.getvalue())


def test_several_threads_share_a_video(clips: Any, plain_clip: bytes) -> None:
    wrong: list[int] = []

    def look(seed: int) -> None:
        for number in random.Random(seed).choices(range(60), k=15):
            if clips.number_of(video.frame(number)) != number:
                wrong.append(number)

    with open_video(plain_clip) as video:
        threads = [threading.Thread(target=look, args=(seed,)) for seed in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_memory_does_not_grow_with_the_length(clips: Any) -> None:
    data = clips.make("mp4", "mpeg4", frames=100)
    with open_video(data) as video:
        for number, image in video.between(0, 99):
            assert isinstance(image, Image.Image)
            assert len(video._cache) <= 16, number
        for number in range(0, 100, 4):
            video.frame(number)
        assert len(video._cache) == 16
