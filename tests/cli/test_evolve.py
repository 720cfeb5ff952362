"""`pixelis evolve` as a process: lines that mean kept, crashes, SIGTERM, learning for real."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelis.cli.evolve import Until
from pixelis.cli.main import main
from pixelis.memory import Memory
from pixelis.memory.reviews import Reviews
from pixelis.memory.verify import verify

SOURCE = Path(__file__).parents[2] / "src"
FIELDS = {"request_id", "answer", "confidence", "experience_id", "version", "decision"}


class Model(BaseHTTPRequestHandler):
    """Answers every question with the digit in it."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        digits = re.findall(rb"Which digit is ([0-9])", body)
        text = f"There are {int(digits[-1]) if digits else 0}."
        choice = {"index": 0, "message": {"role": "assistant", "content": text},
                  "finish_reason": "stop"}  # fmt: skip
        self._say({"id": "x", "object": "chat.completion", "model": "m", "choices": [choice]})

    def do_GET(self):
        self._say({"object": "list", "data": [{"id": "m", "object": "model"}]})

    def _say(self, value):
        data = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        """Quiet."""


@pytest.fixture
def model():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"openai:http://127.0.0.1:{server.server_address[1]}/v1#m"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def stream(tmp_path):
    def make(count):
        lines = []
        for number in range(count):
            pixels = np.random.default_rng(number).integers(0, 255, (32, 32, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / f"{number}.png")
            lines.append({"request_id": f"r{number}", "question": f"Which digit is {number % 10}?",
                          "image": f"{number}.png", "answer_type": "number"})  # fmt: skip
        path = tmp_path / "stream.jsonl"
        path.write_text("".join(json.dumps(line) + "\n" for line in lines))
        return path

    return make


def start(*words):
    env = {**os.environ, "PYTHONPATH": str(SOURCE), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "pixelis", "evolve", *map(str, words)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env,
    )  # fmt: skip


def whole_lines(text):
    return [json.loads(line) for line in text.split("\n")[:-1]]


def storm(path, store, model, kills, seed=0):
    """Kills the service at random points; gives every line it ever printed whole."""
    rng, lines = np.random.default_rng(seed), []
    for _ in range(kills):
        process = start(path, "--store", store, "--model", model, "--votes", 3, "--json")
        first = process.stdout.readline()
        if first:
            time.sleep(float(rng.uniform(0, 0.3)))
        process.kill()
        out, errors = process.communicate()
        assert first or process.returncode == 0 or not errors, errors
        lines += whole_lines(first + out)
    return lines


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_ten_kills_lose_nothing_that_was_acknowledged(stream, model, tmp_path):
    path, store = stream(200), tmp_path / "store"
    lines = storm(path, store, model, 10)
    process = start(path, "--store", store, "--model", model, "--votes", 3, "--json")
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    lines += whole_lines(out)
    assert all(set(line) == FIELDS for line in lines)
    ids = [line["request_id"] for line in lines]
    assert len(ids) == len(set(ids)), "nothing is answered twice"
    # A kill between keeping and telling leaves an experience without a line, one a kill at most.
    assert 190 <= len(ids) <= 200
    with Memory(store) as memory:
        assert len(memory) == 200
        assert {line["experience_id"] for line in lines} <= set(memory.ids())
        assert verify(memory).ok


@pytest.mark.slow
def test_sigterm_keeps_what_is_under_way_and_ends_well(stream, model, tmp_path):
    path, store = stream(300), tmp_path / "store"
    process = start(path, "--store", store, "--model", model, "--votes", 3, "--json")
    first = process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    lines = whole_lines(first + out)
    assert 1 <= len(lines) < 300
    with Memory(store) as memory:
        assert [line["experience_id"] for line in lines] == memory.ids()


def test_bad_usage_is_one_line(stream, tmp_path, capfd):
    assert main(["evolve", str(tmp_path / "none.jsonl"), "--store", str(tmp_path / "s")]) == 2
    path = stream(1)
    assert main(["evolve", str(path), "--store", str(tmp_path / "s"), "--low", "2"]) == 2
    heard = capfd.readouterr().err.strip().splitlines()
    assert len(heard) == 2
    assert "none.jsonl" in heard[0]
    assert "low" in heard[1]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_nano_learns_and_a_promoted_version_answers(tmp_path):
    """End to end on a lenient canary: what is shown is that every part works with the others."""
    from pixelis.data.tasks import draw

    lines = []
    families = ("attribute_recognition", "object_counting", "relationship_detection")
    for number in range(8):  # of some it is sure, of others not, so that rollouts differ
        task = draw(12, number, "train", families)
        task.image.save(tmp_path / f"{number}.png")
        lines.append({"request_id": f"q{number}", "question": task.question,
                      "image": f"{number}.png", "answer_type": task.answer_type})  # fmt: skip
    path, store = tmp_path / "s.jsonl", tmp_path / "store"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    words = ["--store", store, "--votes", 4, "--ahead", 4, "--json", "--cold", 0, "--low", 0,
             "--doubt", 0, "--high", 1, "--review", 0, "--support", 0]  # fmt: skip
    learning = ["--learn", "--wait", "--batch", 8, "--rollouts", 8, "--updates", 1, "--cap", 0.5,
                "--canary-size", 8, "--margin", 0.5]  # fmt: skip
    process = start(path, *words)
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    assert len(whole_lines(out)) == 8
    with Memory(store) as memory:  # a person's word holds; a vote may turn out another way
        reviews = Reviews(memory)
        for number, line in enumerate(whole_lines(out), 1):
            reviews.ask(line["experience_id"], "test")
            reviews.decide(number, "approve", "", "ann")
    process = start(path, *words, *learning)
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    log = (store / "learner.log").read_text()
    assert "Traceback" not in log, log
    assert "promoted" in log or "rolled-back" in log
    with Memory(store) as memory:
        from pixelis.online.versions import Versions

        versions = Versions(memory)
        assert versions.all()
        assert not versions.verify()
        versions.promote(1, "by the test")
    more = {**lines[0], "request_id": "more"}
    path.write_text(json.dumps(more) + "\n")
    process = start(path, *words)
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    assert whole_lines(out)[0]["version"] == 1


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_any_local_model_learns_when_nothing_has_to_be_examined(stream, untrained, tmp_path):
    path, store = stream(1), tmp_path / "store"
    words = [path, "--store", store, "--model", f"hf:{untrained}", "--votes", 1, "--json"]
    process = start(*words)
    out, errors = process.communicate()
    assert process.returncode == 0, errors
    [line] = whole_lines(out)
    with Memory(store) as memory:
        reviews = Reviews(memory)
        reviews.ask(line["experience_id"], "test")
        reviews.decide(1, "correct", "three", "ann")
    process = start(*words, "--learn", "--rollouts", 2, "--batch", 1)
    _, errors = process.communicate()
    assert process.returncode == 2
    assert "canary" in errors
    process = start(*words, "--learn", "--no-canaries", "--wait", "--rollouts", 2, "--batch", 1,
                    "--updates", 1)  # fmt: skip
    _, errors = process.communicate()
    assert process.returncode == 0, errors
    log = (store / "learner.log").read_text()
    assert "from version 0" in log
    assert "Traceback" not in log, log
    with Memory(store) as memory:
        assert memory.base.rows("SELECT * FROM queue") == []


def test_records_end_when_the_event_is_set():
    stop = threading.Event()
    records = iter(Until(stop, iter("abc")))
    assert next(records) == "a"
    stop.set()
    assert list(records) == []
