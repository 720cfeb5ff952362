import json
from collections import Counter

import pytest
from PIL import Image

from pixelis.data.episodes import TRAP, read_samples
from pixelis.data.quality import balance, check, check_one


def spoil(folder, number: int, change) -> None:
    path = folder / "episodes.jsonl"
    lines = path.read_text().splitlines()
    record = json.loads(lines[number])
    change(record)
    lines[number] = json.dumps(record)
    path.write_text("\n".join(lines) + "\n")


def found(folder, number: int, run: bool = True) -> set[str]:
    return {one.check for one in check_one(list(read_samples(folder))[number], run)}


def last(record) -> dict:
    return record["episode"]["steps"][-1]


def where(folder, family: str) -> int:
    return next(n for n, sample in enumerate(read_samples(folder)) if sample.family == family)


def test_executed_episodes_are_clean(clean):
    report = check(clean)
    assert report.first == []
    assert report.clean
    assert (report.samples, report.replayed) == (9, 9)
    assert report.families == Counter(text_extraction=3, attribute_recognition=3, object_counting=3)


def test_a_changed_observation_does_not_come_again(episodes):
    number = where(episodes, "attribute_recognition")

    def change(record):
        for step in record["episode"]["steps"]:
            if step["observation"] and step["observation"]["box"]:
                step["observation"]["box"][0] += 3

    spoil(episodes, number, change)
    assert found(episodes, number) == {"replay"}
    assert found(episodes, number, run=False) == set()
    report = check(episodes, replays=0)
    assert report.replayed == 0
    assert report.clean


def test_an_answer_that_was_not_observed_is_told(episodes):
    number = where(episodes, "attribute_recognition")

    def change(record):
        for answer in (last(record)["answer"], record["episode"]["answer"]):
            answer["text"] = "puce"

    spoil(episodes, number, change)
    assert found(episodes, number, run=False) == {"follows", "gold"}


def test_an_answer_from_nowhere_is_told(episodes):
    number = where(episodes, "attribute_recognition")

    def change(record):
        for answer in (last(record)["answer"], record["episode"]["answer"]):
            answer.update(text="turquoise-ish", raw="turquoise-ish")
        record["gold"] = "turquoise-ish"
        record["answer_type"] = "word"

    spoil(episodes, number, change)
    assert found(episodes, number, run=False) == {"follows"}


def test_a_count_that_is_not_that_of_its_points_is_told(episodes):
    number = where(episodes, "object_counting")

    def change(record):
        for answer in (last(record)["answer"], record["episode"]["answer"]):
            answer["text"] = answer["raw"] = "77"
        record["gold"] = "77"

    spoil(episodes, number, change)
    calls = list(read_samples(episodes))[number].episode.calls
    assert found(episodes, number, run=False) == ({"follows"} if calls else set())


def answering(text, raw, thought="", kind="word"):
    """Changes a record so that it ends like that."""

    def change(record):
        step = last(record)
        step["thought"] = thought
        for answer in (step["answer"], record["episode"]["answer"]):
            answer.update(text=text, raw=raw)
        record.update(gold=text, answer_type=kind)

    return change


@pytest.mark.parametrize(
    ("text", "raw", "thought", "kind", "told"),
    [
        ("5", "5", "all: dot [450, 250] = 1; dot [500, 255] = 2", "number", True),
        ("1", "1", "dot: [45, 25] red dot, dot: 1; [50, 25] red ring, dot: no", "number", False),
        ("0", "0", "dot: [45, 25] red cross, dot: no; [50, 25] red ring, dot: no", "number", False),
        ("2", "2", "dot: [45, 25] red dot, dot: 1; [50, 25] red ring, dot: no", "number", True),
        ("2", "2", "all: dot [450, 250] = 1; dot [500, 255] = 2; ring [1, 2]", "number", False),
        ("yes", "yes [mask_1]", "x 180 < 560", "yes_no", False),
        ("yes", "yes", "x 180 < 560", "yes_no", True),
        ("ink", "ink", "pink", "word", True),
        ("square", "square [mask_1]", "", "word", False),  # a word of the question
    ],
)
def test_an_answer_follows_by_whole_words_counts_and_citations(
    episodes, text, raw, thought, kind, told
):
    number = where(episodes, "attribute_recognition")
    spoil(episodes, number, answering(text, raw, thought, kind))
    assert found(episodes, number, run=False) == ({"follows"} if told else set())


