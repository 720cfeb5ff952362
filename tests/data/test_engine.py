import hashlib
import html
import json
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pixelis.agent.replay import replay
from pixelis.answers.score import correct
from pixelis.data import engine, tasks
from pixelis.data.engine import Recipe, Report, base_of, execute, fault_of, quotas
from pixelis.data.quality import check
from pixelis.data.sheet import write_sheet
from pixelis.episode import Episode
from pixelis.errors import ConfigError
from pixelis.media import open_media

RECIPE = Recipe(10, 3, families=("object_counting", "attribute_recognition"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    assert engine.prepare(RECIPE, folder) == [0]
    report = engine.write_shard(RECIPE, 0, folder)
    lines = (folder / "episodes-00000.jsonl").read_text(encoding="utf-8").splitlines()
    return folder, report, [json.loads(line) for line in lines]


def test_quotas_are_the_mix_and_add_up():
    assert list(quotas(50, (0.6, 0.2, 0.2)).values()) == [30, 10, 10]
    for size in range(1, 30):
        assert sum(quotas(size, (0.6, 0.2, 0.2)).values()) == size
    assert list(quotas(3, (0, 1, 0)).values()) == [0, 3, 0]


@pytest.mark.slow
def test_a_shard_holds_the_mix_and_nothing_wrong(made):
    _, report, records = made
    kinds = Counter(record["kind"] for record in records)
    assert kinds == {"golden": 6, "self_correction": 2, "trap": 2} == dict(report.written)
    for record in records:
        episode = Episode.from_dict(record["episode"])
        right = record["answer_type"] == "unknown" or correct(
            episode.answer.text, record["gold"], record["answer_type"]
        )
        assert right == (record["kind"] != "trap")
        assert ("trap" in episode.meta) == (record["kind"] == "trap")
        assert bool(episode.slips) == (record["kind"] == "self_correction")
        assert record["provenance"]["parent"].startswith("train-3-")
        assert record["provenance"]["media_sha256"] == episode.media.sha256
        assert 0 <= record["difficulty"] <= 1
    assert len({record["episode"]["id"] for record in records}) == len(records)


@pytest.mark.slow
def test_what_is_made_passes_its_own_check(made):
    folder, _, records = made
    report = check(folder, replays=0)
    assert report.samples == len(records)
    assert report.clean, report.first
    assert report.counts.total() == 0, report.first


@pytest.mark.slow
def test_every_episode_replays_on_the_kept_media(made):
    folder, _, records = made
    for record in records:
        data = (folder / record["media"]).read_bytes()
        episode = Episode.from_dict(record["episode"])
        assert hashlib.sha256(data).hexdigest() == episode.media.sha256
        assert replay(episode, open_media(folder / record["media"])).same


@pytest.mark.slow
def test_images_are_what_the_model_was_shown(made):
    folder, _, records = made
    with np.load(folder / "episodes-00000.npz", allow_pickle=False) as arrays:
        for line, record in enumerate(records):
            shown = [arrays[f"{line}_{k}"] for k in range(record["images"])]
            assert all(image.ndim == 3 and image.dtype == np.uint8 for image in shown)
            seen = [o for s in record["episode"]["steps"] if (o := s["observation"])]
            assert len(shown) == 1 + sum(o["image"] is not None for o in seen)
        assert len(arrays.files) == sum(record["images"] for record in records)


@pytest.mark.slow
def test_the_same_recipe_gives_the_same_bytes(made, tmp_path):
    folder, _, _ = made
    engine.prepare(RECIPE, tmp_path)
    engine.work(RECIPE, 0, tmp_path)
    for path in sorted(folder.glob("episodes*")) + sorted((folder / "media").iterdir()):
        again = tmp_path / path.relative_to(folder)
        assert again.read_bytes() == path.read_bytes(), path.name


@pytest.mark.slow
def test_a_folder_belongs_to_one_recipe_and_goes_on(made):
    folder, report, _ = made
    assert engine.prepare(RECIPE, folder) == []
    assert engine.report_of(folder).to_dict() == report.to_dict()
    with pytest.raises(ConfigError, match="made with seed = 3, not 4"):
        engine.prepare(replace(RECIPE, seed=4), folder)


@pytest.mark.slow
def test_the_sheet_shows_questions_and_pictures(made):
    folder, report, records = made
    page = write_sheet(folder, report.to_dict()).read_text(encoding="utf-8")
    assert page.count("<article") == len(records)
    assert page.count("data:image/jpeg;base64,") == sum(record["images"] for record in records)
    for record in records:
        assert html.escape(record["episode"]["question"]) in page
    slips = sum(len(record["episode"]["meta"].get("slips", ())) for record in records)
    assert page.count("wrong on purpose") == slips >= 2
    assert "10 were made: 6 golden, 2 self_correction, 2 trap" in page
    assert "http:" not in page
    assert "https:" not in page


def test_wrong_recipes_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="add up to 1"):
        Recipe(5, 0, mix=(0.5, 0.1, 0.1))
    with pytest.raises(ConfigError, match="family 'dance'"):
        engine.prepare(Recipe(5, 0, families=("dance",)), tmp_path / "x")
    assert not (tmp_path / "x").exists()


def test_faults_are_named():
    task = tasks.draw(3, 1, "train", ("attribute_recognition",))
    made = execute(base_of(task), RECIPE)
    assert fault_of(task, made.episode) == ""
    assert fault_of(replace(task, answer="wombat"), made.episode) == "wrong answer"
    twice = replace(made.episode, steps=(made.episode.steps[0], *made.episode.steps))
    assert fault_of(task, twice) == "the same call twice"
    long = replace(made.episode, steps=made.episode.steps * 9)
    assert fault_of(task, long) == "too many steps"
    assert fault_of(task, replace(made.episode, answer=None)) == "no answer"


def test_reports_add_up_and_come_back():
    one, other = Report(), Report()
    one.written["golden"] = 3
    other.rejected["text: wrong answer"] = 1
    one.add(other)
    assert one.rejection == pytest.approx(0.25)
    assert Report.from_dict(one.to_dict()).to_dict() == one.to_dict()
