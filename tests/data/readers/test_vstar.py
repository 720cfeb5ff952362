import pytest

TEXT = (
    "What is the material of the glove?\n(A) rubber\n(B) cotton\n(C) kevlar\n"
    "Answer with the option's letter from the given choices directly."
)


def entry(number: int, **more):
    return {
        "image": "direct_attributes/sa_4690.jpg", "text": TEXT, "category": "direct_attributes",
        "label": "A", "question_id": number, **more,
    }  # fmt: skip


@pytest.fixture
def vstar(ground):
    ground.picture("direct_attributes/sa_4690.jpg")
    target = {"target_object": ["glove"], "bbox": [[20, 10, 40, 40]], "question": "", "options": []}
    ground.json("direct_attributes/sa_4690.json", target)
    return ground


def test_options_are_taken_out_of_the_text(vstar):
    vstar.lines("test_questions.jsonl", [entry(0)])
    (record,), rejections = vstar.read("vstar")
    assert rejections.rejected == 0
    assert record.question == "What is the material of the glove?"
    assert record.choices == ("rubber", "cotton", "kevlar")
    assert record.answers == ("A",)
    assert record.family == "direct_attributes"


def test_the_target_comes_with_its_box(vstar):
    vstar.lines("test_questions.jsonl", [entry(0)])
    (record,), _ = vstar.read("vstar")
    assert record.things[0].label == "glove"
    assert record.things[0].box == (20, 10, 60, 50)


def test_broken_lines_are_named(vstar):
    path = vstar.lines(
        "test_questions.jsonl", [entry(0, label="Z"), entry(1, text="What?"), entry(2)]
    )
    with path.open("ab") as file:
        file.write(b'{"image": "\xff"}\n{"image"\n')
    records, rejections = vstar.read("vstar")
    assert [record.id for record in records] == ["vstar-2"]
    told = [one.split("jsonl: ")[1] for one in rejections.first]
    assert told[0] == "line 1: label: came 'Z'; it is none of the options"
    assert told[1] == "line 2: text: holds no options '(A) ...'"
    assert told[2].startswith("line 4: not UTF-8 at byte 11")
    assert told[3].startswith("line 5: not JSON")
