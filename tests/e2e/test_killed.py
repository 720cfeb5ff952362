"""An evaluation killed with SIGKILL in the middle goes on to the very results of a whole one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.slow
WORDS = ["worlds", "--control", "oracle", "--limit", "12", "--families"]
FAMILIES = "attribute_recognition,object_counting"
CHANGING = ("seconds", "wall_s", "episode")


def start(out):
    command = [sys.executable, "-m", "pixelis.cli.main", "eval", *WORDS, FAMILIES]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [*command, "--out", str(out), "--json"], stdout=subprocess.PIPE, env=environment
    )


def kept(out):
    path = out / "results.jsonl"
    lines = path.read_bytes().split(b"\n")[1:-1] if path.exists() else []
    return {record["id"]: record for record in map(json.loads, lines)}


def plain(records):
    return {
        name: {key: value for key, value in record.items() if key not in CHANGING}
        for name, record in records.items()
    }


def test_killed_and_resumed_is_the_same_as_uninterrupted(tmp_path):
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    process = start(broken)
    until = time.monotonic() + 300
    while len(kept(broken)) < 3 and process.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    before = kept(broken)
    assert 3 <= len(before) < 12
    told, _ = start(broken).communicate(timeout=300)
    resumed = json.loads(told)
    after = kept(broken)
    assert {name: after[name] for name in before} == before  # not asked again
    told, _ = start(whole).communicate(timeout=300)
    uninterrupted = json.loads(told)
    assert plain(after) == plain(kept(whole))
    same = set(resumed) - {"seconds_per_question", "command"}
    assert {key: resumed[key] for key in same} == {key: uninterrupted[key] for key in same}
