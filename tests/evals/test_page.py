"""The page shows every failure, escapes everything, and needs nothing from elsewhere."""

import base64
import io
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
from PIL import Image

from pixelis.evals.page import page
from pixelis.evals.report import summarize, worst


class Reader(HTMLParser):
    """Collects tags and addresses."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href"}]


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def test_failures_are_shown_with_picture_and_steps(mixed, benchmark):
    places = {name: index for index, name in enumerate(benchmark.ids)}

    def picture(result):
        return benchmark.load(places[result.id]).media

    text = page(summarize(mixed, model="<looker>"), worst(mixed), picture)
    reader = read(text)
    assert reader.tags.count("article") == 6
    assert len(reader.addresses) == reader.tags.count("img") == 6
    assert "zoom_in(" in text
    assert "script" not in reader.tags
    data = reader.addresses[0].removeprefix("data:image/jpeg;base64,")
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), int)
    frame = (shown[..., 0] > 180) & (shown[..., 1] < 90) & (shown[..., 2] < 130)
    assert frame.sum() > 40  # the place that was looked at is framed


def test_what_models_write_cannot_become_markup(mixed):
    bad = "<script>alert(1)</script>"
    first = replace(mixed[0], question=bad, answer=bad, gold=bad, id=bad, family=bad)
    text = page(summarize([first], model=bad), [first])
    assert "script" not in read(text).tags
    assert text.count("&lt;script&gt;") >= 5


def test_bars_follow_the_figures(mixed):
    summary = summarize(mixed)
    summary["by_family"] = {"half": {"accuracy": 0.5, "ci95": [0.25, 0.75], "n": 4}}
    text = page(summary, [])
    assert '<rect width="50.00" height="8" fill="#2f6fb7"/>' in text
    assert '<rect x="25.00" width="50.00"' in text
    assert "There are none." in text


def test_operations_confidence_notes_and_traces_are_shown(mixed):
    summary = summarize(mixed, model="looker") | {"notes": ["read this first"]}
    failures = worst(mixed, 2)
    traces = {(failures[0].id, failures[0].seed): "traces/one.html"}
    text = page(summary, failures, None, traces)
    assert "<p>read this first</p>" in text
    assert "<h2>Operations</h2>" in text
    assert "<th>zoom_in</th><td>24</td><td>100.0 %</td>" in text
    assert text.count("<circle") == len(summary["calibration"]) == 1
    assert text.count("the whole trace") == 1
    assert 'href="traces/one.html"' in text


def test_the_page_says_where_the_figure_comes_from(mixed):
    facts = {"command": "pixelis eval <x>", "commit": "c" * 40, "model_hash": None, "exam": None}
    summary = summarize(mixed, model="looker", **facts)
    text = page(summary, worst(mixed, 2))
    assert "<th>command</th><td><code>pixelis eval &lt;x&gt;</code>" in text
    assert "<th>weights</th><td><code>not known</code>" in text
    assert f"<th>questions</th><td><code>{summary['data_hash']}</code>" in text
    assert "2 of 6 wrong answers, the surest first." in text
    assert "judge" not in text
    assert "no picture to show" in text
    told = {"metric": "ANLS", "value": 0.5, "ci95": [0.4, 0.6]}
    more = summary | {"official": told, "circular": 0.25, "judge": "openai:x"}
    more["seeds"] = [{"seed": 7, "accuracy": 0.5}]
    text = page(more, [])
    for words in ("ANLS</th><td>50.0 (40.0 to 60.0)", "25.0 %", "<th>seed 7</th>", "openai:x"):
        assert words in text
