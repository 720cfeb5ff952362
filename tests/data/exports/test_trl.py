"""Loaded back with `datasets` and with TRL's own functions."""

import json

import pytest
from PIL import Image

from pixelis.models.template import render


@pytest.fixture(scope="module")
def trl_rows(clean, exported, tmp_path_factory):
    datasets = pytest.importorskip("datasets")
    folder = tmp_path_factory.mktemp("trl")
    assert exported(clean, "trl", folder).rows == {"test.parquet": 3, "train.parquet": 6}
    datasets.disable_progress_bars()
    files = {name: str(folder / f"{name}.parquet") for name in ("train", "test")}
    loaded = datasets.load_dataset("parquet", data_files=files, cache_dir=str(folder / "cache"))
    return [row for split in loaded.values() for row in split]


def test_trl_takes_the_rows_as_conversations_with_their_pictures(trl_rows, samples, shown):
    data_utils = pytest.importorskip("trl.data_utils")
    assert len(trl_rows) == 9
    for row in trl_rows:
        assert data_utils.is_conversational(row)
        assert all(isinstance(image, Image.Image) for image in row["images"])
        messages = data_utils.prepare_multimodal_messages(
            row["prompt"] + row["completion"], images=row["images"]
        )
        filled = [part for one in messages for part in one["content"] if part["type"] == "image"]
        assert [part["image"] for part in filled] == row["images"]
        assert len(filled) == shown(samples[row["id"]])
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
