"""The options that choose a model, and what of them is kept with answers."""

from __future__ import annotations

import argparse

import pytest

from pixelis.cli.model import DIALECT_NAMES, add_model, chosen, loading, shown
from pixelis.errors import ConfigError
from pixelis.models.dialects import DIALECTS


def parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_model(parser)
    return parser.parse_args(words)


def test_the_dialects_of_the_help_are_all_there_are():
    assert list(DIALECT_NAMES) == list(DIALECTS)


def test_what_an_agent_is_told():
    assert set(loading(parsed()).values()) == {None, False}
    words = ("--dialect", "thyme", "--quantize", "int8", "--max-pixels", "9", "--allow-download")
    assert loading(parsed(*words)) == {
        "allow_download": True,
        "dialect": "thyme",
        "quantize": "int8",
        "min_pixels": None,
        "max_pixels": 9,
    }


def test_an_unknown_dialect_is_refused_before_a_model_is_loaded():
    with pytest.raises(ConfigError, match="did you mean 'mini-o3'"):
        loading(parsed("--dialect", "mini-03"))


@pytest.mark.parametrize(
    "command",
    [
        ("ask", "none.png", "?"),
        ("eval", "worlds"),
        ("watch", "none", "?", "--out", "r.csv"),
        ("replay", "none.json", "--model", "nano"),
    ],
)
def test_an_unknown_dialect_is_one_line_with_all_names(inside, command):
    done = inside(*command, "--dialect", "mini-03")
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("pixelis: dialect 'mini-03' is not known; dialects are qwen3-vl, ")
    assert all(name in line for name in DIALECT_NAMES)
    assert line.endswith("did you mean 'mini-o3'?")


def test_what_may_change_an_answer_is_kept():
    assert chosen(parsed("--allow-download")) == {}
    assert chosen(parsed("--dialect", "x", "--min-pixels", "7")) == {
        "dialect": "x",
        "min_pixels": 7,
    }


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        ("nano", "nano"),
        ("hf:a@b/c", "hf:a@b/c"),
        ("openai:http://h.test:8/v1?timeout=2#a/b@c", "openai:http://h.test:8/v1?timeout=2#a/b@c"),
        ("openai:https://me:secret@h.test/v1#m", "openai:https://h.test/v1#m"),
        ("openai:https://me:se@cret@h.test/v1#m", "openai:https://h.test/v1#m"),
    ],
)
def test_no_password_is_written_into_files(spec, kept):
    assert shown(spec) == kept
