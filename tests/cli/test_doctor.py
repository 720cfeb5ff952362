"""`pixelis doctor` on this machine, and on one with a problem."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.slow
def test_this_machine(pixelis):
    done = pixelis("doctor", "--json")
    told = json.loads(done.stdout)
    states = {each["name"]: each["state"] for each in told["findings"]}
    assert states["model nano"] == states["ocr"] == states["torch"] == "ok"
    assert told["healthy"] == ("bad" not in states.values()) == (done.returncode == 0)
    assert all(each["cure"] for each in told["findings"] if each["state"] == "bad")


@pytest.mark.slow
def test_a_problem_is_told_with_its_cure(pixelis):
    done = pixelis("doctor", env={"MAX_PIXELS": "many", "HF_ENDPOINT": "hub.test"})
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "HF_ENDPOINT, pixels" in done.stderr
    assert "bad   pixels: MAX_PIXELS = 'many' is not a whole number" in done.stdout
    assert "unset it, or give a whole number" in done.stdout


@pytest.mark.slow
def test_a_broken_torch_is_told_and_the_rest_looked_at(pixelis, tmp_path):
    (tmp_path / "torch").mkdir()
    (tmp_path / "torch" / "__init__.py").write_text("raise ImportError('libtorch.so is gone')")
    path = os.pathsep.join([str(tmp_path), str(SOURCE)])
    done = pixelis("doctor", "--json", env={"PYTHONPATH": path})
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert "internal error" not in done.stderr
    found = {each["name"]: each for each in json.loads(done.stdout)["findings"]}
    assert "libtorch.so is gone" in found["torch"]["found"]
    assert found["torch"]["cure"]
    assert {"disk", "memory", "opencv"} <= set(found)
