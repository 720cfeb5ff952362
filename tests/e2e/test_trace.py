"""A real episode (real operations, a policy that follows a script) looked at in a real browser."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from pixelis.agent import Agent
from pixelis.media import open_media
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.trace import write_html

QUESTION = "What does the blue sign say, and what colour is the disc? <i>&amp;</i>"
SIGN = (60, 60, 300, 140)
DISC = (420, 180, 540, 300)


class Script:
    """Takes the same turns whatever it is shown."""

    name = "script"
    profile = Profile("script", system="S")

    def __init__(self, *turns: str) -> None:
        self.turns = turns

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        taken = [sum(m["role"] == "assistant" for m in r.messages) for r in requests]
        return [Turn(self.turns[number], confidence=0.9) for number in taken]


def call(thought: str, op: str, **arguments) -> str:
    said = json.dumps({"name": op, "arguments": arguments})
    return f"<think>{thought}</think>\n<tool_call>\n{said}\n</tool_call>"


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("trace")
    image = Image.new("RGB", (600, 400), (235, 230, 220))
    pen = ImageDraw.Draw(image)
    pen.rectangle(SIGN, fill=(20, 60, 150))
    pen.text((80, 75), "HARBOUR", "white", ImageFont.load_default(44))
    pen.ellipse(DISC, fill=(205, 30, 35))
    image.save(folder / "sign.png")
    policy = Script(
        call("A closer look.", "zoom_in", bbox_2d=[50, 100, 560, 400]),
        call("", "zoom_in", bbox_2d=[9, 9, 1, 1]),
        call("", "read_text", bbox_2d=[90, 140, 510, 360]),
        call("", "segment_object_at", point_2d=[800, 600]),
        call("", "get_properties", mask="mask_1"),
        "It says {text_1}; the disc is {mask_1.color}.",
    )
    with Agent(policy) as agent, open_media(folder / "sign.png") as media:
        workspace = agent.workspace(media)
        episode = agent.ask(media, QUESTION, workspace=workspace)
        assert episode.answer is not None, [seen.text for seen in episode.observations]
        assert episode.answer.text == "It says HARBOUR; the disc is red."
        return write_html(episode, workspace, folder / "trace.html")


@pytest.fixture
def tab(browser, page):
    browser.open(page.as_uri())
    return browser


def lit(tab) -> list[str]:
    return tab.run("[...document.querySelectorAll('.mark.on')].map(m => m.id)")


def pixels(tab, path: Path) -> np.ndarray:
    return np.asarray(Image.open(tab.screenshot(path)).convert("RGB")).astype(int)


def test_nothing_leaves_the_page(tab, page):
    assert tab.requests[0] == page.as_uri()
    assert all(address.startswith("data:image/") for address in tab.requests[1:])
    assert tab.complaints == []


def test_the_policy_forbids_foreign_requests_and_scripts(tab):
    tab.run("document.body.insertAdjacentHTML('beforeend', '<img src=\"http://127.0.0.1:9/x\">')")
    tab.run(
        "document.body.append(Object.assign(document.createElement('script'),"
        "{textContent: 'window.broken = true'}))"
    )
    assert tab.run("window.broken") is None
    assert any("violates" in text for text in tab.complaints)


def test_hostile_text_is_shown_as_it_is(tab):
    assert tab.run("document.querySelector('h1').textContent") == QUESTION


def test_every_kind_of_mark_lies_on_the_picture(tab):
    kinds = tab.run("[...document.querySelectorAll('.mark')].map(m => m.classList[1])")
    assert {"box", "mask", "line"} <= set(kinds)
    inside = tab.run(
        "(() => { const f = document.querySelector('.film').getBoundingClientRect();"
        "return [...document.querySelectorAll('.mark .stroke')].every(m => {"
        "const b = m.getBoundingClientRect(); return b.width > 5 && b.x >= f.x - 3 &&"
        "b.right <= f.right + 3 && b.y >= f.y - 3 && b.bottom <= f.bottom + 3; }); })()"
    )
    assert inside


def test_a_click_on_a_part_of_the_answer_shows_its_pixels(tab, tmp_path):
    parts = tab.run("[...document.querySelectorAll('#answer .part')].map(p => p.textContent)")
    assert parts == ["HARBOUR", "red"]
    before = pixels(tab, tmp_path / "before.png")
    tab.click("#answer .part:last-of-type")
    assert (
        lit(tab) == tab.run("document.querySelectorAll('#answer .part')[1].dataset.marks").split()
    )
    after = pixels(tab, tmp_path / "after.png")
    film = tab.run(
        "(() => { const b = document.querySelector('.film').getBoundingClientRect();"
        "return [b.x, b.y, b.width]; })()"
    )
    scale = film[2] / 600

    def at(shot: np.ndarray, x: float, y: float) -> np.ndarray:
        return shot[round(film[1] + y * scale), round(film[0] + x * scale)]

    assert np.abs(at(after, 480, 240) - (205, 30, 35)).max() < 12  # the disc stays as it is
    assert at(after, 250, 350).sum() < 0.6 * at(before, 250, 350).sum()  # the rest goes dark


def test_hovering_a_step_lights_its_marks_and_leaving_shows_all(tab):
    tab.hover("#step-1")
    assert lit(tab) == ["m1-0"]
    tab.hover("h1")
    assert lit(tab) == []


def test_the_keyboard_walks_through_the_steps(tab):
    current = "[...document.querySelectorAll('.step')].findIndex(s => s.ariaCurrent === 'true')"
    assert tab.run(current) == -1
    for expected in (0, 1, 2):
        tab.press("ArrowDown")
        assert tab.run(current) == expected
    tab.press("ArrowUp")
    assert tab.run(current) == 1
    tab.press("End")
    assert tab.run(current) == 5
    tab.press("Escape")
    assert tab.run(current) == -1
    assert lit(tab) == []


def test_zooming_enlarges_the_chosen_marks(tab):
    tab.press("ArrowDown")
    wide = tab.run("document.querySelector('.mark.on .stroke').getBoundingClientRect().width")
    tab.press("z")
    near = tab.run("document.querySelector('.mark.on .stroke').getBoundingClientRect().width")
    assert near > 1.2 * wide


def test_a_click_on_a_mark_goes_to_its_step(tab):
    tab.click(".mark.line .stroke")
    assert tab.run("document.querySelector('.step[aria-current=true]').id") == "step-3"


@pytest.mark.parametrize(("width", "dark"), [(1400, True), (420, False)])
def test_it_fits_dark_and_narrow(browser, page, tmp_path, width, dark):
    browser.open(page.as_uri(), width=width, height=900, dark=dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    background = pixels(browser, tmp_path / "shot.png")[2, 2].mean()
    assert (background < 60) if dark else (background > 200)
