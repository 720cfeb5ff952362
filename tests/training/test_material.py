import json

import pytest

from pixelis.errors import DataError, MediaError
from pixelis.training.material import read, split

EPISODE = {
    "question": "What colour?",
    "media": {"kind": "picture", "name": "a.png", "size": [64, 64], "sha256": "a"},
    "steps": [{"answer": {"text": "red", "raw": "red"}, "text": "red"}],
    "answer": {"text": "red", "raw": "red"},
}


def write(folder, *records):
    path = folder / "episodes.jsonl"
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


def about(picture, **record):
    media = {**EPISODE["media"], "name": f"{picture}.png", "sha256": picture}
    return {"episode": {**EPISODE, "media": media}, **record}


def test_a_shard_gives_the_images_that_were_shown(shard):
    samples = read([shard])
    assert len(samples) > 8
    for sample in samples:
        images = sample.images()
        shown = [seen.image for seen in sample.episode.observations if seen.image is not None]
        assert len(images) == 1 + len(shown)
        assert images[0].mode == "RGB"
        assert sample.open().image.size == images[0].size


def test_fields_of_a_record(episodes):
    samples = read([episodes])
    assert len(samples) == 8
    assert {sample.family for sample in samples} <= {"attribute_recognition", "object_counting"}
    assert all(sample.source().suffix == ".png" for sample in samples)
    assert all(sample.open().sha256 == sample.picture for sample in samples)


@pytest.mark.parametrize(
    ("gold", "kind"),
    [("red", "color"), ("12", "number"), ("yes", "yes_no"), ("Harbour", "text")],
)
def test_the_answer_type_is_taken_from_the_gold(tmp_path, gold, kind):
    (sample,) = read([write(tmp_path, {"episode": EPISODE, "gold": gold})])
    assert sample.answer_type == kind
    (named,) = read([write(tmp_path, {"episode": EPISODE, "gold": gold, "answer_type": "word"})])
    assert named.answer_type == "word"


def test_difficulty_becomes_a_band(tmp_path):
    records = [{"episode": EPISODE, "difficulty": one} for one in (0.1, 0.5, 1.0, "hard", None)]
    bands = [sample.band for sample in read([write(tmp_path, *records)])]
    assert bands == ["easy", "medium", "hard", "hard", "easy"]


def test_traps_are_not_learned(tmp_path):
    path = write(tmp_path, {"episode": EPISODE, "kind": "trap"}, {"episode": EPISODE})
    assert [sample.line for sample in read([path])] == [2]
    only = write(tmp_path, {"episode": EPISODE, "kind": "trap"})
    with pytest.raises(DataError, match="no episodes to learn"):
        read([only])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "episodes.jsonl:2: not JSON"),
        ("[1]", "episodes.jsonl:2: came list"),
        ("{}", "episodes.jsonl:2: episode: is missing"),
        ('{"episode": {"question": 3}}', "episodes.jsonl:2: episode field"),
    ],
)
def test_a_broken_record_is_named(tmp_path, line, told):
    path = write(tmp_path, {"episode": EPISODE})
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=told):
        read([path])


@pytest.mark.parametrize("weight", [0, -1, "much", True])
def test_a_weight_is_a_positive_number(tmp_path, weight):
    (sample,) = read([write(tmp_path, {"episode": EPISODE, "weight": weight})])
    with pytest.raises(DataError, match=r"episodes\.jsonl:1: weight"):
        _ = sample.weight


def test_a_picture_is_never_both_learned_and_held_out(tmp_path):
    records = [about(name) for name in "aabbccddeeff"]
    learned, asked = split(read([write(tmp_path, *records)]), 3)
    assert len(asked) == 4  # two of each picture, at least three wanted
    assert not {sample.picture for sample in learned} & {sample.picture for sample in asked}
    named = [about("a", split="test"), about("a", split="train"), about("b", split="train")]
    learned, asked = split(read([write(tmp_path, *named)]), 1)
    assert [sample.picture for sample in learned] == ["b"]
    assert len(asked) == 2


def test_a_picture_that_is_nowhere(tmp_path):
    (sample,) = read([write(tmp_path, {"episode": EPISODE})])
    with pytest.raises(MediaError, match="media: is not there"):
        sample.open()
