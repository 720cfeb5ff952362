"""`pixelis bench`: the timing scripts of the source checkout, by name."""

from __future__ import annotations

import argparse
import ast
import os
import subprocess
import sys
from pathlib import Path

from pixelis.cli.output import Printer, emit_json
from pixelis.errors import ConfigError, JobError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", nargs="?", help="script to run (default: list)")
    parser.add_argument(
        "options", metavar="...", nargs=argparse.REMAINDER, help="passed on to the script"
    )
    parser.add_argument("--json", action="store_true", help="print the list as JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    scripts = find_scripts(_folder())
    if args.name is None:
        _list(scripts, args.json)
        return 0
    if args.name not in scripts:
        raise ConfigError(f"no benchmark {args.name!r}; benchmarks are {', '.join(scripts)}")
    command = [sys.executable, str(scripts[args.name]), *args.options]
    finished = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    if finished.returncode != 0:
        why = (finished.stderr.strip().splitlines() or ["it did not say why"])[-1]
        raise JobError(f"benchmark {args.name} failed with exit code {finished.returncode}: {why}")
    return 0


def find_scripts(folder: Path) -> dict[str, Path]:
    """Benchmarks by name, in order; a script of a subfolder is `folder/name`."""
    paths = (path for path in folder.rglob("*.py") if "__main__" in path.read_text("utf-8"))
    return {path.relative_to(folder).with_suffix("").as_posix(): path for path in sorted(paths)}


def _folder() -> Path:
    """`benchmarks/` of the checkout this package runs from, or of the current folder."""
    package = Path(__file__).resolve().parents[3] / "benchmarks"
    for folder in (package, Path.cwd() / "benchmarks"):
        if folder.is_dir():
            return folder
    raise ConfigError("there is no benchmarks folder here; run this in a checkout of the source")


def _list(scripts: dict[str, Path], as_json: bool) -> None:
    about = {name: _summary(path) for name, path in scripts.items()}
    if as_json:
        emit_json([{"name": name, "summary": text} for name, text in about.items()])
        return
    printer = Printer()
    for name, text in about.items():
        printer.line(name, "bold")
        printer.field("", text, indent=0)


def _summary(path: Path) -> str:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    return " ".join(docstring.split("\n\n")[0].split()) or os.fspath(path.name)
