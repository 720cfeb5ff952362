"""Tools by themselves: pictures by path and data URL, ids, handles that stay, refusals."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from server_rig import SCENE, data_url

from pixelis.agent import Agent
from pixelis.media import Limits, open_media
from pixelis.ops.registry import REGISTRY
from pixelis.server.tools import Tools


def no_agent() -> Agent:
    raise AssertionError("no model is needed")


@pytest.fixture
def tools(tmp_path):
    (tmp_path / "in").mkdir()
    picture = Image.new("RGB", (400, 300), "white")
    picture.paste("red", (100, 60, 260, 210))
    picture.save(tmp_path / "in" / "card.png")
    (tmp_path / "secret.png").write_bytes((tmp_path / "in" / "card.png").read_bytes())
    made = Tools(REGISTRY, Limits(), no_agent, [tmp_path / "in"])
    yield made
    made.close()


def test_every_operation_takes_media_and_keeps_its_own_arguments(tools):
    told = {each["name"]: each["parameters"] for each in tools.schemas()}
    assert set(told) == {operation.name for operation in REGISTRY} | {"ask"}
    for operation in REGISTRY:
        own = operation.schema["function"]["parameters"]["properties"]
        assert set(told[operation.name]["properties"]) == {"media", *own}
        assert "media" in told[operation.name]["required"]


def test_a_mask_is_measured_and_drawn(tools):
    found = tools.call("segment_object_at", {"media": "card.png", "point_2d": [450, 450]})
    x1, y1, x2, y2 = found.facts["box"]
    assert (abs(x1 - 100), abs(y1 - 60), abs(x2 - 260), abs(y2 - 210)) < (4, 4, 4, 4)
    again = {"media": found.facts["media"], "mask": found.facts["handle"]}
    properties = tools.call("get_properties", again)
    assert "red" in properties.text
    pixels = np.asarray(properties.images[0])
    assert pixels.shape[:2] == (300, 400)
    assert tuple(pixels[135, 180]) != (255, 0, 0)  # tinted
    assert tuple(pixels[280, 390]) == (255, 255, 255)


def test_a_picture_that_was_closed_meanwhile_is_told_of(tools):
    id = tools.call("zoom_in", {"media": "card.png", "bbox_2d": [300, 300, 600, 600]}).facts[
        "media"
    ]
    _, opened = tools._opened(id, "")
    opened.close()  # as when others open many pictures while a call waits its turn
    found = tools.call("zoom_in", {"media": id, "bbox_2d": [300, 300, 600, 600]})
    assert found.error
    assert "send it again" in found.text


def test_a_crop_shows_what_lies_there(tools):
    found = tools.call("zoom_in", {"media": "card.png", "bbox_2d": [300, 300, 600, 600]})
    red = np.asarray(found.images[0]).reshape(-1, 3).mean(0)
    assert red[0] > 240
    assert red[1] < 20


def test_the_same_picture_has_one_id_for_each_owner(tools):
    url = data_url(SCENE.read_bytes())
    box = {"bbox_2d": [0, 0, 500, 500]}
    first = tools.call("zoom_in", {"media": url, **box}, "alice")
    again = tools.call("zoom_in", {"media": url, **box}, "alice")
    other = tools.call("zoom_in", {"media": url, **box}, "bob")
    assert first.facts["media"] == again.facts["media"] != other.facts["media"]
    assert (first.facts["image"], again.facts["image"]) == (1, 2)
    stolen = tools.call("zoom_in", {"media": first.facts["media"], **box}, "bob")
    assert stolen.error


@pytest.mark.parametrize(
    "path",
    ["../secret.png", "/etc/passwd", "link.png", "file:///etc/passwd", "http://127.0.0.1/a.png",
     "https://metadata.test/x", "nothing.png", "\0", "a" * 5000, ""],
)  # fmt: skip
def test_other_files_and_addresses_are_refused(tools, tmp_path, path):
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "secret.png")
    found = tools.call("read_text", {"media": path})
    assert found.error
    assert not found.images


def test_without_roots_no_path_is_taken(tmp_path):
    tools = Tools(REGISTRY, Limits(), no_agent)
    assert tools.call("read_text", {"media": str(SCENE)}).error


def test_a_wrong_call_says_what_is_wrong(tools):
    found = tools.call("zoom_in", {"media": "card.png", "bbox_2d": [900, 0, 100, 10]})
    assert found.error
    assert "x1 < x2" in found.text
    assert tools.call("ask", {"media": "card.png"}).error
    assert "media is missing" in tools.call("zoom_in", {}).text


def test_ask_is_the_agents_answer(nano):
    agent = nano.agents["nano"]
    tools = Tools(REGISTRY, Limits(), lambda: agent)
    question = "How many things are on the black sign?"
    with open_media(SCENE) as media:
        direct = agent.ask(media, question)
    found = tools.call("ask", {"media": data_url(SCENE.read_bytes()), "question": question})
    assert found.facts["answer"] == direct.answer.text
    assert found.facts["evidence"] == list(direct.answer.evidence)
    assert len(found.images) == len([seen for seen in direct.observations if not seen.error])