def test_grave_findings_come_first_and_small_ones_hide_none(episodes):
    path = episodes / "episodes.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for number in range(30):
        copy = json.loads(json.dumps(lines[0]))
        copy["episode"].update(id=f"c{number}", question=f"{number}?")
        lines.append(copy)
    for record in lines:
        record["provenance"] = {}
    lines.append(lines[0])
    path.write_text("".join(json.dumps(record) + "\n" for record in lines))
    report = check(episodes, replays=0)
    assert report.counts["provenance"] == len(lines)
    assert [finding.check for finding in report.grave][:2] == ["duplicate", "duplicate"]
    assert len(report.grave) < len(lines) + 2


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        (lambda r: r["episode"].update(ended="steps"), {"structure"}),
        (lambda r: r["episode"].update(steps=r["episode"]["steps"] * 11), {"structure", "loop"}),
        (lambda r: r["episode"]["steps"][0].update(observation=None), {"structure", "follows"}),
        (lambda r: r.update(gold="something else entirely"), {"gold"}),
        (lambda r: r.update(images=["media/none.png"]), {"images"}),
        (lambda r: r.update(kind=TRAP), {"gold"}),
        (lambda r: r.pop("gold"), {"gold"}),
        (lambda r: r.update(weight=-2), {"structure"}),
        (lambda r: r["episode"]["media"].update(sha256="0" * 64), {"media"}),
        (lambda r: r.pop("provenance"), {"provenance"}),
    ],
)
def test_what_is_wrong_is_named(episodes, change, checks):
    number = where(episodes, "text_extraction")
    spoil(episodes, number, change)
    assert found(episodes, number, run=False) == checks


def test_a_call_asked_twice_is_a_loop(episodes):
    number = where(episodes, "text_extraction")

    def change(record):
        steps = record["episode"]["steps"]
        steps.insert(0, steps[0])

    spoil(episodes, number, change)
    assert "loop" in found(episodes, number, run=False)


def test_a_source_that_is_cut_off_is_told(episodes):
    sample = next(read_samples(episodes))
    path = sample.media_path
    path.write_bytes(path.read_bytes()[:-500])
    (finding,) = check_one(next(read_samples(episodes)))
    assert finding.check == "media"
    assert "truncated" in finding.told
    assert path.name in finding.told


def test_duplicates_are_told_once(episodes):
    path = episodes / "episodes.jsonl"
    text = path.read_text()
    path.write_text(text + text.splitlines()[0] + "\n")
    report = check(episodes, replays=0)
    assert report.counts["duplicate"] == 2  # the id, and the question about this picture
    assert not report.clean


def leaking(record) -> None:
    record["split"] = "test" if record["split"] == "train" else "train"


def test_one_picture_in_two_splits_leaks(episodes):
    path = episodes / "episodes.jsonl"
    record = json.loads(path.read_text().splitlines()[0])
    leaking(record)
    record["episode"].update(id="other", question="Something else?")
    path.write_text(path.read_text() + json.dumps(record) + "\n")
    report = check(episodes, replays=0)
    assert report.counts["leakage"] == 1
    assert "the same file is in" in report.first[-1].told


def test_a_picture_saved_again_in_another_split_leaks(episodes):
    path = episodes / "episodes.jsonl"
    sample = next(read_samples(episodes))
    again = episodes / "media" / "again.jpg"
    with sample.open() as media:
        image = media.image
    image.resize((image.width * 3 // 4, image.height * 3 // 4), Image.Resampling.LANCZOS).save(
        again
    )
    from pixelis.media import open_picture

    record = json.loads(path.read_text().splitlines()[0])
    leaking(record)
    sha256 = open_picture(again).sha256
    record.update(media="media/again.jpg")
    record["provenance"]["media_sha256"] = record["episode"]["media"]["sha256"] = sha256
    record["episode"].update(id="other")
    path.write_text(path.read_text() + json.dumps(record) + "\n")
    report = check(episodes, replays=0)
    assert report.counts["leakage"] == 1
    assert "the same picture is in" in report.first[-1].told


def test_families_may_differ_by_three_times():
    assert balance(Counter(a=30, b=10)) == balance(Counter(a=20, b=1)) == []
    (finding,) = balance(Counter(a=31, b=10))
    assert finding.told.startswith("31 records against 10 of b")


def test_broken_lines_make_it_not_clean(episodes):
    path = episodes / "episodes.jsonl"
    path.write_bytes(path.read_bytes() + b'{"episode": "\xff"}\n')
    report = check(episodes, replays=0)
    assert not report.clean
    assert report.rejections.reasons == {"not UTF-8": 1}
    assert report.samples == 9
