"""Dialects by name. `get_dialect("qwen3-vl")` is the default one."""

from __future__ import annotations

from difflib import get_close_matches

from pixelis.errors import ConfigError
from pixelis.models.dialects.code import Code
from pixelis.models.dialects.deepeyes import ChainOfFocus, DeepEyes
from pixelis.models.dialects.dialect import Dialect, Messages, Reading
from pixelis.models.dialects.minio3 import MiniO3
from pixelis.models.dialects.parse import Malformed
from pixelis.models.dialects.qwen3 import Qwen3
from pixelis.models.dialects.qwen25 import Qwen25
from pixelis.models.dialects.reasoner import PixelReasoner

DIALECTS: dict[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        Qwen3(),
        Qwen25(),
        DeepEyes(),
        ChainOfFocus(),
        MiniO3(),
        PixelReasoner(),
        *map(Code, ("deepeyes-v2", "thyme", "pyvision")),
    )
}

__all__ = ["DIALECTS", "Dialect", "Malformed", "Messages", "Reading", "get_dialect"]


def get_dialect(name: str) -> Dialect:
    """The dialect called `name`; ConfigError names the nearest and lists all."""
    if name in DIALECTS:
        return DIALECTS[name]
    near = get_close_matches(name, DIALECTS, 1, 0.5)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ConfigError(f"dialect {name!r} is not known; dialects are {', '.join(DIALECTS)}{hint}")
