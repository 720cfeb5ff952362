"""The log of a server: one JSON document a line, without what was asked and without keys."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import sys
from collections.abc import Iterator

from pixelis.errors import ConfigError


class JsonLines(logging.Formatter):
    """`time`, `level`, `what`, and the facts that came along."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        told = {
            "time": moment.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "what": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info:
            told["trace"] = self.formatException(record.exc_info)
        return json.dumps(told)


@contextlib.contextmanager
def keep_journal(path: str | None) -> Iterator[None]:
    """Sends what the package logs to the file, or to standard output; ConfigError if it cannot."""
    try:
        handler = logging.FileHandler(path) if path else logging.StreamHandler(sys.stdout)
    except OSError as error:
        raise ConfigError(f"--log {path}: {(error.strerror or str(error)).lower()}") from error
    handler.setFormatter(JsonLines())
    log = logging.getLogger("pixelis")
    before = log.level
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
        handler.close()
