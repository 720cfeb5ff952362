from __future__ import annotations

import json
import os
import sys
import warnings

import pytest

from pixelis.cli.output import Printer, emit_json, one_line, only_our_stderr, printable


def test_text_cannot_drive_the_terminal():
    assert "\x1b" not in printable("\x1b[2J\x1b]0;title\x07")
    assert printable("two\nlines\tand a tab") == "two\nlines\tand a tab"
    assert "\u202e" not in printable("abc\u202edef")


def test_one_line_is_one_line():
    assert one_line("a\n  b\r\n\tc ") == "a b c"


def test_libraries_are_silent_and_we_are_heard(capfd, monkeypatch):
    monkeypatch.delenv("PIXELIS_DEBUG", raising=False)
    with only_our_stderr() as complain:
        os.write(2, b"noise from C code\n")
        print("noise from python", file=sys.__stderr__, flush=True)
        warnings.warn("noise from a library", stacklevel=1)
        complain("pixelis: what matters")
    os.write(2, b"afterwards\n")
    assert capfd.readouterr().err == "pixelis: what matters\nafterwards\n"


def test_debugging_silences_nothing(capfd, monkeypatch):
    monkeypatch.setenv("PIXELIS_DEBUG", "1")
    with only_our_stderr():
        os.write(2, b"noise\n")
    assert capfd.readouterr().err == "noise\n"


def test_fields_line_up(capsys):
    Printer().field("saw", "first\nsecond")
    assert capsys.readouterr().out == "  saw        first\n             second\n"


def test_no_colours_outside_a_terminal(capsys):
    Printer().line("answer", "green", "bold")
    assert capsys.readouterr().out == "answer\n"


@pytest.mark.parametrize("value", [{"a": "ü"}, [], [1, None]])
def test_json_is_one_document(capsys, value):
    emit_json(value)
    assert json.loads(capsys.readouterr().out) == value
