"""Published benchmarks from local files in their published layout. `read_published` is the door."""

from pixelis.evals.benchmarks.catalog import CATALOG, Entry, read_published

__all__ = ["CATALOG", "Entry", "read_published"]
