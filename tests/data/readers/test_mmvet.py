def entry(**more):
    return {
        "imagename": "v1_0.png", "question": "What is x?", "answer": "-1<AND>-5",
        "imagesource": "https://a.example", "capability": ["ocr", "math"], **more,
    }  # fmt: skip


def test_ands_are_lists_and_ors_are_ways(ground):
    ground.picture("images/v1_0.png")
    ground.json(
        "mm-vet.json",
        {
            "v1_0": entry(),
            "v1_1": entry(answer="left<OR>to the left", capability=["spat"]),
            "v1_2": entry(answer=15),
            "v1_3": entry(imagename="none.png"),
            "v1_4": 4,
        },
    )
    records, rejections = ground.read("mmvet")
    assert [(r.id, r.answer_type, r.answers) for r in records] == [
        ("mmvet-v1_0", "list", ("-1", "-5")),
        ("mmvet-v1_1", "text", ("left", "to the left")),
        ("mmvet-v1_2", "number", ("15",)),
    ]
    assert records[0].family == "math+ocr"
    assert "v1_3: imagename: 'none.png' is not there" in rejections.first[0]
    assert "v1_4: came 4; an object is needed" in rejections.first[1]
