import numpy as np
import pytest
from PIL import Image

from pixelis.errors import ConfigError, DataError

datasets = pytest.importorskip("datasets")


@pytest.fixture
def rows():
    red = Image.fromarray(np.full((40, 60, 3), (200, 20, 30), np.uint8))
    return [
        {"id": f"r{n}", "image": red, "question": "Which colour?", "answer": answer}
        for n, answer in enumerate(["red", "crimson"])
    ]


@pytest.fixture
def features():
    return datasets.Features(
        {
            "id": datasets.Value("string"),
            "image": datasets.Image(),
            "question": datasets.Value("string"),
            "answer": datasets.Value("string"),
        }
    )


def test_a_folder_of_save_to_disk(ground, rows, features, pixels_of):
    datasets.disable_progress_bars()
    made = datasets.Dataset.from_list(rows, features=features)
    datasets.DatasetDict({"train": made, "test": made}).save_to_disk(str(ground.root))
    records, rejections = ground.read("huggingface")
    assert rejections.rejected == 0
    assert [(r.id, r.split) for r in records] == [
        ("data-test-r0", "test"),
        ("data-test-r1", "test"),
        ("data-train-r0", "train"),
        ("data-train-r1", "train"),
    ]
    assert records[0].answers == ("red",)
    assert records[0].answer_type == "color"
    assert (pixels_of(records[0]) == (200, 20, 30)).all()


def test_parquet_as_on_the_hub(ground, rows, features):
    datasets.disable_progress_bars()
    ground.root.mkdir()
    made = datasets.Dataset.from_list(rows, features=features)
    made.to_parquet(str(ground.root / "train-00000-of-00001.parquet"))
    records, _ = ground.read("huggingface")
    assert [r.id for r in records] == ["data-train-r0", "data-train-r1"]


def test_columns_by_other_names(ground):
    picture = ground.picture("p/a.png")
    ground.parquet("x.parquet", [{"shot": "p/a.png", "ask": "How many?", "gold": 3, "n": 1}])
    with pytest.raises(DataError, match="no column of pictures and questions"):
        ground.read("huggingface")
    names = {"image": "shot", "question": "ask", "answer": "gold"}
    (record,), _ = ground.read("huggingface", columns=names)
    assert (record.answers, record.answer_type, record.media) == (("3",), "number", (picture,))
    with pytest.raises(ConfigError, match="has no 'nope'; it has"):
        ground.read("huggingface", columns={"image": "nope"})
    with pytest.raises(ConfigError, match="'img' is unknown; allowed are"):
        ground.read("huggingface", columns={"img": "shot"})


def test_conversations(ground):
    ground.picture("a.png")
    talk = [
        {"from": "human", "value": "<image>What is it?"},
        {"from": "gpt", "value": "A square"},
    ]
    ground.parquet("x.parquet", [{"image": "a.png", "conversations": talk}])
    (record,), _ = ground.read("huggingface")
    assert (record.question, record.answers) == ("What is it?", ("A square",))


def test_broken_rows_are_named_and_the_good_kept(ground):
    good = ground.picture("a.png").read_bytes()
    row = {"question": "What?", "answer": "x", "image": {"bytes": good, "path": None}}
    rows = [
        {**row, "question": ""},
        {**row, "image": {"bytes": None, "path": "none.png"}},
        {**row, "image": {"bytes": good[:-40], "path": None}},
        {**row, "image": {"bytes": b"", "path": None}},
        row,
    ]
    ground.parquet("x.parquet", rows)
    records, rejections = ground.read("huggingface")
    assert [record.provenance.place for record in records] == ["row 4"]
    assert "row 0: question: came ''; a text is needed" in rejections.first[0]
    assert "row 1: image: 'none.png' is not there" in rejections.first[1]
    assert "row 2: media:" in rejections.first[2]
    assert "truncated" in rejections.first[2]
    assert "row 3: image: came null" in rejections.first[3]
