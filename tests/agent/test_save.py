"""`episode.save` on what `Agent.ask` gave."""

import json
from dataclasses import replace

import pytest

from pixelis.agent import Agent
from pixelis.episode import Episode
from pixelis.errors import ConfigError, DataError, MediaError

QUESTION = "What colour is the right half?"


@pytest.fixture
def place(picture, tmp_path):
    picture.image.save(tmp_path / "card.png")
    return tmp_path / "card.png"


@pytest.fixture
def ask(scripted, registry, call):
    """Asks about media, with a call that fails on the way."""
    lines = (
        call("zoom_in", bbox_2d=[600, 0, 1000, 1000]),
        call("refuse"),
        call("get_color", bbox_2d=[0, 0, 1000, 1000], image=1),
        "{mask_1.color}",
    )

    def one(media) -> Episode:
        with Agent(scripted({QUESTION: lines}), registry) as agent:
            return agent.ask(media, QUESTION)

    return one


@pytest.mark.parametrize("give", [str, lambda place: place, lambda place: place.read_bytes()])
def test_a_page_shows_the_pixels_again(ask, place, tmp_path, give):
    ask(give(place)).save(tmp_path / "trace.html")
    page = (tmp_path / "trace.html").read_text("utf-8")
    assert QUESTION in page
    assert page.count("data:image/") == 2 + page.count("img-src data:image/")  # picture and crop
    assert 'd="M120 0H200V100H120Z"' in page  # where the zoom lay


def test_an_opened_picture_is_saved_too(ask, picture, tmp_path):
    ask(picture).save(str(tmp_path / "trace.html"))
    assert QUESTION in (tmp_path / "trace.html").read_text("utf-8")


def test_json_names_the_media_and_reads_back(ask, place, tmp_path):
    episode = ask(place)
    episode.save(tmp_path / "trace.json")
    text = (tmp_path / "trace.json").read_text("utf-8")
    assert json.loads(text)["meta"]["media_path"] == str(place)
    assert Episode.from_json(text).steps == episode.steps


def test_how_it_is_saved_is_no_part_of_its_value(ask, place):
    episode = ask(place)
    assert Episode.from_json(episode.to_json()) == episode
    assert "_saver" not in episode.to_json()


def test_an_episode_that_does_not_know_its_pixels_says_so(ask, place, tmp_path):
    for copy in (Episode.from_json(ask(place).to_json()), replace(ask(place), seed=1)):
        with pytest.raises(ConfigError, match=r"Agent\.ask gave"):
            copy.save(tmp_path / "trace.html")


def test_what_cannot_be_saved_is_told(ask, place, make_picture, tmp_path):
    episode = ask(place)
    with pytest.raises(ConfigError, match=r"must end in \.html or \.json"):
        episode.save(tmp_path / "trace.txt")
    make_picture("green").image.save(place)
    with pytest.raises(DataError, match=r"card\.png"):
        episode.save(tmp_path / "trace.html")
    place.unlink()
    with pytest.raises(MediaError, match="no such file"):
        episode.save(tmp_path / "trace.html")
