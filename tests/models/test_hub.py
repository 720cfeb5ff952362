from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from pixelis.errors import ModelError
from pixelis.models.hub import find_checkpoint


def test_a_folder_is_itself(tmp_path):
    assert find_checkpoint(str(tmp_path)) == tmp_path
    assert find_checkpoint("/no/such/folder").name == "folder"


def test_nothing_is_fetched_unless_allowed(tmp_path):
    """In a process whose hub is a port that would notice being asked."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.2)
        port = listener.getsockname()[1]
        code = (
            "from pixelis.models.hub import find_checkpoint\n"
            "try: find_checkpoint('some-one/some-model')\n"
            "except RuntimeError as error: print(error)"
        )
        place = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(tmp_path)}
        done = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, **place},
            capture_output=True,
            text=True,
            check=True,
        )
        assert "nothing is fetched unless you add --allow-download" in done.stdout
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_hub_out_of_reach_is_one_line(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    code = (
        "from pixelis.models.hub import find_checkpoint\n"
        "try: find_checkpoint('some-one/some-model', True)\n"
        "except RuntimeError as error: print(type(error).__name__, error)"
    )
    place = {"HF_ENDPOINT": f"http://127.0.0.1:{port}", "HF_HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, **place}, capture_output=True, text=True
    )
    assert done.stdout.startswith("ModelError some-one/some-model cannot be downloaded: ")
    assert len(done.stdout.splitlines()) == 1


def test_a_name_that_is_no_id_is_a_folder():
    with pytest.raises(ModelError, match="no folder"):
        find_checkpoint("some-one/some-model-that-is-not-here")
