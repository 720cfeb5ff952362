"""`pixelis serve` before it listens: keys, names, settings, its log."""

from __future__ import annotations

import argparse
import json
import logging

import pytest

from pixelis.cli import serve
from pixelis.cli.journal import keep_journal
from pixelis.cli.main import main
from pixelis.cli.parser import Parser
from pixelis.errors import ConfigError
from pixelis.server.settings import Settings


def parsed(*words: str) -> argparse.Namespace:
    parser = Parser()
    serve.add_arguments(parser)
    return parser.parse_args(words)


def test_the_key_comes_from_the_flag_or_the_environment(monkeypatch):
    monkeypatch.delenv(serve.KEY, raising=False)
    assert not serve.keys_of(parsed(), Settings())
    assert serve.keys_of(parsed("--api-key", "from-the-flag"), Settings()).find("from-the-flag")
    monkeypatch.setenv(serve.KEY, "from-the-shell")
    assert serve.keys_of(parsed(), Settings()).find("from-the-shell")
    assert not serve.keys_of(parsed("--api-key", "from-the-flag"), Settings()).find(
        "from-the-shell"
    )


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.7", "my-machine", "127.0.0.1.test"])
def test_the_world_needs_a_key(host, monkeypatch):
    monkeypatch.delenv(serve.KEY, raising=False)
    with pytest.raises(ConfigError, match="a key is needed"):
        serve.keys_of(parsed(), Settings(host=host))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
def test_this_machine_does_not(host, monkeypatch):
    monkeypatch.delenv(serve.KEY, raising=False)
    assert not serve.keys_of(parsed(), Settings(host=host))


def test_help_shows_every_setting(capsys):
    assert main(["serve", "--help"]) == 0
    text = capsys.readouterr().out
    for name in Settings.model_fields:
        assert f"--{name.replace('_', '-')} " in text


def test_the_log_is_json_lines(tmp_path):
    path = tmp_path / "log.jsonl"
    log = logging.getLogger("pixelis.access")
    with keep_journal(str(path)):
        log.info("request", extra={"facts": {"status": 200, "path": "/\n\u2028"}})
        try:
            raise ValueError("line\nbreak")
        except ValueError:
            log.exception("failed")
    log.info("too late")
    first, second = (json.loads(line) for line in path.read_text().splitlines())
    assert (first["what"], first["status"], first["level"]) == ("request", 200, "info")
    assert "ValueError: line" in second["trace"]
    with pytest.raises(ConfigError, match="--log"), keep_journal(str(tmp_path / "no" / "log")):
        pass
