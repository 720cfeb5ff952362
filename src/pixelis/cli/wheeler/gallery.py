"""The page to play with: one file, or served here so that any text can be typed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from pixelis.errors import ConfigError
from pixelis.trace.page import policy

if TYPE_CHECKING:
    from pixelis.wheeler import WheelerTextAutoencoder

MOST_LETTERS = 4000
MOST_BYTES = 1 << 20


def page(model: WheelerTextAutoencoder, texts: Sequence[str], live: bool) -> str:
    """The whole page as HTML. With `live` it asks its server for frames of other texts."""
    style, script = asset("gallery.css"), asset("gallery.js")
    rules = policy((style,), (script,)) + ("; connect-src 'self'" if live else "")
    data = {
        "side": model.shape.grid,
        "levels": model.shape.levels,
        "live": live,
        "beta": 60,
        "eta": 0.5,
        "memories": [told(model, text) for text in dict.fromkeys(texts)],
    }
    filled = asset("gallery.html")
    for name, value in (
        ("POLICY", rules),
        ("STYLE", style),
        ("DATA", json.dumps(data).replace("<", "\\u003c")),
        ("SCRIPT", script),
    ):
        filled = filled.replace("{{" + name + "}}", value)
    return filled


def told(model: WheelerTextAutoencoder, text: str) -> dict[str, Any]:
    """A text with its frame (a byte a cell, base64) and what the frame reads as."""
    frame = model.frames(text)
    reads = model.decode(model.set_grid_from_image(frame))
    steps = np.rint((frame[0].numpy() + 1) / 2 * 254).astype(np.uint8)
    return {"text": text, "reads": reads, "frame": base64.b64encode(steps.tobytes()).decode()}


@cache
def asset(name: str) -> str:
    """The text of a file of the page."""
    return (files("pixelis.cli.wheeler") / "page" / name).read_text(encoding="utf-8")


def serve(
    model: WheelerTextAutoencoder,
    texts: Sequence[str],
    port: int,
    ready: Callable[[str], None],
) -> None:
    """Serves the page on this machine alone until interrupted; ConfigError for a port in use."""
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler(model, page(model, texts, True)))
    except (OSError, OverflowError) as error:
        raise ConfigError(f"--serve {port}: the port cannot be used ({error})") from error
    with server:
        ready(f"http://127.0.0.1:{server.server_address[1]}/")
        server.serve_forever()


def answer(model: WheelerTextAutoencoder, path: str, asked: dict[str, Any]) -> dict[str, Any]:
    """What the page gets: the frame of a text, or the text of a frame."""
    if path == "/draw":
        return told(model, str(asked["text"])[:MOST_LETTERS])
    raw = np.frombuffer(base64.b64decode(asked["frame"]), np.uint8).astype(np.float32)
    side = model.shape.grid
    frame = (raw / 127 - 1).clip(-1, 1).reshape(side, side)
    return {"reads": model.decode(model.set_grid_from_image(frame))}


def handler(model: WheelerTextAutoencoder, html: str) -> type[BaseHTTPRequestHandler]:
    """Answers `/` with the page, `/draw` with the frame of a text, `/read` with that of a frame.

    Only requests that name this machine as their host are answered, so that no other page can ask.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here = self.path == "/" and self._is_ours()
            self._send(*((200, html, "text/html") if here else (404, "not here", "text/plain")))

        def do_POST(self) -> None:
            try:
                size = int(self.headers.get("Content-Length", "0"))
                if not self._is_ours() or size > MOST_BYTES:
                    self._send(403, "refused", "text/plain")
                    return
                answer = self._answer(json.loads(self.rfile.read(size)))
            except (ValueError, KeyError, TypeError) as error:
                self._send(400, f"not understood: {error}", "text/plain")
                return
            self._send(200, json.dumps(answer), "application/json")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the terminal belongs to the command."""

        def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
            return answer(model, self.path, asked)

        def _is_ours(self) -> bool:
            host = self.headers.get("Host", "").rsplit(":", 1)[0]
            return host in ("127.0.0.1", "localhost")

        def _send(self, code: int, text: str, kind: str) -> None:
            body = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
