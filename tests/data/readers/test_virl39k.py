def test_answers_come_out_of_their_boxes(ground):
    ground.picture("images/a/1.png")
    base = {
        "question": "<image>What is the angle?", "answer": "\\boxed{17^{\\circ}}",
        "PassRate_32BTrained": 0.75, "PassRate_7BBase": -1.0, "category": "(GradeSchool) Geometric",
        "source": "MMMath", "qid": "MMMath-1", "image": ["images/a/1.png"],
    }  # fmt: skip
    rows = [
        base,
        {**base, "qid": "2", "answer": "\\boxed{C}"},
        {**base, "qid": "3", "image": []},
        {**base, "qid": "4", "image": ["images/a/none.png"]},
    ]
    ground.parquet("39Krelease.parquet", rows)
    records, rejections = ground.read("virl39k")
    assert [(r.answers, r.answer_type) for r in records] == [
        (("17^{\\circ}",), "text"),
        (("C",), "option"),
    ]
    assert records[0].question == "What is the angle?"
    assert records[0].meta["pass_rate"]["PassRate_32BTrained"] == 0.75
    assert "row 2: image: came an empty list; a picture is needed" in rejections.first[0]
    assert "row 3: image[0]: 'images/a/none.png' is not there" in rejections.first[1]
