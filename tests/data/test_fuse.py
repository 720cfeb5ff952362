import json
import shutil

import pytest

from pixelis.data.episodes import read_samples
from pixelis.data.fuse import merge, split
from pixelis.data.quality import check
from pixelis.errors import ConfigError, JobError


def records(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_merging_keeps_each_record_once(clean, episodes, tmp_path):
    fused = merge([clean, episodes], tmp_path / "out")
    assert fused.rows == {"episodes.jsonl": 9}
    assert fused.dropped == 9
    report = check(tmp_path / "out")
    assert report.clean
    assert report.replayed == 9


def test_merging_refuses_a_picture_in_two_splits(clean, episodes, tmp_path):
    path = episodes / "episodes.jsonl"
    changed = records(path)
    for number, record in enumerate(changed):
        record["split"] = "test" if record["split"] == "train" else "train"
        record["episode"].update(id=f"other-{number}", question="What else?")
    path.write_text("".join(json.dumps(record) + "\n" for record in changed))
    with pytest.raises(JobError, match="pictures would stand in two splits"):
        merge([clean, episodes], tmp_path / "out")


def test_a_broken_source_is_named_and_the_rest_merged(episodes, tmp_path):
    samples = list(read_samples(episodes))
    path = samples[0].media_path
    path.write_bytes(path.read_bytes()[:-500])
    fused = merge([episodes], tmp_path / "out")
    assert fused.rejections.rejected == 1
    assert "episodes.jsonl: line 1: " in fused.rejections.first[0]
    assert fused.rejections.kept == sum(fused.rows.values()) == 8


def test_nothing_is_written_among_what_is_read(clean, episodes, tmp_path):
    for place in (episodes, episodes / "episodes.jsonl"):
        with pytest.raises(ConfigError, match="choose another folder"):
            merge([place], episodes)
    split([clean], tmp_path / "out", {"a": 1, "b": 1})
    with pytest.raises(ConfigError, match=r"holds b\.jsonl already"):
        split([clean], tmp_path / "out", {"a": 1, "c": 1})
    assert set(split([clean], tmp_path / "out", {"a": 1, "b": 1}).rows) == {"a.jsonl", "b.jsonl"}


def test_difficulty_and_weight_are_written(clean, tmp_path):
    merge([clean], tmp_path / "out")
    found = records(tmp_path / "out" / "episodes.jsonl")
    assert all(0 <= record["difficulty"] <= 1 for record in found)
    assert len({record["difficulty"] for record in found}) > 2
    assert sum(record["weight"] for record in found) == pytest.approx(9)


def test_splitting_keeps_a_picture_together(clean, tmp_path):
    fused = split([clean], tmp_path / "out", {"train": 2, "test": 1}, seed=3)
    assert sum(fused.rows.values()) == 9
    assert set(fused.rows) == {"train.jsonl", "test.jsonl"}
    sides = {
        name: {sample.episode.media.sha256 for sample in read_samples(tmp_path / "out" / name)}
        for name in fused.rows
    }
    assert sides["train.jsonl"].isdisjoint(sides["test.jsonl"])
    assert abs(fused.rows["train.jsonl"] - 6) <= 2
    for name in fused.rows:
        for sample in read_samples(tmp_path / "out" / name):
            assert sample.split == name.removesuffix(".jsonl")
    assert check(tmp_path / "out", replays=0).counts["leakage"] == 0


def test_the_same_seed_splits_the_same(clean, tmp_path):
    def ids(seed, name):
        split([clean], tmp_path / name, {"a": 1, "b": 1}, seed)
        return [sample.id for sample in read_samples(tmp_path / name / "a.jsonl")]

    assert ids(1, "x") == ids(1, "y")
    assert any(ids(1, "z") != ids(seed, f"s{seed}") for seed in range(2, 6))


def test_a_picture_saved_again_goes_to_the_same_side(episodes, tmp_path):
    first = next(read_samples(episodes))
    twin = tmp_path / "twin"
    shutil.copytree(episodes, twin)
    again = twin / "media" / "again.jpg"
    with first.open() as media:
        media.image.save(again, quality=70)
    from pixelis.media import open_picture

    record = first.to_record(media="media/again.jpg")
    sha256 = open_picture(again).sha256
    record["episode"] = {**record["episode"], "id": "again"}
    record["episode"]["media"] = {**record["episode"]["media"], "sha256": sha256}
    record["provenance"] = {**record["provenance"], "media_sha256": sha256}
    (twin / "episodes.jsonl").write_text(json.dumps(record) + "\n")
    for seed in range(4):
        out = tmp_path / f"out{seed}"
        split([episodes, twin], out, {"a": 1, "b": 1}, seed)
        sides = {s.id: name for name in "ab" for s in read_samples(out / f"{name}.jsonl")}
        assert sides["again"] == sides[first.id]
