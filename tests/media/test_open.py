from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelis.errors import MediaError
from pixelis.media import Limits, Picture, Video, open_media, open_picture, open_video


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (9, 5), "blue").save(buffer, "PNG")
    return buffer.getvalue()


def test_the_content_decides_not_the_name(tmp_path: Path, plain_clip: bytes) -> None:
    (tmp_path / "clip.png").write_bytes(plain_clip)
    (tmp_path / "picture.mp4").write_bytes(png())
    with open_media(tmp_path / "clip.png") as video, open_media(tmp_path / "picture.mp4") as still:
        assert isinstance(video, Video)
        assert isinstance(still, Picture)
        assert still.image.getpixel((0, 0)) == (0, 0, 255)
    with pytest.raises(MediaError, match="is a png picture"):
        open_video(tmp_path / "picture.mp4")
    with pytest.raises(MediaError, match="is a video"):
        open_picture(tmp_path / "clip.png")


def test_bytes_arrays_images_and_opened_media(plain_clip: bytes) -> None:
    with open_media(plain_clip, name="upload.mp4") as video:
        assert video.name == "upload.mp4"
        assert open_media(video) is video
    for source in (png(), bytearray(png()), Image.new("RGB", (9, 5)), np.zeros((5, 9), np.uint8)):
        assert open_media(source).size == (9, 5)


def test_an_animated_gif_is_a_picture() -> None:
    buffer = io.BytesIO()
    frames = [Image.new("RGB", (4, 4), color) for color in ("red", "blue")]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    assert open_media(buffer.getvalue()).image.getpixel((0, 0)) == (255, 0, 0)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/a.png",
        "HTTPS://example.com/a.png",
        "ftp://example.com/a.png",
        "file:///etc/hostname",
        "concat://a.mp4",
    ],
)
def test_remote_media_is_off(url: str) -> None:
    with pytest.raises(MediaError, match="remote media is off"):
        open_media(url)


@pytest.mark.parametrize(
    "content",
    [
        b"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:1,\n/etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"%!PS-Adobe-3.0 EPSF-3.0\n",
        b"8BPS\0\1" + bytes(30),
        b"\0\0\1\0\1\0" + bytes(30),
    ],
)
def test_formats_off_the_list_are_refused(content: bytes) -> None:
    with pytest.raises(MediaError, match=r"allowed: pictures png, .*; videos mp4"):
        open_media(content, name="a.mp4")


def test_limits_speak_in_round_numbers() -> None:
    assert (Limits().pixels, Limits().bytes) == ("64 Mpx", "512 MiB")
    assert (Limits(max_pixels=100).pixels, Limits(max_bytes=10).bytes) == ("100 px", "10 bytes")
