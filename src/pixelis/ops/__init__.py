"""The visual operations and their registry; importing this package registers them."""

from pixelis.ops import (
    frames,
    zoom,
)

__all__ = [
    "frames",
    "zoom",
]
