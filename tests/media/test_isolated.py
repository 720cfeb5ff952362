from __future__ import annotations

import os
import random
import signal
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pixelis.errors import MediaError
from pixelis.media import Limits, open_media, open_video
from pixelis.media.isolated import _ENVIRONMENT

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


def pid(video: Any) -> int:
    return video._reader._process.pid


def test_same_frames_and_times_as_in_this_process(clips: Any, tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    path.write_bytes(clips.make("matroska", frames=40, varying=True, turn=0))
    with open_video(path) as near, open_video(path, isolated=True) as far:
        assert (far.frames, far.size, far.seconds) == (near.frames, near.size, near.seconds)
        for number in random.Random(2).choices(range(40), k=10):
            assert far.timestamp(number) == near.timestamp(number)
            assert (np.asarray(far.frame(number)) == np.asarray(near.frame(number))).all()


def test_same_errors_as_in_this_process(tmp_path: Path, plain_clip: bytes) -> None:
    cut = plain_clip[: len(plain_clip) // 2]
    for source, limits in ((cut, Limits()), (plain_clip, Limits(max_frames=10))):
        messages = []
        for isolated in (False, True):
            with pytest.raises(MediaError) as caught:
                open_media(source, limits, name="b.mp4", isolated=isolated)
            messages.append(str(caught.value))
        assert messages[0] == messages[1]


@posix
def test_a_killed_worker_is_an_error_and_the_next_request_starts_another(
    clips: Any, plain_clip: bytes
) -> None:
    with open_media(plain_clip, name="c.mp4", isolated=True) as video:
        first = pid(video)
        assert video.frames == 60
        os.kill(first, signal.SIGKILL)
        with pytest.raises(MediaError, match=r"^c\.mp4: crashed the decoder; allowed: "):
            video.frame(30)
        assert clips.number_of(video.frame(30)) == 30
        assert pid(video) != first


@posix
def test_a_hanging_worker_is_killed_in_time(plain_clip: bytes) -> None:
    with open_media(plain_clip, Limits(timeout_s=0.5), name="d.mp4", isolated=True) as video:
        assert video.frames == 60
        worker = pid(video)
        os.kill(worker, signal.SIGSTOP)
        start = time.monotonic()
        with pytest.raises(MediaError, match=r"^d\.mp4: took longer than 2\.5 s"):
            video.frame(30)
        assert time.monotonic() - start < 20
        with pytest.raises(ProcessLookupError):
            os.kill(worker, 0)


@posix
def test_closing_ends_the_worker(plain_clip: bytes) -> None:
    video = open_media(plain_clip, isolated=True)
    worker = pid(video)
    video.close()
    with pytest.raises(ProcessLookupError):
        os.kill(worker, 0)


@posix
def test_the_worker_gets_no_secrets(plain_clip: bytes) -> None:
    with open_media(plain_clip, isolated=True) as video:
        environment = Path(f"/proc/{pid(video)}/environ")
        if not environment.exists():
            pytest.skip("needs /proc")
        entries = environment.read_bytes().split(b"\0")
        names = {entry.split(b"=")[0].decode() for entry in entries if entry}
    assert names <= {*_ENVIRONMENT, "PYTHONPATH"}
