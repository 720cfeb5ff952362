"""Each export is loaded back the way its trainer loads it."""

import json
import re
import shutil
from pathlib import Path

import pytest
from PIL import Image

from pixelis.data.episodes import TRAP, read_samples
from pixelis.data.exports.write import TRAINERS, export
from pixelis.data.readers.row import Rejections
from pixelis.errors import ConfigError
from pixelis.models.template import render


def exported(place: Path, trainer: str, folder: Path):
    rejections = Rejections()
    result = export(read_samples(place, rejections), trainer, folder, rejections)
    assert rejections.rejected == 0, rejections.first
    return result


@pytest.fixture(scope="module")
def samples(clean):
    return {sample.id: sample for sample in read_samples(clean)}


def images_shown(sample) -> int:
    return 1 + sum(seen.image is not None for seen in sample.episode.observations)


def test_an_unknown_trainer_lists_the_trainers(tmp_path):
    with pytest.raises(ConfigError, match="allowed are trl, llamafactory, verl, openrlhf"):
        export([], "axolotl", tmp_path, Rejections())


# TRL ----------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def trl_rows(clean, tmp_path_factory):
    datasets = pytest.importorskip("datasets")
    folder = tmp_path_factory.mktemp("trl")
    assert exported(clean, "trl", folder).rows == {"test.parquet": 3, "train.parquet": 6}
    datasets.disable_progress_bars()
    files = {name: str(folder / f"{name}.parquet") for name in ("train", "test")}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(folder / "cache"))
    return [row for split in loaded.values() for row in split]


def test_trl_takes_the_rows_as_conversations_with_their_pictures(trl_rows, samples):
    data_utils = pytest.importorskip("trl.data_utils")
    assert len(trl_rows) == 9
    for row in trl_rows:
        assert data_utils.is_conversational(row)
        assert all(isinstance(image, Image.Image) for image in row["images"])
        messages = data_utils.prepare_multimodal_messages(
            row["prompt"] + row["completion"], images=row["images"]
        )
        shown = [part for one in messages for part in one["content"] if part["type"] == "image"]
        assert [part["image"] for part in shown] == row["images"]
        assert len(shown) == images_shown(samples[row["id"]])
        assert row["images"][0].size == samples[row["id"]].episode.media.size


def test_trl_rows_make_the_tokens_of_our_own_template(trl_rows, samples):
    for row in trl_rows:
        told = render(row["prompt"] + row["completion"])
        system = told.index("<|im_end|>")
        for tool in json.loads(row["tools"]):
            assert tool["function"]["name"] in told[:system]
        for step in samples[row["id"]].episode.steps:
            assert step.text in told[system:]
            if step.observation is not None:
                begin = told.index("<tool_response>\n", told.index(step.text))
                assert step.observation.text in told[begin : told.index("</tool_response>", begin)]


# LLaMA-Factory ------------------------------------------------------------------------------------
def test_llamafactory_takes_the_conversations(clean, samples, tmp_path):
    """The rules of its converter: sides alternate, pairs are whole, placeholders match images."""
    exported(clean, "llamafactory", tmp_path)
    info = json.loads((tmp_path / "dataset_info.json").read_text())
    assert set(info) == {"pixelis_train", "pixelis_test"}
    seen = 0
    for entry in info.values():
        assert entry["formatting"] == "sharegpt"
        columns, tags = entry["columns"], entry["tags"]
        odd = (tags["user_tag"], tags["observation_tag"])
        even = (tags["assistant_tag"], tags["function_tag"])
        for line in (tmp_path / entry["file_name"]).read_text().splitlines():
            row = json.loads(line)
            turns = row[columns["messages"]]
            assert len(turns) % 2 == 0
            for number, turn in enumerate(turns):
                assert turn[tags["role_tag"]] in (odd, even)[number % 2]
            text = "".join(turn[tags["content_tag"]] for turn in turns)
            assert text.count("<image>") == len(row[columns["images"]])
            assert len(row["images"]) == images_shown(samples[row["id"]])
            for name in row["images"]:
                Image.open(tmp_path / name).verify()
            for tool in json.loads(row[columns["tools"]]):
                assert set(tool) == {"name", "description", "parameters"}
            assert turns[-1]["value"] == samples[row["id"]].episode.steps[-1].text
            seen += 1
    assert seen == 9


