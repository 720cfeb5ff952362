"""`pixelis replay` on episodes whose observations were really made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pixelis.agent import restore
from pixelis.episode import Answer, Call, Episode, Media, Step
from pixelis.media import open_media
from pixelis.models.dialects import get_dialect
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Workspace
from pixelis.trace import write_json

CALLS = (
    Call("zoom_in", {"bbox_2d": [100, 100, 500, 700]}),
    Call("segment_object_at", {"point_2d": [300, 400]}),
    Call("zoom_in", {"bbox_2d": [9, 9, 1, 1]}),
)


@pytest.fixture
def episode(card: Path) -> Episode:
    """Three calls on the card, the last of which cannot be done."""
    with open_media(card) as media:
        workspace = Workspace(media)
        steps = [Step(call=call, observation=REGISTRY.run(call, workspace)) for call in CALLS]
        place = Media("picture", media.name, media.size, media.sha256)
    answer = Answer("red", "{mask_1.color}", ("mask_1",), 0.5)
    return Episode(
        "What colour is it?",
        place,
        id="e1",
        model="someone",
        steps=(*steps, Step(answer=answer)),
        answer=answer,
        ended="answered",
    )


@pytest.fixture
def file(episode: Episode, card: Path, tmp_path: Path) -> Path:
    return write_json(episode, tmp_path / "episode.json", card)


def changed(file: Path, change) -> Path:
    record = json.loads(file.read_text())
    change(record)
    other = file.with_name("changed.json")
    other.write_text(json.dumps(record))
    return other


def test_an_identical_replay(pixelis, file):
    done = pixelis("replay", file)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 calls run again; every observation is the same" in done.stdout


def test_each_difference_is_told(inside, file):
    def change(record):
        record["steps"][1]["observation"]["data"]["area_px"] += 1
        record["steps"][2]["observation"]["text"] = "zoom_in: fine"

    other = changed(file, change)
    done = inside("replay", other)
    assert done.returncode == 1
    assert done.stderr == f"pixelis: 2 differences from {other}\n"
    assert "step 2, data" in done.stdout
    assert "step 3, text" in done.stdout
    assert "zoom_in: fine" in done.stdout
    told = json.loads(inside("replay", other, "--json").stdout)
    assert told["same"] is False
    assert [(each["step"], each["field"]) for each in told["differences"]] == [
        (2, "data"),
        (3, "text"),
    ]
    recorded, now = (told["differences"][0][side]["area_px"] for side in ("recorded", "now"))
    assert recorded == now + 1


def test_an_episode_is_replayed_in_its_own_dialect(inside, episode, card, tmp_path):
    """A family's box means something else in another one."""
    call = Call("zoom_in", {"bbox_2d": [0.25, 0.25, 0.75, 0.75]})
    with open_media(card) as media:
        space = Workspace(media, convention=get_dialect("pixel-reasoner").convention)
        seen = REGISTRY.run(call, space)
    assert seen.view.box == (60, 30, 340, 170)  # a tenth of 400 x 200 more on every side
    steps = (Step(call=call, observation=seen),)
    one = replace(episode, dialect="pixel-reasoner", steps=steps)
    own = write_json(one, tmp_path / "own.json", card)
    assert inside("replay", own).returncode == 0
    other = write_json(replace(one, dialect="mini-o3"), tmp_path / "other.json", card)
    done = inside("replay", other)
    assert done.returncode == 1
    assert "step 1, view" in done.stdout


def test_media_that_moved(inside, file, card, tmp_path):
    away = tmp_path / "away"
    away.mkdir()
    moved = card.rename(away / "other.png")
    done = inside("replay", file)
    assert done.returncode == 2
    assert "its media are not at" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert inside("replay", file, "--media", moved).returncode == 0
    beside = file.rename(away / "episode.json")
    moved.rename(away / card.name)
    assert inside("replay", beside).returncode == 0


def test_other_media_are_refused(inside, file, card, tmp_path):
    with open_media(card) as media:
        media.image.crop((0, 0, 200, 200)).save(tmp_path / "other.png")
    done = inside("replay", file, "--media", tmp_path / "other.png")
    assert done.returncode == 2
    assert "is about card.png" in done.stderr


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "not JSON"), ("{}", "episode field question"), ("[1", "not JSON"), (None, "cannot be")],
)
def test_what_is_no_episode(inside, tmp_path, text, reason):
    path = tmp_path / "episode.json"
    if text is not None:
        path.write_text(text)
    done = inside("replay", path)
    assert done.returncode == 2
    assert reason in done.stderr
    assert "episode.json" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_broken_settings_are_refused(inside, file):
    other = changed(file, lambda record: record["meta"].update(pixels={"most": 3}))
    done = inside("replay", other)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "meta is broken" in done.stderr


