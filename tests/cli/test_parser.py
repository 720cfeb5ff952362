from __future__ import annotations

import argparse

import pytest

from pixelis.cli.parser import Parser, at_least, question
from pixelis.errors import ConfigError


def build() -> Parser:
    parser = Parser(prog="pixelis ask")
    parser.add_argument("--trace")
    parser.add_argument("--units", choices=("rel", "px"))
    return parser


def test_an_error_is_one_line_that_names_the_command():
    with pytest.raises(ConfigError, match=r"^ask: .*see: pixelis ask --help$"):
        build().parse_args(["--units"])


def test_options_are_not_abbreviated():
    with pytest.raises(ConfigError, match="did you mean --trace"):
        build().parse_args(["--trac", "x"])


def test_the_nearest_choice_is_named():
    with pytest.raises(ConfigError, match="did you mean rel"):
        build().parse_args(["--units", "rell"])


def test_nothing_near_names_nothing():
    with pytest.raises(ConfigError) as caught:
        build().parse_args(["--qqqq", "x"])
    assert "did you mean" not in str(caught.value)


@pytest.mark.parametrize("text", ["0", "-3", "1.5", "many", ""])
def test_numbers_below_the_least_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError):
        at_least(1)(text)


def test_numbers_from_the_least_on_are_taken():
    assert at_least(1)("1") == 1
    assert at_least(0)("0") == 0


@pytest.mark.parametrize("text", ["", "  ", "\n\t"])
def test_an_empty_question_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="the question is empty"):
        question(text)


def test_a_question_loses_the_space_around_it():
    assert question(" What is it?\n") == "What is it?"
