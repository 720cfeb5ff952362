"""The visual operations and their registry; importing this package registers them."""

from pixelis.ops import (
    frames,
    properties,
    segment,
    text,
    zoom,
)

__all__ = [
    "frames",
    "properties",
    "segment",
    "text",
    "zoom",
]