@pytest.mark.parametrize("pixels", [(0, 90000, 32), (90, 9, 3), (1, 9, 32), ("1", 90000, 32)])
def test_pixels_that_fit_no_image_are_refused(inside, file, pixels):
    named = dict(zip(("min_pixels", "max_pixels", "multiple"), pixels, strict=True))
    done = inside("replay", changed(file, lambda record: record["meta"].update(pixels=named)))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "meta.pixels fits no image" in done.stderr


def test_an_unknown_dialect_is_a_fault_of_the_file(inside, file):
    done = inside("replay", changed(file, lambda record: record.update(dialect="klingon")))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "episode e1: meta is broken: dialect 'klingon' is not known" in done.stderr


@pytest.mark.parametrize(
    ("budget", "reason"),
    [
        ({"steps": 0}, "changed.json: meta.budget: budget steps = 0 is not allowed"),
        ({"steps": "six"}, "changed.json: meta.budget is broken; it has numbers for steps, calls"),
        ({"stepz": 6}, "changed.json: meta.budget is broken; it has numbers for steps, calls"),
    ],
)
def test_a_broken_budget_is_told_before_a_model_is_loaded(inside, file, budget, reason):
    other = changed(file, lambda record: record["meta"].update(budget=budget))
    done = inside("replay", other, "--model", "hf:no-such-folder")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert reason in done.stderr


def test_a_trace_needs_a_model(inside, file):
    assert "--trace belongs to --model" in inside("replay", file, "--trace", "x.html").stderr


def test_a_fresh_workspace_has_the_recorded_pixels(episode, card):
    pixels = {"min_pixels": 32 * 32, "max_pixels": 64 * 64, "multiple": 32}
    with open_media(card) as media:
        workspace = restore(replace(episode, meta={"pixels": pixels, "text_limit": 7}), media)
    assert (workspace.budget.max_pixels, workspace.text_limit) == (64 * 64, 7)


@pytest.mark.parametrize("option", [("--dialect", "thyme"), ("--max-pixels", "90000")])
def test_options_of_a_model_need_one(inside, file, option):
    done = inside("replay", file, *option)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"{option[0]} belongs to --model" in done.stderr


@pytest.mark.parametrize("most", ["many", [3], {}, True])
def test_a_strange_limit_of_tokens_is_refused(inside, file, most):
    other = changed(file, lambda record: record["meta"].update(image_tokens=most))
    done = inside("replay", other)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "image_tokens" in done.stderr


@pytest.mark.slow
def test_another_dialect_is_spoken(inside, file, untrained, tmp_path):
    trace = tmp_path / "now.json"
    words = ("--model", f"hf:{untrained}", "--dialect", "mini-o3", "--trace", trace)
    inside("replay", file, *words)
    assert Episode.from_json(trace.read_text()).dialect == "mini-o3"


@pytest.mark.slow
def test_no_answer_is_an_empty_text(inside, file, untrained):
    def change(record):
        record["answer"] = None
        record["meta"]["budget"] = {"new_tokens": 1}

    done = inside("replay", changed(file, change), "--model", f"hf:{untrained}", "--json")
    told = json.loads(done.stdout)
    assert (told["before"]["answer"], told["before"]["confidence"]) == ("", None)


@pytest.mark.slow
def test_another_model_is_asked_the_same(inside, file, untrained, tmp_path):
    trace = tmp_path / "now.json"
    budget = {"steps": 2, "calls": 3, "new_tokens": 5}
    file = changed(file, lambda record: record.update(seed=8, meta={"budget": budget}))
    words = ("--model", f"hf:{untrained}", "--media", tmp_path / "card.png", "--max-pixels", "6144")
    done = inside("replay", file, *words, "--trace", trace, "--json")
    told = json.loads(done.stdout)
    assert (told["before"]["model"], told["before"]["answer"]) == ("someone", "red")
    assert told["now"]["model"] == "tiny"
    assert isinstance(told["now"]["answer"], str)
    assert (told["now"]["answer"] == "") == (done.returncode == 1)
    now = Episode.from_json(trace.read_text())
    assert (now.question, now.seed) == ("What colour is it?", 8)
    assert now.meta["budget"].items() >= budget.items()
    assert now.meta["pixels"]["max_pixels"] == 6144
    assert inside("replay", trace).returncode == 0
