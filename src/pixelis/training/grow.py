"""A deeper text model that begins as the shallower one: what was learned is kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

from torch import Tensor

_LAYER = re.compile(r"(.*language_model\.layers\.)(\d+)(\..*)")
_WRITES = (".self_attn.o_proj", ".mlp.down_proj")  # what a layer adds to the stream goes through


def depth(weights: Mapping[str, Tensor]) -> int:
    """How many layers the text model of these weights has."""
    found = (int(match[2]) for name in weights if (match := _LAYER.fullmatch(name)))
    return 1 + max(found, default=-1)


def grown(weights: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    """The weights for `layers` layers; the model says the same as before.

    Each of the last layers gets a copy behind it that writes nothing yet: its projections back into
    the stream are zero (Wu et al. 2024, LLaMA Pro, arXiv:2401.02415, section 3.2). The first ones
    keep their places, since some of their heads are taught to point (`training.pointing`).

    Raises:
        ValueError: fewer layers than there are, or more than twice as many.
    """
    before = depth(weights)
    if not before <= layers <= 2 * before:
        raise ValueError(f"{layers} layers: the start has {before}; give {before} to {2 * before}")
    alone = 2 * before - layers
    sources = [*range(alone), *(n for n in range(alone, before) for _ in range(2))]
    found = {name: value for name, value in weights.items() if not _LAYER.fullmatch(name)}
    for place, source in enumerate(sources):
        copy = source in sources[:place]
        for name, value in weights.items():
            match = _LAYER.fullmatch(name)
            if match and int(match[2]) == source:
                silent = copy and match[3].startswith(_WRITES)
                found[f"{match[1]}{place}{match[3]}"] = (value * 0 if silent else value).clone()
    return found
