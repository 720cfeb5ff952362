"""The visual operations and their registry."""

from pixelis.ops import text, track

__all__ = ["text", "track"]
