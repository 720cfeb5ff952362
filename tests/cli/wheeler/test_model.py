from __future__ import annotations

from pathlib import Path

from pixelis.cli.wheeler.model import store_path


def test_where_memories_are_kept(monkeypatch):
    monkeypatch.delenv("PIXELIS_WHEELER", raising=False)
    assert store_path(None) == Path("wheeler.sqlite")
    monkeypatch.setenv("PIXELIS_WHEELER", "elsewhere.sqlite")
    assert store_path(None) == Path("elsewhere.sqlite")
    assert store_path("mine.sqlite") == Path("mine.sqlite")
