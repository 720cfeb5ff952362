"""What commands print: plain text that is safe in a terminal, JSON, and one line on stderr."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import sys
import textwrap
import warnings
from collections.abc import Callable, Iterator
from typing import Any

STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
WIDEST = 100
LABEL = 11
# Read by the libraries when they are imported; a value the user has set stays.
QUIET_ENVIRONMENT = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "OPENCV_LOG_LEVEL": "ERROR",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}


def debugging() -> bool:
    return os.environ.get("PIXELIS_DEBUG", "") not in ("", "0")


def printable(text: str) -> str:
    """Without control and direction characters: pictures and models must not drive a terminal."""
    return CONTROL.sub("\ufffd", text)


def one_line(text: str) -> str:
    return printable(" ".join(text.split()))


def emit_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


class Printer:
    """Text for people on stdout: coloured and wrapped on a terminal, plain elsewhere."""

    def __init__(self) -> None:
        self.terminal = sys.stdout.isatty()
        self.coloured = self.terminal and "NO_COLOR" not in os.environ
        self.width = min(shutil.get_terminal_size().columns, WIDEST) if self.terminal else 0

    def style(self, text: str, *names: str) -> str:
        text = printable(text)
        if not self.coloured or not names:
            return text
        codes = ";".join(STYLES[name] for name in names)
        return f"\x1b[{codes}m{text}\x1b[0m"

    def line(self, text: str = "", *styles: str) -> None:
        print(self.style(text, *styles), flush=True)

    def field(self, label: str, text: str, *styles: str, indent: int = 2) -> None:
        """`  label    text`, further lines of the text under its first."""
        gap = " " * (indent + LABEL)
        lines = [piece for line in text.splitlines() or [""] for piece in self._wrap(line, gap)]
        first, *rest = (self.style(line, *styles) for line in lines)
        name = f"{label} ".ljust(LABEL)  # a long one never runs into the text
        print(f"{' ' * indent}{self.style(name, 'dim')}{first}", flush=True)
        for line in rest:
            print(f"{gap}{line}", flush=True)

    def _wrap(self, line: str, gap: str) -> list[str]:
        if not self.width:
            return [line]
        return textwrap.wrap(line, max(self.width - len(gap), 20), break_on_hyphens=False) or [""]


@contextlib.contextmanager
def only_our_stderr() -> Iterator[Callable[[str], None]]:
    """Silences everything that libraries, C code included, write to stderr; gives our own voice.

    The yielded function prints one line on the real stderr. Nothing is silenced while debugging.
    """
    for name, value in QUIET_ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    if debugging():
        yield lambda line: print(line, file=sys.stderr, flush=True)
        return
    sys.stderr.flush()
    real = os.dup(2)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 2)
    os.close(silence)

    def complain(line: str) -> None:
        with contextlib.suppress(OSError):  # a closed stderr leaves nobody to tell
            os.write(real, f"{line}\n".encode(errors="replace"))

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield complain
    finally:
        sys.stderr.flush()
        os.dup2(real, 2)
        os.close(real)
