"""The clients of `examples/`, as a user runs them, against a real server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from pixelis.agent import Agent
from pixelis.server.keys import Keys
from pixelis.server.settings import Settings

_spec = spec_from_file_location("examples_rig", Path(__file__).parents[1] / "server" / "rig.py")
rig = sys.modules["examples_rig"] = module_from_spec(_spec)
_spec.loader.exec_module(rig)

EXAMPLES = rig.ROOT / "examples"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def told():
    """Runs a command with the server's address, in the folder of the examples."""
    with Agent.load("nano") as agent, rig.running({"nano": agent}, Settings(port=0), Keys()) as s:
        direct = agent.ask(str(rig.SCENE), rig.QUESTION)

        def run(*words: str) -> tuple[str, str]:
            done = subprocess.run(
                words,
                cwd=EXAMPLES,
                env={**os.environ, "PIXELIS_URL": s.base},
                capture_output=True,
                text=True,
                timeout=240,
            )
            assert done.returncode == 0, done.stderr
            return done.stdout, direct.answer.text

        yield run


def test_the_stream_prints_steps_then_the_answer(told):
    out, answer = told(sys.executable, "stream.py", str(rig.SCENE), rig.QUESTION)
    *steps, last = out.splitlines()
    assert steps[0].startswith("zoom_in")
    assert last == f"answer: {answer}"


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_curl_alone(told):
    out, answer = told("./ask.sh", str(rig.SCENE), rig.QUESTION)
    assert json.loads(out)["choices"][0]["message"]["content"] == answer


def test_the_notebook_runs_from_top_to_bottom(told):
    cells = json.loads((EXAMPLES / "notebook.ipynb").read_text())["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    out, answer = told(sys.executable, "-c", f"{code}\nprint(message.content, picture.size)")
    assert out.strip() == f"{answer} (809, 607)"
