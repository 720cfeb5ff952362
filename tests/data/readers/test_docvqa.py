import pytest

PAGE = {
    "status": "Succeeded",
    "recognitionResults": [
        {"page": 1, "width": 160, "height": 120, "unit": "pixel",
         "lines": [{"boundingBox": [10, 8, 70, 9, 70, 20, 10, 19], "text": "Total: 42",
                    "words": [{"boundingBox": [10, 8, 40, 8, 40, 19, 10, 19], "text": "Total:"}]}]}
    ],
}  # fmt: skip


def question(number: int, **more):
    return {
        "questionId": number, "question": "What is the total?", "question_types": ["form"],
        "image": "documents/xnbl0037_1.png", "docId": 279, "ucsf_document_id": "xnbl0037",
        "ucsf_document_page_no": "1", "answers": ["42", "42.0"], "data_split": "val", **more,
    }  # fmt: skip


@pytest.fixture
def docvqa(ground):
    ground.picture("spdocvqa_images/xnbl0037_1.png")
    ground.json("spdocvqa_ocr/xnbl0037_1.json", PAGE)
    return ground


def lay(ground, *questions):
    head = {"dataset_name": "docvqa", "dataset_version": "1.0", "dataset_split": "val"}
    ground.json("val_v1.0_withQT.json", {**head, "data": list(questions)})


def test_a_question_comes_with_the_text_of_its_page(docvqa):
    lay(docvqa, question(49153))
    (record,), rejections = docvqa.read("docvqa")
    assert rejections.rejected == 0
    assert record.id == "docvqa-49153"
    assert record.answers == ("42", "42.0")
    assert (record.answer_type, record.split) == ("text", "val")
    assert record.texts[0].text == "Total: 42"
    assert record.texts[0].box == (10, 8, 70, 20)
    assert record.provenance.place == "data[0]"


def test_hidden_answers_are_no_error(docvqa):
    hidden = question(1, data_split="test")
    del hidden["answers"]
    lay(docvqa, hidden)
    (record,), _ = docvqa.read("docvqa")
    assert record.answers == ()


def test_broken_questions_are_named_and_the_good_kept(docvqa):
    lay(
        docvqa,
        question(1, question=5),
        question(2, answers=[7]),
        question(3, image="documents/none.png"),
        question(4),
    )
    records, rejections = docvqa.read("docvqa")
    assert [record.id for record in records] == ["docvqa-4"]
    assert [told.split(".json: ")[1][:24] for told in rejections.first] == [
        "data[0]: question: came ",
        "data[1]: answers: came [",
        "data[2]: image: 'none.pn",
    ]


def test_a_page_without_ocr_has_no_texts(docvqa):
    (docvqa.root / "spdocvqa_ocr/xnbl0037_1.json").unlink()
    lay(docvqa, question(1))
    (record,), _ = docvqa.read("docvqa")
    assert record.texts == ()
