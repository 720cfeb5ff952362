import json

import numpy as np
import pytest

from pixelis.data import synthesis
from pixelis.data.episodes import Writer, drawn, read_samples
from pixelis.data.readers.row import Rejections
from pixelis.errors import DataError, MediaError
from pixelis.media import open_picture
from pixelis.ops.workspace import PixelBudget

BUDGET, TEXT_LIMIT = PixelBudget(256 * 256, 256 * 256, 32), 60


def lines_of(folder):
    return (folder / "episodes.jsonl").read_text().splitlines()


def test_records_come_back_as_written(clean):
    samples = list(read_samples(clean))
    assert len(samples) == 9
    for sample, line in zip(samples, lines_of(clean), strict=True):
        assert sample.to_record() == json.loads(line)
        assert sample.gold == (json.loads(line)["gold"],)
        with sample.open() as media:
            assert media.sha256 == sample.episode.media.sha256
    assert {sample.split for sample in samples} == {"train", "test"}


def test_changed_fields_are_changed_and_others_kept(clean):
    sample = next(read_samples(clean))
    record = sample.to_record(weight=2.0, split=None, strange=1)
    assert record["weight"] == 2.0
    assert "split" not in record
    assert record["episode"] == sample.row.value["episode"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r.update(gold=7), "line 2: gold: came 7; a list of texts is needed"),
        (lambda r: r.update(kind="silver"), "line 2: kind: came 'silver'; allowed are golden"),
        (lambda r: r["episode"]["meta"].update(slips=[9]), "line 2: episode: meta.slips: came [9]"),
        (lambda r: r["episode"]["meta"].update(slips=True), "meta.slips: came True; a list of"),
        (lambda r: r.update(episode=3), "line 2: episode: came 3; an object is needed"),
        (lambda r: r["episode"].pop("media"), "line 2: episode: field media"),
    ],
)
def test_a_broken_record_is_named_and_the_others_kept(episodes, change, told):
    lines = lines_of(episodes)
    record = json.loads(lines[1])
    change(record)
    lines[1] = json.dumps(record)
    (episodes / "episodes.jsonl").write_text("\n".join(lines))
    rejections = Rejections()
    assert len(list(read_samples(episodes, rejections))) == 8
    assert told in rejections.first[0]
    with pytest.raises(DataError, match="line 2"):
        list(read_samples(episodes))


def test_the_source_is_looked_for_beside_the_file(episodes):
    sample = next(read_samples(episodes))
    place = sample.media_path
    assert place.is_relative_to(episodes)
    place.unlink()
    with pytest.raises(MediaError, match="line 1: media: is not at"):
        next(read_samples(episodes)).open()


def test_without_gold_the_own_answer_counts(episodes):
    lines = lines_of(episodes)
    record = json.loads(lines[0])
    right = record["episode"]["answer"]
    del record["gold"]
    (episodes / "episodes.jsonl").write_text(json.dumps(record))
    sample = next(read_samples(episodes))
    assert sample.gold == (right["text"],)
    assert sample.is_right(sample.episode.answer)
    record["episode"]["answer"] = {**right, "known": False}
    (episodes / "episodes.jsonl").write_text(json.dumps(record))
    assert next(read_samples(episodes)).gold == ()


def test_shards_with_packed_images_are_read(tmp_path):
    synthesis.write_shard(tmp_path, 3, 0, BUDGET, TEXT_LIMIT, size=3)
    golden = list(synthesis.read_shard(tmp_path / "episodes-00000.jsonl"))
    samples = list(read_samples(tmp_path))
    assert [sample.id for sample in samples] == [one.episode.id for one in golden]
    for sample, one in zip(samples, golden, strict=True):
        stored = sample.stored_images()
        assert [np.asarray(image).tolist() for image in stored] == [i.tolist() for i in one.images]


def test_moving_takes_media_and_images_along(episodes, tmp_path):
    (tmp_path / "shard").mkdir()
    synthesis.write_shard(tmp_path / "shard", 3, 0, BUDGET, TEXT_LIMIT, size=2)
    with Writer(tmp_path / "out") as writer:
        for sample in [*read_samples(episodes), *read_samples(tmp_path / "shard")]:
            writer.move(sample, weight=0.5)
    moved = list(read_samples(tmp_path / "out"))
    assert len(moved) == 9 + len(list(read_samples(tmp_path / "shard")))
    first = moved[0]
    assert first.media_path.is_relative_to(tmp_path / "out")
    assert open_picture(first.media_path).sha256 == first.episode.media.sha256
    packed = moved[-1].stored_images()
    before = list(read_samples(tmp_path / "shard"))[-1].stored_images()
    assert [np.asarray(a).tolist() for a in packed] == [np.asarray(b).tolist() for b in before]
    assert all(sample.row.value["weight"] == 0.5 for sample in moved)


def test_an_error_leaves_no_half_written_file(tmp_path):
    with pytest.raises(TypeError, match="not JSON serializable"), Writer(tmp_path) as writer:
        writer.add({"a": object()})
    assert list(tmp_path.glob("episodes*")) == []


def test_drawing_is_fair_and_repeatable(clean):
    samples = list(read_samples(clean))
    assert drawn(samples, 20) == samples
    assert [s.id for s in drawn(samples, 4, 1)] == [s.id for s in drawn(samples, 4, 1)]
    times = np.zeros(9)
    for seed in range(600):
        for sample in drawn(samples, 3, seed):
            times[samples.index(sample)] += 1
    assert times.min() > 600 / 3 * 0.75
    assert times.max() < 600 / 3 * 1.25


def test_a_folder_without_episodes_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"holds no \.jsonl files of episodes"):
        list(read_samples(tmp_path))
