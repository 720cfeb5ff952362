"""The `pixelis` command: finds the command, runs it, turns every outcome into an exit code.

Exit codes: 0 done, 1 the job failed, 2 bad usage or input, 130 interrupted, 141 nobody reads the
output any more. Whatever goes wrong is one line on stderr; PIXELIS_DEBUG=1 shows the traceback and
what the libraries say.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Collection, Sequence
from importlib import import_module
from typing import NamedTuple

from pixelis.cli.output import debugging, one_line, only_our_stderr
from pixelis.cli.parser import Parser
from pixelis.errors import ConfigError, DataError, MediaError, ModelError, PixelisError

DONE, FAILED, USAGE, INTERRUPTED, NO_READER = 0, 1, 2, 130, 141
# What the caller gave was wrong; every other error is a job that failed.
USAGE_ERRORS = (ConfigError, DataError, MediaError, ModelError)


class Command(NamedTuple):
    """A command: `module` offers `add_arguments(parser)`, which sets `run(args) -> int`."""

    module: str
    summary: str


COMMANDS = {
    "ask": Command("pixelis.cli.ask", "Answer a question about a picture or a video."),
    "watch": Command("pixelis.cli.watch", "Ask one question about many files, into a CSV table."),
    "replay": Command("pixelis.cli.replay", "Run an episode again, or ask another model."),
    "compare": Command("pixelis.cli.compare", "Put two episodes side by side on one page."),
    "ops": Command("pixelis.cli.ops", "List the visual operations, or run one by hand."),
    "serve": Command("pixelis.cli.serve", "Serve the agent: an OpenAI-compatible API and a page."),
    "mcp": Command("pixelis.cli.mcp", "Offer the operations to other assistants as MCP tools."),
    "eval": Command(
        "pixelis.cli.eval", "Measure a model on worlds, benchmarks or your own questions."
    ),
    "data": Command("pixelis.cli.data", "Make, import, check, split and export training data."),
    "train": Command("pixelis.cli.train", "Train nano from nothing, or any model on episodes."),
    "evolve": Command("pixelis.cli.evolve", "Answer a stream of questions, remember, and learn."),
    "gauge": Command("pixelis.cli.gauge", "Fit a calibration: how far confidence is right."),
    "memory": Command("pixelis.cli.memory", "See, search, check and erase what is remembered."),
    "versions": Command("pixelis.cli.versions", "See, promote and roll back adapter versions."),
    "review": Command("pixelis.cli.review", "Approve, correct or reject what the agent answered."),
    "audit": Command("pixelis.cli.audit", "See who did what to a store; check the log."),
    "wheeler": Command("pixelis.cli.wheeler", "Text as a picture that remembers."),
    "bench": Command("pixelis.cli.bench", "Run a timing script of the source checkout."),
    "estimate": Command("pixelis.cli.estimate", "Reckon memory and tokens of a model."),
    "doctor": Command("pixelis.cli.doctor", "Say what is missing here, and the cure for it."),
    "help": Command("pixelis.cli.help", "Write the help of every command as one page."),
}

DESCRIPTION = (
    "Answers questions about pictures and videos by working in pixel space: zooming, segmenting, "
    "measuring, reading and tracking before it answers."
)
EPILOG = "Run 'pixelis COMMAND --help' for the options of a command."


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command line (default: this process's) and gives its exit code."""
    arguments = sys.argv[1:] if argv is None else list(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):  # no letter of an answer may stop the printing
        sys.stdout.reconfigure(errors="backslashreplace")
    with only_our_stderr() as complain:
        try:
            code = dispatch(arguments)
            sys.stdout.flush()
            return code
        except SystemExit as stop:  # argparse leaves this way after --help and --version
            return stop.code if isinstance(stop.code, int) else USAGE
        except KeyboardInterrupt:
            complain("pixelis: interrupted")
            return INTERRUPTED
        except BrokenPipeError:
            _forget_stdout()
            return NO_READER
        except Exception as error:  # named door: one line on stderr instead of a traceback
            if debugging():
                raise
            complain(f"pixelis: {explain(error)}")
            return exit_code(error)


def dispatch(arguments: Sequence[str]) -> int:
    """Parses and runs; importing only the module of the command that is named."""
    named = next((word for word in arguments if not word.startswith("-")), "")
    args = build_parser({named}).parse_args(arguments)
    return args.run(args)


def build_parser(wanted: Collection[str] = ()) -> Parser:
    """The parser of the whole command line; only commands in `wanted` get their options."""
    parser = Parser(prog="pixelis", description=DESCRIPTION, epilog=EPILOG)
    parser.add_argument("--version", action=_PrintVersion, nargs=0, help="print the version")
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", title="commands", required=True
    )
    for name, command in COMMANDS.items():
        sub = commands.add_parser(name, help=command.summary, description=command.summary)
        if name in wanted:
            import_module(command.module).add_arguments(sub)
    return parser


def exit_code(error: Exception) -> int:
    return USAGE if isinstance(error, USAGE_ERRORS) else FAILED


def explain(error: Exception) -> str:
    """One line for the user; what is not our own error is named as a fault of the program."""
    if isinstance(error, PixelisError | OSError):
        return one_line(str(error)) or type(error).__name__
    text = one_line(f"{type(error).__name__}: {error}")
    return f"internal error, {text}; run again with PIXELIS_DEBUG=1 to see where"


class _PrintVersion(argparse.Action):
    """Reads the installed version only when it is wanted (metadata is slow to find)."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"pixelis {version('pixelis')}")
        parser.exit()


def _forget_stdout() -> None:
    """Keeps the interpreter from complaining about the closed pipe when it exits."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    sys.exit(main())
