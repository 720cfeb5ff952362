def entry(**more):
    return {
        "question_id": "Interaction_T1_13", "question": "Which object was opened?",
        "video_id": "6H78U", "start": 0.2, "end": 0.9, "answer": "The closet/cabinet.",
        "question_program": [], "situations": {}, **more,
        "choices": [{"choice_id": n, "choice": text, "choice_program": []}
                    for n, text in enumerate(["The blanket.", "The closet/cabinet."])],
    }  # fmt: skip


def test_questions_come_with_their_stretch(ground):
    ground.clip("Charades_v1_480/6H78U.mp4")
    ground.json(
        "STAR_val.json",
        [entry(), entry(answer="The moon."), entry(start=0.9, end=0.2), entry(end=1)],
    )
    records, rejections = ground.read("starqa")
    assert len(records) == 2
    assert records[0].span == (0.2, 0.9)
    assert records[0].choices == ("The blanket.", "The closet/cabinet.")
    assert (records[0].family, records[0].split) == ("interaction", "val")
    assert "record 1: answer: came 'The moon.'" in rejections.first[0]
    assert "record 2: end: came 0.2; 0.9 to inf is allowed" in rejections.first[1]
