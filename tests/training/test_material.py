import json
import shutil

import pytest

from pixelis.data.readers.row import Rejections
from pixelis.errors import DataError, MediaError
from pixelis.training.material import bands, read, split, whole

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
        images = sample.stored_images()
        shown = [seen.image for seen in sample.episode.observations if seen.image is not None]
        assert len(images) == 1 + len(shown)
        assert images[0].mode == "RGB"
        assert sample.open().image.size == images[0].size


def test_fields_of_a_record(episodes):
    samples = read([episodes])
    assert len(samples) == 8
    assert {sample.family for sample in samples} <= {"attribute_recognition", "object_counting"}
    assert all(sample.media_path.suffix == ".png" for sample in samples)
    assert all(sample.open().sha256 == sample.picture for sample in samples)


@pytest.mark.parametrize(
    ("gold", "kind"),
    [
        ("red", "color"),
        ("12", "number"),
        ("yes", "yes_no"),
        ("Harbour", "word"),
        ("the Harbour", "text"),
    ],
)
def test_the_answer_type_is_taken_from_the_gold(tmp_path, gold, kind):
    (sample,) = read([write(tmp_path, {"episode": EPISODE, "gold": gold})])
    assert sample.answer_type == kind
    (named,) = read([write(tmp_path, {"episode": EPISODE, "gold": gold, "answer_type": "list"})])
    assert named.answer_type == "list"


def test_difficulty_becomes_a_band(tmp_path):
    records = [{"episode": EPISODE, "difficulty": one} for one in (0.1, 0.5, 1.0, "hard", None)]
    found = [sample.band for sample in read([write(tmp_path, *records)])]
    assert found == ["easy", "medium", "hard", "hard", "easy"]
    (told,) = read([write(tmp_path, {"episode": EPISODE, "difficulty": 0.1, "band": "hard"})])
    assert told.band == "hard"


def test_scores_are_cut_at_the_thirds_of_the_data(tmp_path):
    scores = [0.3, 0.1, 0.2, 0.21, 0.11, 0.31, "easy", None]
    samples = read([write(tmp_path, *[{"episode": EPISODE, "difficulty": s} for s in scores])])
    assert bands(samples) == (
        "hard", "easy", "medium", "medium", "easy", "hard", "easy", "easy",
    )  # fmt: skip
    assert set(bands(samples[:1])) == {"easy"}


def test_traps_are_not_learned(tmp_path):
    path = write(tmp_path, {"episode": EPISODE, "kind": "trap"}, {"episode": EPISODE})
    assert [sample.row.place for sample in read([path])] == ["line 2"]
    only = write(tmp_path, {"episode": EPISODE, "kind": "trap"})
    with pytest.raises(DataError, match="no episodes to learn"):
        read([only])


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "episodes.jsonl: line 2: not JSON"),
        ("[1]", "episodes.jsonl: line 2: came \\[1\\]; an object"),
        ("{}", "episodes.jsonl: line 2: episode: is missing"),
        ('{"episode": {"question": 3}}', "episodes.jsonl: line 2: episode: field"),
    ],
)
def test_a_broken_record_is_named(tmp_path, line, told):
    path = write(tmp_path, {"episode": EPISODE})
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(DataError, match=told):
        read([path])
    broken = Rejections()
    assert len(read([path], broken)) == broken.kept == broken.rejected == 1
    path.write_text(line + "\n")
    with pytest.raises(DataError, match=r"holds no episodes to learn; .*line 1: "):
        read([path], Rejections())


@pytest.mark.parametrize("weight", [0, -1, "much", True])
def test_a_weight_is_a_positive_number(tmp_path, weight):
    path = write(tmp_path, {"episode": EPISODE, "weight": weight}, {"episode": EPISODE})
    with pytest.raises(
        DataError, match=r"episodes\.jsonl: line 1: weight: came .*above 0 is needed"
    ):
        read([path])
    broken = Rejections()
    assert [sample.weight for sample in read([path], broken)] == [1.0]
    assert (broken.kept, broken.rejected) == (1, 1)


def test_a_picture_is_never_both_learned_and_held_out(tmp_path):
    records = [about(name) for name in "aabbccddeeff"]
    learned, asked = split(read([write(tmp_path, *records)]), 3)
    assert len(asked) == 4  # two of each picture, at least three wanted
    assert not {sample.picture for sample in learned} & {sample.picture for sample in asked}
    for name in ("test", "val", "dev", "Validation"):
        learned, asked = split(read([write(tmp_path, about("a", split=name), about("b"))]), 0)
        assert ([one.picture for one in learned], len(asked)) == (["b"], 1)
    named = [about("a", split="test"), about("a", split="train"), about("b", split="train")]
    learned, asked = split(read([write(tmp_path, *named)]), 1)
    assert [sample.picture for sample in learned] == ["b"]
    assert len(asked) == 2


def test_a_picture_that_is_nowhere(tmp_path):
    (sample,) = read([write(tmp_path, {"episode": EPISODE})])
    with pytest.raises(MediaError, match="media: is not at"):
        sample.open()


def test_held_out_questions_whose_picture_is_broken_are_not_asked(episodes, tmp_path):
    shutil.copytree(episodes, tmp_path / "copy")
    samples = read([tmp_path / "copy"])
    path = samples[2].media_path
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    broken = Rejections()
    kept = whole(samples, broken)
    assert [one.id for one in kept] == [one.id for one in samples if one.media_path != path]
    assert "line 3: media: " in broken.first[0]
