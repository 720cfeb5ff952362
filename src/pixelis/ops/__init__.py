"""The visual operations and their registry; importing this package registers them."""

from pixelis.ops import frames, properties, segment, text, track, zoom
from pixelis.ops.registry import REGISTRY

__all__ = ["REGISTRY", "frames", "properties", "segment", "text", "track", "zoom"]
