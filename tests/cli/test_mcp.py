"""`pixelis mcp` before it serves; the protocol itself is tested with its official client."""

from __future__ import annotations

import pytest

from pixelis.cli import mcp
from pixelis.cli.main import USAGE, main
from pixelis.cli.parser import Parser
from pixelis.server.settings import Settings


def tools(*words: str):
    parser = Parser()
    mcp.add_arguments(parser)
    return mcp._tools(parser.parse_args(words), Settings())


def test_paths_are_taken_from_this_folder_unless_over_http(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert tools().roots == [tmp_path]
    assert tools("--http").roots == []
    (tmp_path / "in").mkdir()
    assert tools("--http", "--root", "in").roots == [tmp_path / "in"]


def test_a_root_that_is_no_folder_is_told(capfd):
    assert main(["mcp", "--root", "nowhere"]) == USAGE
    assert "nowhere is no folder" in capfd.readouterr().err


@pytest.mark.parametrize("words", [["--http", "--host", "0.0.0.0"]])
def test_the_world_needs_a_key(words, capfd, monkeypatch):
    monkeypatch.delenv("PIXELIS_API_KEY", raising=False)
    assert main(["mcp", *words]) == USAGE
    assert "a key is needed" in capfd.readouterr().err
