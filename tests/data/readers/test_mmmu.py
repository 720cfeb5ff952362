import pytest


@pytest.fixture
def row(ground):
    picture = {"bytes": ground.picture("a.png").read_bytes(), "path": "a.png"}

    def make(number: int, **more):
        return {
            "id": f"validation_Accounting_{number}", "question": "<image 1> Which is $x$?",
            "options": "['$6', \"it's 7\"]", "explanation": "", "image_1": picture,
            "image_2": None, "img_type": "['Tables']", "answer": "B",
            "topic_difficulty": "Medium", "question_type": "multiple-choice",
            "subfield": "Managerial Accounting", **more,
        }  # fmt: skip

    make.picture = picture
    return make


def test_options_answers_and_pictures(ground, row):
    rows = [
        row(1),
        row(2, options="[]", answer="12.5"),
        row(3, question="<image 1> and <image 2>?", image_2=row.picture),
        row(4, answer="?"),
        row(5, answer="E"),
        row(6, options="__import__('os')"),
        row(7, image_1=None),
    ]
    ground.parquet("Accounting/validation-00000-of-00001.parquet", rows)
    records, rejections = ground.read("mmmu")
    assert [r.id[-1] for r in records] == ["1", "2", "3", "4"]
    assert records[0].choices == ("$6", "it's 7")
    assert (records[0].answers, records[0].question) == (("B",), "Which is $x$?")
    assert (records[1].answers, records[1].answer_type) == (("12.5",), "number")
    assert len(records[2].media) == 2
    assert "<image 2>" in records[2].question
    assert records[3].answers == ()
    assert "row 4: answer: came 'E'; A to B is allowed" in rejections.first[0]
    assert "row 5: options: came \"__import__('os')\"; a list of texts" in rejections.first[1]
    assert "row 6: image_1: is missing" in rejections.first[2]
