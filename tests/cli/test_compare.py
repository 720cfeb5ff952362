"""`pixelis compare`: the page, the table, and what is refused."""

from __future__ import annotations

import json

import pytest

from pixelis.episode import Answer, Call, Episode, Media, Step
from pixelis.media import open_media
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Workspace
from pixelis.trace import write_json


@pytest.fixture
def make(card, tmp_path):
    """Writes the episode of one call on the card."""

    def write(name: str, call: Call, text: str):
        with open_media(card) as media:
            step = Step(call=call, observation=REGISTRY.run(call, Workspace(media)))
            place = Media("picture", media.name, media.size, media.sha256)
        answer = Answer(text)
        episode = Episode(
            "What is red?", place, model=name, steps=(step, Step(answer=answer)), answer=answer
        )
        return write_json(episode, tmp_path / f"{name}.json", card)

    return write


ZOOM = Call("zoom_in", {"bbox_2d": [100, 100, 500, 700]})
SEGMENT = Call("segment_object_at", {"point_2d": [300, 400]})


def test_the_page_and_the_table(inside, make, tmp_path):
    page = tmp_path / "page.html"
    done = inside(
        "compare", make("a", ZOOM, "a card"), make("b", SEGMENT, "a sign"), "--out", page, "--json"
    )
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["parted_at_step"] == 1
    other = {row["label"] for row in told["rows"] if not row["same"]}
    assert other == {"Model", "Answer", "Calls"}
    assert told["notes"] == []
    text = page.read_text()
    assert text.count("<iframe ") == 2
    assert "a sign" in text


def test_what_is_the_same_is_said(inside, make, tmp_path):
    path = make("a", ZOOM, "a card")
    done = inside("compare", path, path, "--out", tmp_path / "page.html")
    assert "they did the same" in done.stdout


def test_what_differs_says_whose_it_is(inside, make, tmp_path):
    one, other = make("a", ZOOM, "a card"), make("b", SEGMENT, "a sign")
    told = inside("compare", one, other, "--out", tmp_path / "page.html").stdout.splitlines()
    answer = told.index("answer")
    assert told[answer + 1].split(maxsplit=1) == ["A", "a card"]
    assert told[answer + 2].split(maxsplit=1) == ["B", "a sign"]
    assert told[0].split(maxsplit=1) == ["A", str(one)]
    assert "question" not in told  # the same in both
    assert "they part at step 1" in told


def test_a_replay_that_differs_is_noted(inside, make, tmp_path):
    path = make("a", ZOOM, "a card")
    record = json.loads(path.read_text())
    record["steps"][0]["observation"]["text"] = "something else"
    path.write_text(json.dumps(record))
    page = tmp_path / "page.html"
    done = inside("compare", path, make("b", ZOOM, "a card"), "--out", page, "--json")
    assert "bring 1 other value than recorded" in json.loads(done.stdout)["notes"][0]
    assert "bring 1 other value than recorded" in page.read_text()
    said = inside("compare", path, path, "--out", page).stdout
    assert said.count("a.json: run again, its calls bring 1 other value than recorded") == 2


@pytest.mark.parametrize("out", ["page.json", "missing/page.html", "page.txt"])
def test_a_bad_place_is_refused_first(inside, make, tmp_path, out):
    path = make("a", ZOOM, "a card")
    done = inside("compare", path, path, "--out", tmp_path / out)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert ("must end in .html" in done.stderr) == (not out.endswith(".html"))
    assert ".json or" not in done.stderr
