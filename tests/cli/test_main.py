from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest

from pixelis.cli.main import COMMANDS, build_parser, exit_code, explain, main
from pixelis.errors import ConfigError, JobError, MediaError, OpError

SOURCE = Path(__file__).parents[2] / "src"


def one_line_on_stderr(done: subprocess.CompletedProcess[str]) -> str:
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("pixelis: ")
    assert "Traceback" not in done.stderr
    return lines[0]


@pytest.fixture
def bad(tmp_path, card):
    """Files that are no pictures, by the reason."""
    files = {name: tmp_path / f"{name}.jpg" for name in ("text", "empty", "cut", "folder")}
    files["text"].write_text("this is no picture\n")
    files["empty"].touch()
    files["cut"].write_bytes(card.read_bytes()[:200])
    files["folder"].mkdir()
    return {**files, "missing": tmp_path / "missing.jpg"}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing", "no such file"),
        ("text", "text"),
        ("empty", "empty"),
        ("cut", ""),
        ("folder", "folder"),
    ],
)
def test_unusable_media(pixelis, bad, name, reason):
    done = pixelis("ask", bad[name], "What is this?")
    assert done.returncode == 2
    line = one_line_on_stderr(done)
    assert bad[name].name in line
    assert reason in line


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["  "], "question is empty"),
        (["Why?", "--model", "nanno"], "did you mean 'nano'"),
        (["Why?", "--model", "hf:nowhere"], "nowhere"),
        (["Why?", "--trace", "trace.txt"], "must end in .html or .json"),
        (["Why?", "--trace", "nowhere/trace.html"], "there is no folder"),
        (["Why?", "--max-steps", "0"], "need 1 or more"),
        (["Why?", "--max-steps", "few"], "not a whole number"),
        (["Why?", "--trase", "x.html"], "did you mean --trace"),
        ([], "QUESTION"),
    ],
)
def test_bad_usage_of_ask(pixelis, card, options, reason):
    done = pixelis("ask", card, *options)
    assert done.returncode == 2
    assert reason in one_line_on_stderr(done)
    assert done.stdout == ""


@pytest.mark.skipif(os.name != "posix", reason="file permissions are those of POSIX")
def test_an_unwritable_trace_is_refused_before_the_model_is_loaded(pixelis, card):
    done = pixelis("ask", card, "Why?", "--trace", "/proc/trace.html", "--model", "hf:nowhere")
    assert done.returncode == 2
    assert "/proc/trace.html" in one_line_on_stderr(done)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["zoom_inn"], "zoom_inn"),
        (["zoom_in", "--args", "{bbox}"], "not JSON"),
        (["zoom_in", "--args", "[1, 2]"], "must be a JSON object"),
        (["zoom_in", "--args", "[" * 20_000], "nested too deeply"),
        (["zoom_in", "--units", "mm"], "invalid choice"),
    ],
)
def test_bad_usage_of_ops(pixelis, card, words, reason):
    op, *options = words
    done = pixelis("ops", "run", op, card, *options)
    assert done.returncode == 2
    assert reason in one_line_on_stderr(done)


@pytest.mark.parametrize("words", [[], ["nothing"], ["--nothing"], ["ops"], ["ops", "nothing"]])
def test_bad_usage_of_the_command(pixelis, words):
    done = pixelis(*words)
    assert done.returncode == 2
    assert "--help" in one_line_on_stderr(done)


def test_a_mistyped_command_names_the_nearest(pixelis):
    assert "did you mean ask?" in one_line_on_stderr(pixelis("aks"))


def test_help_names_every_command_and_imports_no_torch(pixelis):
    done = pixelis("--help")
    assert done.returncode == 0
    assert all(f"\n    {name} " in done.stdout for name in COMMANDS)
    script = "import sys; from pixelis.cli.main import main; code = main(['--help']);"
    script += "heavy = {'torch', 'transformers', 'numpy', 'pydantic', 'rich'} & set(sys.modules);"
    script += "sys.exit(str(heavy) if heavy else code)"
    quiet = {"capture_output": True, "env": {**os.environ, "PYTHONPATH": str(SOURCE)}}
    assert subprocess.run([sys.executable, "-c", script], **quiet).returncode == 0


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_there_and_has_help(name, capsys):
    module = import_module(COMMANDS[name].module)
    assert callable(module.add_arguments)
    assert main([name, "--help"]) == 0
    assert f"usage: pixelis {name}" in capsys.readouterr().out


def test_only_the_named_command_is_built():
    parser = build_parser({"help"})
    assert parser.parse_args(["help", "--check", "x"]).check == "x"
    with pytest.raises(ConfigError):
        parser.parse_args(["ask", "picture.png", "Why?"])


def test_exit_codes_say_who_must_act():
    assert exit_code(MediaError("x")) == 2
    assert exit_code(ConfigError("x")) == 2
    assert exit_code(OpError("x")) == 1
    assert exit_code(JobError("x")) == 1
    assert exit_code(KeyError("x")) == 1


def test_a_fault_of_the_program_is_named_as_one():
    assert "PIXELIS_DEBUG=1" in explain(ZeroDivisionError("division\nby zero"))
    assert "\n" not in explain(ZeroDivisionError("division\nby zero"))
    assert explain(MediaError("a\nb")) == "a b"


def test_debugging_shows_the_traceback(pixelis, tmp_path):
    done = pixelis("ask", tmp_path / "no.png", "Why?", env={"PIXELIS_DEBUG": "1"})
    assert "Traceback" in done.stderr


def test_a_closed_pipe_is_no_error():
    script = f"{sys.executable} -m pixelis help; echo $? >&2"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "PYTHONUNBUFFERED": "1"}
    done = subprocess.run(
        ["bash", "-c", f"({script}) | true"], capture_output=True, text=True, env=environment
    )
    assert done.stderr.split() in (["141"], ["0"])


def test_interrupting_ends_with_130():
    script = (
        "import signal, sys, time; from pixelis.cli import main as door\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job ignores it\n"
        "door.dispatch = lambda words: (print('ready', flush=True), time.sleep(60))\n"
        "sys.exit(door.main([]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert said == "pixelis: interrupted\n"
