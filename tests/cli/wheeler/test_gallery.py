from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from http.server import ThreadingHTTPServer

import httpx2 as httpx
import numpy as np
import pytest

from pixelis.cli.wheeler.gallery import handler, page, told
from pixelis.wheeler.checkpoint import load


@pytest.fixture(scope="module")
def model(folder):
    return load(folder)


def test_the_page_holds_all_it_needs_and_trusts_nothing_else(model):
    text = page(model, ["red </script><b>boat", "a cat", "a cat"], live=False)
    assert "{{" not in text
    rules = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert "default-src 'none'" in rules
    assert "connect-src" not in rules
    script = re.search(r"<script>(.*?)</script>", text, re.S)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert digest in rules
    assert not re.search(r"https?://", text)
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.S)[1])
    assert [m["text"] for m in data["memories"]] == ["red </script><b>boat", "a cat"]
    raw = np.frombuffer(base64.b64decode(data["memories"][1]["frame"]), np.uint8)
    np.testing.assert_allclose(raw / 127.0 - 1, model.frames("a cat").flatten(), atol=1e-6)
    assert data["memories"][1]["reads"] == "a cat"


def test_the_server_draws_and_reads_for_this_machine_alone(model):
    html = page(model, ["a cat"], live=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(model, html))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with httpx.Client(base_url=base) as client:
            assert client.get("/").text == html
            assert client.get("/etc/passwd").status_code == 404
            drawn = client.post("/draw", json={"text": "red boat"}).json()
            assert drawn == told(model, "red boat")
            read = client.post("/read", json={"frame": drawn["frame"]}).json()
            assert read == {"reads": "red boat"}
            assert client.post("/read", json={"frame": "AAAA"}).status_code == 400
            assert client.post("/draw", content=b"{").status_code == 400
            strange = {"Host": "evil.example"}
            assert client.post("/draw", json={"text": "x"}, headers=strange).status_code == 403
            assert client.get("/", headers=strange).status_code == 404
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
