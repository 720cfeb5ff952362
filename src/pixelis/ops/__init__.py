"""The visual operations and their registry."""

from pixelis.ops import properties as properties
from pixelis.ops import segment as segment
