"""Traces: an episode as a page to look at, or as JSON to replay."""

from pixelis.trace.write import check_path, write, write_html, write_json

__all__ = ["check_path", "write", "write_html", "write_json"]
