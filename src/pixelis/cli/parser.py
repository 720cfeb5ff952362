"""argparse with errors of one line that name the nearest option."""

from __future__ import annotations

import argparse
import difflib
import re
from typing import NoReturn

from pixelis.errors import ConfigError


class Parser(argparse.ArgumentParser):
    """Raises ConfigError instead of printing usage; options are never abbreviated."""

    def __init__(self, **kwargs) -> None:
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(**kwargs)

    def error(self, message: str) -> NoReturn:
        words = self.prog.split(maxsplit=1)
        where = f"{words[1]}: " if len(words) > 1 else ""
        raise ConfigError(f"{where}{message}{self._nearest(message)}; see: {self.prog} --help")

    def _nearest(self, message: str) -> str:
        """`; did you mean --trace?` for an unknown option or choice, when one is close."""
        if unknown := re.search(r"unrecognized arguments: (--?[\w-]+)", message):
            allowed = self._known()
        elif unknown := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            allowed = re.findall(r"[\w-]+", unknown[2])
        else:
            return ""
        close = difflib.get_close_matches(unknown[1], allowed, n=1)
        return f"; did you mean {close[0]}?" if close else ""

    def _known(self) -> list[str]:
        known = list(self._option_string_actions)
        for action in self._actions:
            if isinstance(action, argparse._SubParsersAction):
                for parser in action.choices.values():
                    known += parser._known()
        return known


def question(text: str) -> str:
    """An argparse type: what is asked, without the space around it; never empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the question is empty; ask something, in quotes")
    return text.strip()


def at_least(lowest: int):
    """An argparse type: a whole number that is not below `lowest`."""

    def whole_number(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
        if value < lowest:
            raise argparse.ArgumentTypeError(f"{value} is too small; need {lowest} or more")
        return value

    return whole_number
