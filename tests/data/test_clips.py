import numpy as np
import pytest
from PIL import Image

from pixelis.data.clips import clip_of, write_clip
from pixelis.data.readers.record import Provenance, Record
from pixelis.errors import DataError
from pixelis.media import open_video

ORIGIN = Provenance("a", "0" * 64, "x")


def shade(number: int, size=(96, 64)) -> Image.Image:
    return Image.new("RGB", size, (10 * number,) * 3)


def shades(path) -> list[int]:
    with open_video(path) as video:
        return [
            round(float(np.asarray(video.frame(n))[..., 1].mean()) / 10)
            for n in range(video.frames)
        ]


def test_frames_come_back_in_order_and_an_odd_edge_is_left_out(tmp_path):
    out = tmp_path / "a.mp4"
    assert write_clip((shade(n, (97, 65)) for n in range(12)), out, 8) == 12
    assert shades(out) == list(range(12))
    with open_video(out) as video:
        assert video.size == (96, 64)
        assert video.fps == pytest.approx(8, rel=0.01)
    assert list(tmp_path.iterdir()) == [out]


def test_a_stretch_of_frames_or_seconds_is_cut(tmp_path):
    files = []
    for number in range(12):
        files.append(tmp_path / f"{number:02d}.png")
        shade(number).save(files[-1])
    frames = Record("x", "1", "frames", tuple(files), ORIGIN, fps=8)
    assert clip_of(frames, tmp_path / "a.mp4", (3, 6)) == 4
    assert shades(tmp_path / "a.mp4") == [3, 4, 5, 6]
    clip_of(frames, tmp_path / "all.mp4")
    video = Record("x", "1", "video", (tmp_path / "all.mp4",), ORIGIN, span=(0.5, 1.0))
    clip_of(video, tmp_path / "b.mp4")
    assert shades(tmp_path / "b.mp4") == [4, 5, 6, 7, 8]


def test_frames_of_two_sizes_and_no_frames_are_refused(tmp_path):
    with pytest.raises(DataError, match="frame 1 has another size"):
        write_clip([shade(1), shade(2, (32, 32))], tmp_path / "a.mp4", 8)
    with pytest.raises(DataError, match="there are no frames"):
        write_clip([], tmp_path / "b.mp4", 8)
