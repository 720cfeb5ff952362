import re

import pytest

from pixelis.media import open_picture


def test_verl_rows_hold_prompt_pictures_and_gold(clean, exported, samples, tmp_path):
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
        assert open_picture(picture).size == sample.episode.media.size
        assert row["reward_model"] == {"style": "rule", "ground_truth": sample.gold[0]}
        assert row["extra_info"]["answer_type"] == sample.answer_type
        assert row["extra_info"]["question"] in row["prompt"][-1]["content"]
        assert row["data_source"] == f"pixelis/{sample.family}"
    indices = [row["extra_info"]["index"] for row in rows if row["extra_info"]["split"] == "train"]
    assert indices == list(range(6))
