import json

from pixelis.media import open_picture


def test_openrlhf_lines_hold_prompt_pictures_and_label(clean, exported, samples, tmp_path):
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
        assert open_picture(image).size == sample.episode.media.size
