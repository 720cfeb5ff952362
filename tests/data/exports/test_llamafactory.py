import json

from pixelis.media import open_picture


def test_llamafactory_takes_the_conversations(clean, exported, samples, shown, tmp_path):
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
            assert len(row["images"]) == shown(samples[row["id"]])
            for name in row["images"]:
                assert open_picture(tmp_path / name).size.width > 0
            for tool in json.loads(row[columns["tools"]]):
                assert set(tool) == {"name", "description", "parameters"}
            assert turns[-1]["value"] == samples[row["id"]].episode.steps[-1].text
            seen += 1
    assert seen == 9


def test_a_text_that_speaks_of_images_adds_none(episodes, exported, tmp_path):
    path = episodes / "episodes.jsonl"
    records = [json.loads(line) for line in path.read_text().splitlines()[:1]]
    records[0]["episode"]["question"] = "Is <image> or <VIDEO> in the picture?"
    path.write_text(json.dumps(records[0]) + "\n")
    exported(episodes, "llamafactory", tmp_path / "out")
    row = json.loads((tmp_path / "out" / "train.jsonl").read_text())
    asked = row["conversations"][0]["value"]
    assert asked.count("<image>") == 1
    assert "Is (image) or (VIDEO) in the picture?" in asked
