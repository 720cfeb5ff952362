"""Which dialect a checkpoint speaks, and a profile that is told to speak another."""

from __future__ import annotations

import re
from dataclasses import replace

from pixelis.models.dialects import get_dialect
from pixelis.models.policy import Profile

# By a part of the checkpoint's name, letters and digits only; the first that fits.
NAMES = {
    "deepeyesv2": "deepeyes-v2",
    "deepeyes": "deepeyes",
    "chainoffocus": "chain-of-focus",
    "minio3": "mini-o3",
    "pixelreasoner": "pixel-reasoner",
    "thyme": "thyme",
    "pyvision": "pyvision",
}
TYPES = {"qwen2_vl": "qwen2.5-vl", "qwen2_5_vl": "qwen2.5-vl"}
DEFAULT = "qwen3-vl"
SIDES = {"qwen3-vl": 32}  # pixels that a side is a multiple of; all other families see by 28


def dialect_of(name: str, model_type: str = "") -> str:
    """The dialect of a checkpoint that has no profile.

    Args:
        name: of its folder or on its server, such as `Mini-o3-7B-v1`.
        model_type: as its `config.json` says, such as `qwen2_5_vl`.
    """
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    for part, dialect in NAMES.items():
        if part in letters:
            return dialect
    if not model_type and re.search(r"qwen2(5)?vl", letters):
        return "qwen2.5-vl"
    return TYPES.get(model_type, DEFAULT)


def side_of(dialect: str) -> int:
    """What the sides of an image are multiples of where a family's stock checkpoints see it."""
    return SIDES.get(dialect, 28)


def in_dialect(profile: Profile, name: str) -> Profile:
    """The profile with another dialect, its system message, and the operations' schemas shown.

    Raises ConfigError when there is no such dialect.
    """
    dialect = get_dialect(name)
    if name == profile.dialect:
        return profile
    return replace(profile, dialect=name, system=dialect.system, tools_in_prompt=True)
