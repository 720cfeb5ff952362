"""A video decoded in a worker process, so that a hostile file can hang or crash only that.

Requests and replies are one line of JSON each, followed by raw bytes where announced: nothing
the worker says is executed, and nothing is unpickled.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from functools import cached_property
from typing import IO, Any

import numpy as np
from PIL import Image

from pixelis.errors import MediaError
from pixelis.geometry import Size
from pixelis.media.limits import Limits
from pixelis.media.sniff import VIDEOS
from pixelis.media.source import Source, refusal
from pixelis.media.timeline import Timeline

_COMMAND = "from pixelis.media.worker import main; main()"
# The worker keeps to the time limit itself; this is for when it cannot.
_GRACE_S = 2.0
_START_S = 20.0
# The worker gets no secrets: only what a Python needs to start.
_ENVIRONMENT = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "LANG", "TMPDIR")
_LINE_BYTES = 1 << 16


class IsolatedReader:
    """Decodes one video in a process of its own; same results and errors as `Reader`.

    A worker that takes longer than the limits allow is killed and the request fails with
    MediaError; the next request starts a fresh one.
    """

    def __init__(self, source: Source, format: str, limits: Limits) -> None:
        self._source, self._format, self._limits = source, format, limits
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self.size = self._start()
        except MediaError:
            self.close()
            raise

    @cached_property
    def timeline(self) -> Timeline:
        head, raw = self._request({"do": "timeline"})
        values = np.frombuffer(raw, dtype=np.int64)
        frames = int(head["frames"])
        if not 0 < frames <= min(self._limits.max_frames, len(values)):
            raise self._lost("sent a broken timeline")
        return Timeline(
            values[:frames],
            values[frames:],
            float(head["unit"]),
            float(head["last_s"]),
            bool(head["counted"]),
        )

    def frame(self, number: int) -> Image.Image:
        _, raw = self._request({"do": "frame", "number": number})
        if len(raw) != self.size.width * self.size.height * 3:
            raise self._lost("sent a broken frame")
        return Image.frombytes("RGB", self.size, raw)

    def close(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()
        process.wait()

    def __del__(self) -> None:
        self.close()

    def _start(self) -> Size:
        environment = {key: os.environ[key] for key in _ENVIRONMENT if key in os.environ}
        environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        source, data = self._source, self._source.data or b""
        request = {
            "do": "open",
            "format": self._format,
            "limits": vars(self._limits),
            "name": source.name,
            "label": source.label,
            "path": os.path.abspath(source.path) if source.path is not None else None,
            "bytes": len(data),
        }
        head, _ = self._exchange(request, data, _START_S)
        return Size(int(head["width"]), int(head["height"]))

    def _request(self, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        if self._process is None:
            self._start()
        return self._exchange(request, b"", 0.0)

    def _exchange(
        self, request: dict[str, Any], data: bytes, extra_s: float
    ) -> tuple[dict[str, Any], bytes]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        allowed_s = self._limits.timeout_s + _GRACE_S + extra_s
        timer = threading.Timer(allowed_s, process.kill)
        timer.daemon = True
        timer.start()
        whole = False
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n" + data)
            process.stdin.flush()
            head, raw = _reply(process.stdout, self._largest())
            whole = True
        except (OSError, ValueError, EOFError) as error:
            late = timer.finished.is_set()
            reason = f"took longer than {allowed_s:g} s" if late else "crashed the decoder"
            raise self._lost(reason) from error
        finally:
            timer.cancel()
            if (
                not whole
            ):  # also when interrupted: the rest of the reply would be taken for the next
                self.close()
        if "error" in head:
            raise MediaError(str(head["error"]))
        return head, raw

    def _largest(self) -> int:
        """The most bytes a reply may announce: one frame, or a stamp and a key for each frame."""
        return max(self._limits.max_pixels * 3, self._limits.max_frames * 16)

    def _lost(self, reason: str) -> MediaError:
        self.close()
        return refusal(self._source.name, reason, f"undamaged videos {VIDEOS}")


def _reply(pipe: IO[bytes], largest: int) -> tuple[dict[str, Any], bytes]:
    line = pipe.readline(_LINE_BYTES)
    if not line.endswith(b"\n"):
        raise EOFError("the worker ended")
    head = json.loads(line)
    count = int(head.get("bytes", 0))
    if not 0 <= count <= largest:
        raise ValueError("the worker announced too many bytes")
    raw = pipe.read(count)
    if len(raw) < count:
        raise EOFError("the worker ended")
    return head, raw
