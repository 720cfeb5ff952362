"""How far a long command has come: a bar on a terminal, some lines elsewhere."""

from __future__ import annotations

from typing import Any

from pixelis.cli.output import Printer, printable

LINES = 20  # of a run whose output is no terminal


class Progress:
    """Use with `with`; quiet tells nothing, for commands that print JSON.

    Args:
        doing: one word for what is done (`asking`).
        done: one word for what was done (`asked`).
    """

    def __init__(self, printer: Printer, quiet: bool, doing: str, done: str) -> None:
        self.printer = printer
        self.quiet = quiet
        self.doing = doing
        self.done = done
        self.shown = 0
        self.bar: Any = None
        self.task: Any = None

    def __enter__(self) -> Progress:
        if self.printer.terminal and not self.quiet:
            from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            columns = ("{task.description}", BarColumn(), MofNCompleteColumn())
            self.bar = Bar(*columns, TimeRemainingColumn())
            self.bar.start()
            self.task = self.bar.add_task(self.doing, total=None)
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def tell(self, count: int, total: int, state: str) -> None:
        """`count` of `total` are done; `state` says how it goes in a few words."""
        if self.bar is not None:
            from rich.markup import escape

            state = escape(printable(state))
            self.bar.update(self.task, completed=count, total=total, description=state)
        elif not self.quiet and count * LINES // total > self.shown:
            self.shown = count * LINES // total
            self.printer.line(f"{count}/{total} {self.done}, {state}")

    def count(self, count: int, state: str) -> None:
        """`count` are done of nobody knows how many; told on a terminal, and every thousand."""
        if self.bar is not None:
            from rich.markup import escape

            self.bar.update(self.task, completed=count, description=escape(printable(state)))
        elif not self.quiet and count - self.shown >= 1000:
            self.shown = count
            self.printer.line(f"{count} {self.done}, {state}")
