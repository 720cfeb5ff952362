"""The process behind `isolated=True`: decodes one video on request over standard input/output."""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import numpy as np

from pixelis.errors import MediaError
from pixelis.media.limits import Limits
from pixelis.media.reader import Reader
from pixelis.media.source import Source

Request = tuple[dict[str, Any], bytes]


def main() -> None:
    """Serves requests until standard input ends; the parent may kill it at any time."""
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up between the replies
    requests: queue.Queue[Request] = queue.Queue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    reader: Reader | None = None
    while True:
        request, data = requests.get()
        try:
            if request["do"] == "open":
                reader, head, raw = *_open(request, data), b""
            else:
                assert reader is not None
                head, raw = _answer(reader, request)
        except MediaError as error:
            head, raw = {"error": str(error)}, b""
        replies.write(json.dumps({**head, "bytes": len(raw)}).encode() + b"\n" + raw)
        replies.flush()


def _listen(pipe: IO[bytes], requests: queue.Queue[Request]) -> None:
    """Reads beside the decoder, so that a worker whose parent died ends even when decoding."""
    for line in pipe:
        request = json.loads(line)
        requests.put((request, pipe.read(int(request.get("bytes", 0)))))
    os._exit(0)


def _open(request: dict[str, Any], data: bytes) -> tuple[Reader, dict[str, Any]]:
    limits = Limits(**request["limits"])
    _limit_memory(limits.max_memory)
    path = None if request["path"] is None else Path(request["path"])
    source = Source(request["name"], request["label"], path, data if path is None else None)
    reader = Reader(source, request["format"], limits)
    return reader, {"width": reader.size.width, "height": reader.size.height}


def _answer(reader: Reader, request: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    if request["do"] == "frame":
        return {}, reader.frame(int(request["number"])).tobytes()
    timeline = reader.timeline
    raw = np.concatenate([timeline.stamps, timeline.keys]).astype(np.int64).tobytes()
    head = {
        "frames": len(timeline),
        "unit": timeline.unit,
        "last_s": timeline.last_s,
        "counted": timeline.counted,
    }
    return head, raw


def _limit_memory(count: int) -> None:
    """Caps the address space where the system can; elsewhere the pixel caps have to do."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (count, count))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
