from __future__ import annotations

import pytest

from pixelis.errors import DataError, MediaError
from pixelis.trace import find_media, read_json, write_json


def test_an_episode_comes_back(told, tmp_path):
    path = write_json(told.episode, tmp_path / "a.json")
    assert read_json(path) == told.episode


def test_a_broken_one_is_named(tmp_path):
    with pytest.raises(DataError, match=r"none\.json: cannot be read"):
        read_json(tmp_path / "none.json")
    (tmp_path / "half.json").write_text('{"question":')
    with pytest.raises(DataError, match=r"half\.json: not JSON"):
        read_json(tmp_path / "half.json")


def test_media_are_where_they_lay_or_beside(told, tmp_path):
    path = write_json(told.episode, tmp_path / "a.json", tmp_path / "far" / "sign.png")
    episode = read_json(path)
    with pytest.raises(MediaError, match="say where they are"):
        find_media(episode, path)
    beside = tmp_path / "sign.png"
    beside.touch()
    assert find_media(episode, path) == beside
    recorded = tmp_path / "far" / "sign.png"
    recorded.parent.mkdir()
    recorded.touch()
    assert find_media(episode, path) == recorded
    assert find_media(episode, path, "given.png").name == "given.png"
