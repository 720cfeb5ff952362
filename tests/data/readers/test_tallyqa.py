def entry(number: int, **more):
    return {
        "image": "VG_100K_2/1.jpg", "answer": 2, "data_source": "amt", "question_id": number,
        "question": "How many red squares?", "image_id": 1, "issimple": False, **more,
    }  # fmt: skip


def test_counts_are_numbers_and_broken_ones_are_named(ground):
    ground.picture("VG_100K_2/1.jpg")
    ground.json("test.json", [entry(1), entry(2, answer="two"), entry(3, answer=0, issimple=True)])
    records, rejections = ground.read("tallyqa")
    assert [(r.id, r.answers) for r in records] == [("tallyqa-1", ("2",)), ("tallyqa-3", ("0",))]
    assert [r.meta["difficulty"] for r in records] == ["complex", "simple"]
    assert records[0].split == "test"
    assert records[0].answer_type == "number"
    assert "record 1: answer: came 'two'; a whole number is needed" in rejections.first[0]
