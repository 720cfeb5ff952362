"""Wheeler's page as a person uses it: frames are spoilt, settle and are read."""

from __future__ import annotations

import threading
import time
from http.server import ThreadingHTTPServer

import numpy as np
import pytest

from pixelis.cli.wheeler.gallery import handler, page
from pixelis.wheeler import WheelerMemoryCPU, WheelerTextAutoencoder

TEXTS = (
    "The old sailor Tom found the red boat near the harbour.",
    "The old sailor Tom found the red kite near the harbour.",
    "A fox crossed the frozen lake at midnight.",
)
SHOWN = (
    "(() => { const c = document.getElementById('frame');"
    "return Array.from(c.getContext('2d').getImageData(0, 0, c.width, c.height).data); })()"
)


@pytest.fixture(scope="module")
def model():
    return WheelerTextAutoencoder.load_from_checkpoint("small")


def wait(browser, condition: str, seconds: float = 30) -> None:
    until = time.monotonic() + seconds
    while not browser.run(condition):
        assert time.monotonic() < until, f"never came true: {condition}"
        time.sleep(0.05)


def reads(browser) -> str:
    return browser.run("document.getElementById('reads').textContent")


def shown(browser) -> np.ndarray:
    """The frame on the page, from its colours: brown 1, blue -1, white 0."""
    side = browser.run("document.getElementById('frame').width")
    red = np.array(browser.run(SHOWN), float).reshape(side, side, 4)[..., 0]
    blue = np.array(browser.run(SHOWN), float).reshape(side, side, 4)[..., 2]
    return np.where(np.abs(red - blue) < 10, 0, np.sign(red - blue))


def test_a_page_of_one_file_settles_what_was_spoilt(browser, model, tmp_path):
    path = tmp_path / "wheeler.html"
    path.write_text(page(model, TEXTS, live=False), encoding="utf-8")
    browser.open(path.as_uri())
    frame = model.frames(TEXTS[0])[0].numpy()
    assert np.array_equal(shown(browser), frame)
    assert reads(browser) == TEXTS[0]
    browser.click("#dohide")
    half = len(frame) // 2
    assert not shown(browser)[:half].any()
    assert np.array_equal(shown(browser)[half:], frame[half:])
    assert "spoilt" in reads(browser)
    browser.click("#settle")
    wait(browser, f"document.getElementById('reads').textContent === {TEXTS[0]!r}")
    assert np.array_equal(shown(browser), frame)
    state = browser.run("document.getElementById('state').textContent")
    kept = model.frames(list(TEXTS)).numpy()
    hurt = frame.copy()
    hurt[:half] = 0
    ticks = WheelerMemoryCPU(*frame.shape, memories=kept).settle(hurt).ticks
    assert abs(int(state.split()[1].rstrip(",")) - ticks) <= 1  # the page reckons in float32
    assert "SINGLE" in state
    browser.click("#memories li:nth-child(3) button")
    assert reads(browser) == TEXTS[2]
    browser.hover("#frame")
    browser.click("#frame")
    assert (shown(browser) == 0).sum() == 9
    browser.click("#reset")
    assert (shown(browser) == 0).sum() == 0
    assert [c for c in browser.complaints if "getImageData" not in c] == []  # that is this test
    assert browser.requests == [path.as_uri()]


def test_a_served_page_draws_and_reads_any_text(browser, model):
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler(model, page(model, TEXTS, True)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    base = f"http://127.0.0.1:{server.server_address[1]}/"
    try:
        browser.open(base)
        browser.run("document.getElementById('text').value = 'Two grey stones </b>'")
        browser.click("#keep")
        wait(browser, "document.getElementById('reads').textContent === 'Two grey stones </b>'")
        assert browser.run("document.querySelectorAll('#memories li').length") == len(TEXTS) + 1
        browser.click("#doflip")
        wait(browser, "!document.getElementById('reads').textContent.startsWith('Two grey')")
        browser.click("#settle")
        wait(browser, "document.getElementById('reads').textContent === 'Two grey stones </b>'")
        assert {request.split("?")[0] for request in browser.requests} <= {
            base, f"{base}draw", f"{base}read", f"{base}favicon.ico"
        }  # fmt: skip
        assert [c for c in browser.complaints if "favicon" not in c and "404" not in c] == []
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