def test_a_text_that_speaks_of_images_adds_none(episodes, tmp_path):
    path = episodes / "episodes.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()[:1]]
    records[0]["episode"]["question"] = "Is <image> or <VIDEO> in the picture?"
    path.write_text(json.dumps(records[0]) + "\n")
    exported(episodes, "llamafactory", tmp_path / "out")
    row = json.loads((tmp_path / "out" / "train.jsonl").read_text())
    asked = row["conversations"][0]["value"]
    assert asked.count("<image>") == 1
    assert "Is (image) or (VIDEO) in the picture?" in asked


# verl ---------------------------------------------------------------------------------------------
def test_verl_rows_hold_prompt_pictures_and_gold(clean, samples, tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    result = exported(clean, "verl", tmp_path)
    assert sum(result.rows.values()) == 9
    rows = [row for path in result.files for row in parquet.read_table(path).to_pylist()]
    for row in rows:
        sample = samples[row["extra_info"]["id"]]
        content = "".join(message["content"] for message in row["prompt"])
        parts = re.split("(<image>|<video>)", content)  # as verl's dataset does
        assert parts.count("<image>") == len(row["images"]) == 1
        picture = tmp_path / "x"
        picture.write_bytes(row["images"][0]["bytes"])
        assert Image.open(picture).size == sample.episode.media.size
        assert row["reward_model"] == {"style": "rule", "ground_truth": sample.gold[0]}
        assert row["extra_info"]["answer_type"] == sample.answer_type
        assert row["extra_info"]["question"] in row["prompt"][-1]["content"]
        assert row["data_source"] == f"pixelis/{sample.family}"
    indices = [row["extra_info"]["index"] for row in rows if row["extra_info"]["split"] == "train"]
    assert indices == list(range(6))


# OpenRLHF -----------------------------------------------------------------------------------------
def test_openrlhf_lines_hold_prompt_pictures_and_label(clean, samples, tmp_path):
    exported(clean, "openrlhf", tmp_path)
    lines = (tmp_path / "train.jsonl").read_text().splitlines()
    assert len(lines) == 6
    for line in lines:
        row = json.loads(line)
        sample = samples[row["id"]]
        assert [message["role"] for message in row["prompt"]] == ["system", "user"]
        kinds = [part["type"] for part in row["prompt"][1]["content"]]
        assert kinds == ["image", "text"]
        assert row["label"] == sample.gold[0]
        (image,) = row["images"]
        assert Image.open(image).size == sample.episode.media.size


# what is left out ---------------------------------------------------------------------------------
def test_traps_are_prompts_but_never_shown_as_examples(episodes, tmp_path):
    path = episodes / "episodes.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()]
    records[0]["kind"] = TRAP
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert exported(episodes, "trl", tmp_path / "a").traps == 1
    assert sum(exported(episodes, "openrlhf", tmp_path / "b").rows.values()) == 9


@pytest.mark.parametrize("trainer", TRAINERS)
def test_an_episode_without_its_source_is_named_and_the_rest_written(episodes, tmp_path, trainer):
    first = next(read_samples(episodes))
    shared = [s for s in read_samples(episodes) if s.media_path == first.media_path]
    first.media_path.unlink()
    rejections = Rejections()
    result = export(read_samples(episodes), trainer, tmp_path / "out", rejections)
    assert rejections.rejected == len(shared)
    assert "media: is not at" in rejections.first[0]
    assert sum(result.rows.values()) == 9 - len(shared)
    shutil.rmtree(tmp_path / "out")
