from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from pixelis.episode import Answer, Call, Observation, Step
from pixelis.trace.page import render

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></script><svg onload=alert(1)>",
    "{{ 7 * 7 }} {% raw %}",
    "javascript:alert(1)' onclick='alert(1)",
    "&lt;b&gt; \u202e evil \x00 \ud800",
]


class Page(HTMLParser):
    """Tags with their attributes, and the text outside of style and script."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._skip = ""
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._skip = tag if tag in ("style", "script") else ""

    def handle_endtag(self, tag):
        self._skip = ""

    def handle_data(self, data):
        self.text += "" if self._skip else data


def everywhere(told, text: str):
    """The episode with `text` in every place that a user, a model or a picture writes."""
    zoom = told.episode.steps[0].observation
    data = {"lines": [{"text": text, "box": [1, 1, 9, 9]}], "text": text}
    seen = replace(zoom, text=text, handle=text, data=data)
    step = Step(text, Call(text, {text: text}), seen, None, text, text)
    wrong = Step(text, Call(text), Observation(text, error=text))
    answer = Answer(text, text, (text,), 0.5)
    return replace(
        told.episode,
        question=text,
        media=replace(told.episode.media, name=text),
        id=text,
        model=text,
        steps=(step, wrong, Step(answer=answer)),
        answer=answer,
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(told, text):
    calm, hostile = everywhere(told, "calm"), everywhere(told, text)
    plain, page = Page(render(calm, told.workspace)), Page(render(hostile, told.workspace))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in plain.tags]
    assert [sorted(a) for _, a in page.tags] == [sorted(a) for _, a in plain.tags]
    visible = re.sub("[\x00\u202e\ud800]", "\ufffd", text)
    assert page.text.count(visible) >= 8, page.text


def test_the_text_can_be_written_to_a_file(told):
    render(everywhere(told, HOSTILE[-1]), told.workspace).encode("utf-8")


def test_nothing_is_fetched(told):
    page = Page(render(told.episode, told.workspace))
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "form", "a", "audio")
        for name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data"):
            assert (attributes.get(name) or "data:image/").startswith("data:image/")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]


def test_the_policy_pins_the_style_and_the_script(told):
    html = render(told.episode, told.workspace)
    policy = next(a["content"] for t, a in Page(html).tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:;")
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy


def test_every_image_has_words(told):
    images = [a for tag, a in Page(render(told.episode, told.workspace)).tags if tag == "img"]
    assert len(images) == 2
    assert all(image["alt"] for image in images)


def test_marks_lie_in_source_pixels(told):
    html = render(told.episode, told.workspace)
    assert 'viewBox="0 0 300 200"' in html
    assert 'd="M30 20H130V120H30Z"' in html
    assert 'd="M150 120H220V140H150Z"' in html


def test_facts_are_shown(told):
    text = Page(render(told.episode, told.workspace)).text
    for fact in ("90 %", "mask_1", "It answered.", "nano", "1.5 s", "confidence 80 %"):
        assert fact in text


def test_an_unsupported_answer_says_so(told):
    bare = told.answering(Answer("blue", "blue"))
    assert "nothing it looked at" in Page(render(bare.episode, bare.workspace)).text


def test_an_answer_that_cannot_know_shows_where_it_looked_and_what_would_help(told):
    blind = told.answering(Answer("I can't see that", known=False))
    page = Page(render(blind.episode, blind.workspace))
    assert "Looked at" in page.text
    assert "a larger model may: --model hf:PATH" in page.text
    assert "Rests on" not in page.text
    parts = [
        a for tag, a in page.tags if tag == "button" and "part" in (a.get("class") or "").split()
    ]
    whole, *places = (set((part["data-marks"] or "").split()) for part in parts)
    assert whole == set().union(*places)
    assert len(places) == 3  # the zoom, the mask and the text
    at_once = render(replace(blind.episode, steps=()), blind.workspace)
    assert "the whole picture" in Page(at_once).text


def test_a_reference_to_nothing_is_told(told):
    bare = replace(
        told.answering(Answer("{a}", "{a}")).episode, meta={"unknown_references": ["{a}"]}
    )
    assert "{a}: nothing of that name was found" in Page(render(bare, told.workspace)).text
    calm = Page(render(told.episode, told.workspace)).text
    assert "nothing of that name" not in calm


def test_an_empty_episode_is_a_page(told):
    empty = replace(told.episode, steps=(), answer=None, ended="failed")
    text = Page(render(empty, told.workspace)).text
    assert "No answer." in text
    assert "It took no step." in text
