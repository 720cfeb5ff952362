"""The comparison page in a real browser: both traces work inside it, and nothing is asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from pixelis.agent import restore
from pixelis.episode import Answer, Call, Episode, Media, Step
from pixelis.media import open_media
from pixelis.ops.registry import REGISTRY
from pixelis.trace.compare import Side, render_pair


@pytest.fixture
def page(tmp_path) -> Path:
    image = Image.new("RGB", (300, 200), "white")
    image.paste("red", (60, 40, 180, 120))
    with open_media(image) as media:
        place = Media("picture", "card.png", media.size, media.sha256)
        answer = Answer("red", "{mask_1.color}", ("mask_1",), 0.9)
        episode = Episode("What colour?", place, answer=answer, ended="answered")
        workspace = restore(episode, media)
        call = Call("segment_object_at", {"point_2d": [400, 400]})
        step = Step(call=call, observation=REGISTRY.run(call, workspace))
        left = replace(episode, steps=(step, Step(answer=answer)), model="one")
        right = replace(episode, model="other", answer=Answer("blue"))
        html = render_pair(
            Side("a.json", left, workspace), Side("b.json", right, restore(right, media))
        )
    path = tmp_path / "compare.html"
    path.write_text(html)
    return path


@pytest.mark.slow
def test_both_traces_live_in_the_page(browser, page):
    browser.open(page.as_uri(), dark=True)
    frames = "[...document.querySelectorAll('iframe')]"
    answers = f"{frames}.map(f => f.contentDocument.getElementById('answer').textContent.trim())"
    assert browser.run(answers) == ["red", "blue"]
    inside = f"{frames}[0].contentDocument"
    browser.run(f"{inside}.querySelector('.step').click()")
    assert browser.run(f"{inside}.querySelectorAll('.mark.on').length") == 1
    assert browser.run(f"{inside}.querySelector('.film img').naturalWidth") == 300
    paper = f"{frames}.map(f => getComputedStyle(f.contentDocument.body).backgroundColor)"
    assert browser.run(paper) == ["rgb(20, 22, 26)"] * 2
    assert browser.run("[...document.querySelectorAll('tr.other th')].map(e => e.textContent)") == [
        "Model",
        "Answer",
        "Confidence",
        "Rests on",
        "Steps",
        "Calls",
    ]
    assert not [
        address for address in browser.requests if not address.startswith(("file:", "data:"))
    ]
    assert browser.complaints == []
