"""Every published benchmark: read in its layout, judged by its rule, refused in one line."""

import json

import pytest
from PIL import Image

from pixelis.episode import Answer
from pixelis.errors import ConfigError, DataError
from pixelis.evals.benchmarks import CATALOG, read_published
from pixelis.media import open_media

# By name: how many questions the small copy holds, and a right and a wrong answer to its first.
TOLD = {
    "vstar": (2, "(A) red", "B"),
    "hrbench4k": (4, "B", "A"),
    "hrbench8k": (4, "green", "red"),
    "tallyqa": (1, "one", "2"),
    "infographicsvqa": (1, "12%", "99 people"),
    "mvbench": (2, "(B)", "(A)"),
    "mmmu": (3, "The answer is (B).", "(A)"),
    "mmvet": (1, "x = -1 or x = -5", "x = 3"),
    "mathvista": (2, "1.24", "1.3"),
    "virl39k": (1, "\\boxed{17}", "18"),
    "reasonrft-counting": (2, "3", "4"),
    "reasonrft-geometry": (2, "B", "C"),
    "reasonrft-transform": (1, "change_color(0, blue)", "change_shape(0, cube)"),
}


def test_all_are_told(builders):
    assert set(TOLD) == set(CATALOG) == set(builders)


@pytest.mark.parametrize("name", TOLD)
def test_read_asked_and_judged(published, tmp_path, name):
    count, right, wrong = TOLD[name]
    benchmark = read_published(name, published(name), tmp_path / "work")
    questions = list(benchmark)
    assert len(questions) == count
    assert benchmark.official == CATALOG[name].official
    assert not benchmark.frozen
    first = questions[0]
    assert first.judge(Answer(right)) == (True, 1.0)
    assert not first.judge(Answer(wrong)).correct
    assert first.judge(None) == (False, 0.0)
    for question in questions:
        open_media(question.media).close()
    of = CATALOG[name].count or "an unchecked number of"
    assert any(f"{count} of {of} published" in note for note in benchmark.notes)


def test_rotations_share_a_group_and_a_picture(published, tmp_path):
    questions = list(read_published("hrbench4k", published("hrbench4k"), tmp_path / "work"))
    assert len({question.group for question in questions}) == 1
    assert len({question.picture for question in questions}) == 1
    assert all(question.judge(Answer("the green one")).correct for question in questions)
    assert [question.gold for question in questions] == ["B", "A", "D", "C"]


def test_several_pictures_come_on_one_sheet(published, tmp_path):
    questions = list(read_published("mmmu", published("mmmu"), tmp_path / "work"))
    single, double = (open_media(question.media).size for question in questions[:2])
    assert double.width > 2 * single.width
    assert questions[0].family == "Accounting"
    assert questions[2].judge(Answer("so it is 12.50")).correct


def test_a_stretch_of_a_video_is_cut_out(published, tmp_path):
    whole, part = read_published("mvbench", published("mvbench"), tmp_path / "work")
    with open_media(whole.media) as first, open_media(part.media) as second:
        assert first.frames == 16
        assert 3 <= second.frames <= 6


def test_partial_credit_is_the_score(published, tmp_path):
    [question] = read_published("mmvet", published("mmvet"), tmp_path / "work")
    assert question.wants_judge
    assert question.judge(Answer("x = -1")) == (False, 0.5)
    path = published("reasonrft-transform")
    [question] = read_published("reasonrft-transform", path, tmp_path / "work")
    assert question.judge(Answer("change_color(0, red)")) == (False, 0.5)
    assert "change_material: glass" in question.text


def test_mathvista_tells_unit_and_form_as_the_authors_do(published, tmp_path):
    path = published("mathvista")
    number, choice = read_published("mathvista", path, tmp_path / "work")
    assert number.asked == "How many?\nAnswer with a number with 1 decimal place."
    assert choice.asked == "How many?\nA. Yes\nB. No"
    rows = [{"pid": "3", "question": "How wide?", "image": "1.png", "choices": None, "unit": "cm"}]
    rows[0] |= {"precision": None, "answer": "[1, 2]", "answer_type": "list"}
    rows.append({**rows[0], "pid": "4", "answer": "3", "answer_type": "integer"})
    folder = tmp_path / "files"
    (folder / "images").mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "images/1.png")
    (folder / "annot_testmini.json").write_text(json.dumps({row["pid"]: row for row in rows}))
    told = [q.asked for q in read_published("mathvista", folder, tmp_path / "work")]
    assert told == [
        "How wide? (Unit: cm)\nAnswer with a list, as [1, 2, 3].",
        "How wide? (Unit: cm)\nAnswer with a whole number.",
    ]


def test_the_first_questions(published, tmp_path):
    benchmark = read_published("hrbench4k", published("hrbench4k"), tmp_path / "work", limit=2)
    assert len(benchmark) == 2
    assert "2 of 800 published questions, limited to 2" in benchmark.notes


@pytest.mark.parametrize("name", TOLD)
def test_nothing_there_says_where_to_get_it(tmp_path, name):
    entry = CATALOG[name]
    with pytest.raises(ConfigError, match="needs --data DIR; get it from") as told:
        read_published(name, None, tmp_path)
    assert entry.where in str(told.value)
    with pytest.raises(DataError, match="neither a file nor a folder") as told:
        read_published(name, tmp_path / "none", tmp_path)
    assert entry.licence in str(told.value)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no ") as told:
        read_published(name, tmp_path / "empty", tmp_path)
    assert "\n" not in str(told.value)
    assert entry.where in str(told.value)


@pytest.mark.parametrize("name", ["vstar", "tallyqa", "infographicsvqa", "mvbench", "mmvet"])
def test_missing_pictures_are_half_a_download(published, tmp_path, name):
    root = published(name)
    for path in root.rglob("*.*"):
        if path.suffix in (".jpg", ".jpeg", ".png", ".mp4"):
            path.unlink()
    with pytest.raises(DataError, match=r"is not there.*is the download whole\? get it from"):
        read_published(name, root, tmp_path / "work")


@pytest.mark.parametrize("name", ["hrbench4k", "mmmu", "mathvista", "virl39k"])
def test_a_table_cut_short_is_half_a_download(published, tmp_path, name):
    root = published(name)
    for path in root.rglob("*.parquet"):
        path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(DataError, match=r"no whole parquet file.*get it from"):
        read_published(name, root, tmp_path / "work")


def test_a_picture_cut_short_is_named(published, tmp_path):
    root = published("vstar")
    path = root / "direct_attributes/sa_1.jpg"
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(DataError, match=r"sa_1\.jpg.*is the download whole"):
        read_published("vstar", root, tmp_path / "work")
    benchmark = read_published("vstar", root, tmp_path / "work", skip_broken=True)
    assert len(benchmark) == 1
    assert "1 records that could not be used were left out" in benchmark.notes
    assert benchmark.settings["left_out"] == 1


def test_another_layout_is_named(tmp_path):
    (tmp_path / "test.json").write_text(json.dumps([{"question": "How many?"}]))
    with pytest.raises(DataError, match=r"test\.json: record 0: question_id: is missing"):
        read_published("tallyqa", tmp_path, tmp_path / "work")


def test_an_unknown_name_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="'vstart' is not known; give vstar, "):
        read_published("vstart", tmp_path, tmp_path)
