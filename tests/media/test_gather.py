from __future__ import annotations

import pytest
from PIL import Image

from pixelis.errors import ConfigError
from pixelis.media.gather import gather


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "in" / "deep"
    inner.mkdir(parents=True)
    (tmp_path / "in" / ".hidden").mkdir()
    picture = Image.new("RGB", (8, 8), "red")
    picture.save(tmp_path / "in" / "b.png")
    picture.save(inner / "no-ending", format="JPEG")
    picture.save(tmp_path / "in" / ".hidden" / "c.png")
    (tmp_path / "in" / "a.jpg").write_text("not a picture, but named like one")
    (tmp_path / "in" / "clip.mp4").write_bytes(b"")
    (tmp_path / "in" / "notes.txt").write_text("notes")
    return tmp_path / "in"


def test_a_folder_gives_what_is_named_or_begins_like_media(folder):
    names = [path.relative_to(folder).as_posix() for path in gather(str(folder))]
    assert names == ["a.jpg", "b.png", "clip.mp4", "deep/no-ending"]


def test_a_pattern_gives_all_it_matches(folder):
    assert [path.name for path in gather(f"{folder}/*.*g")] == ["a.jpg", "b.png"]
    assert [path.name for path in gather(f"{folder}/**/no-*")] == ["no-ending"]


def test_one_file(folder):
    assert gather(str(folder / "notes.txt")) == [folder / "notes.txt"]


@pytest.mark.parametrize("place", ["empty", "none", "*.none"])
def test_nothing_is_an_error(tmp_path, place):
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"no pictures|no file"):
        gather(str(tmp_path / place))
