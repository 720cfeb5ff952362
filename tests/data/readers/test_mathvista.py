import pytest


def entry(pid: str, **more):
    return {
        "pid": pid, "question": "What is x?", "image": f"images/{pid}.jpg", "choices": None,
        "unit": None, "precision": None, "answer": "1.2", "question_type": "free_form",
        "answer_type": "float", "query": "Hint: ...", **more,
        "metadata": {"category": "math-targeted-vqa", "task": "geometry problem solving"},
    }  # fmt: skip


ENTRIES = [
    entry("1"),
    entry("2", question_type="multi_choice", answer_type="text", choices=["145°", "35°"],
          answer="145°"),
    entry("3", answer_type="integer", answer="7"),
    entry("4", answer_type="vector"),
    entry("5", answer=""),
]  # fmt: skip


@pytest.fixture
def pictures(ground):
    return {n: ground.picture(f"images/{n}.jpg").read_bytes() for n in "12345"}


def test_the_json_with_files_beside_it(ground, pictures):
    ground.json("annot_testmini.json", {one["pid"]: one for one in ENTRIES})
    check(*ground.read("mathvista"))


def test_the_parquet_with_pictures_in_it(ground, pictures):
    rows = [
        {**one, "decoded_image": {"bytes": pictures[one["pid"]], "path": None}} for one in ENTRIES
    ]
    ground.parquet("data/testmini-00000-of-00001.parquet", rows)
    check(*ground.read("mathvista"))


def check(records, rejections):
    assert [(r.id.split("-")[1], r.answer_type, r.answers) for r in records] == [
        ("1", "number", ("1.2",)),
        ("2", "option", ("145°",)),
        ("3", "number", ("7",)),
        ("5", "number", ()),
    ]
    assert records[1].choices == ("145°", "35°")
    assert records[0].family == "geometry problem solving"
    assert (
        "answer_type: came 'vector'; allowed are integer, float, list, text" in rejections.first[0]
    )
