from __future__ import annotations

import json
import os

import pytest

from pixelis.episode import Episode
from pixelis.errors import ConfigError
from pixelis.trace import check_path, write


def test_the_ending_chooses_the_format(told, tmp_path):
    page = write(told.episode, told.workspace, tmp_path / "a.html")
    assert page.read_text().startswith("<!doctype html>")
    record = write(told.episode, told.workspace, tmp_path / "a.json")
    assert json.loads(record.read_text())["question"] == told.episode.question


def test_json_keeps_the_episode_and_the_place_of_its_media(told, tmp_path):
    media = tmp_path / "sign.png"
    path = write(told.episode, told.workspace, tmp_path / "a.json", media)
    read = Episode.from_json(path.read_text())
    assert read.meta == {"media_path": str(media)}
    assert read.steps == told.episode.steps
    assert read.answer == told.episode.answer


def test_writing_again_replaces_and_leaves_nothing_else(told, tmp_path):
    for _ in range(2):
        write(told.episode, told.workspace, tmp_path / "a.json")
    assert os.listdir(tmp_path) == ["a.json"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("trace.txt", "must end in .html or .json"),
        ("trace", "must end in .html or .json"),
        ("missing/trace.html", "there is no folder"),
        ("folder.html", "is a folder"),
    ],
)
def test_paths_that_are_refused(tmp_path, name, reason):
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ConfigError, match=reason):
        check_path(tmp_path / name)


def test_capital_endings_are_fine(tmp_path):
    assert check_path(tmp_path / "A.HTML").name == "A.HTML"
