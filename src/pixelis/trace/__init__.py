"""Traces: an episode as a page to look at, or as JSON to replay; tables of many answers."""

from pixelis.trace.read import find_media, read_json
from pixelis.trace.write import check_path, write, write_html, write_json, write_text

__all__ = [
    "check_path",
    "find_media",
    "read_json",
    "write",
    "write_html",
    "write_json",
    "write_text",
]
