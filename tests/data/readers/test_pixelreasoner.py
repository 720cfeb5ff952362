import pytest

from pixelis.episode import Call

GUIDE = "\n\nGuidelines: Understand the given visual information and the user query."
CALL = '<tool_call>\n{"name": "crop_image_normalized", "arguments": {"bbox_2d": [0.1, 0.1, 0.4, 0.5], "target_image": 1}}\n</tool_call>'  # noqa: E501


def said(role: str, *parts):
    content = [
        {"type": "text", "text": part}
        if isinstance(part, str)
        else {"type": "image", "image": part[0]}
        for part in parts
    ]
    return {"role": role, "content": content}


@pytest.fixture
def trajectory(ground):
    ground.picture("images/a.jpg")
    ground.picture("images/a_crop.jpg", size=(64, 64))

    def make(**more):
        turns = [
            said("system", "You are a helpful assistant."),
            said("user", "What colour is the square?" + GUIDE, ("images/a.jpg",)),
            said("assistant", "I look closer.\n" + CALL),
            said(
                "user", "\nHere is the cropped image. (Image Size: 64x64)", ("images/a_crop.jpg",)
            ),
            said("assistant", "It is red. \\boxed{red}"),
        ]
        return {"message_list": turns, "qid": "q-1", **more}

    return make


def test_a_trajectory_comes_as_an_episode(ground, trajectory):
    ground.json("sft.json", [trajectory()])
    (record,), rejections = ground.read("pixelreasoner")
    assert rejections.rejected == 0
    assert record.question == "What colour is the square?"
    assert record.answers == ("red",)
    assert record.answer_type == "color"
    episode = record.episode
    arguments = {"bbox_2d": [0.1, 0.1, 0.4, 0.5], "image": 0}
    assert episode.calls == (Call("zoom_in", arguments),)
    assert episode.steps[0].thought == "I look closer."
    assert episode.observations[0].image == 1
    assert [path.name for path in record.shown] == ["a.jpg", "a_crop.jpg"]
    assert [path.name for path in record.media] == ["a.jpg"]


def test_broken_trajectories_are_named(ground, trajectory):
    unanswered = trajectory()
    unanswered["message_list"] = unanswered["message_list"][:3]
    lost = trajectory()
    lost["message_list"][1] = said("user", "What?", ("images/none.jpg",))
    strange = trajectory()
    strange["message_list"][2]["role"] = "robot"
    ground.json("sft.json", [unanswered, lost, strange, {"message_list": 3}, trajectory()])
    records, rejections = ground.read("pixelreasoner")
    assert len(records) == 1
    assert "record 0: message_list: ends without an answer" in rejections.first[0]
    assert "record 1: message_list[1].content[1].image: 'images/none.jpg'" in rejections.first[1]
    assert "record 2: message_list[2].role: came 'robot'" in rejections.first[2]
    assert "record 3: message_list: came 3; a list is needed" in rejections.first[3]


def test_questions_for_reinforcement(ground):
    ground.picture("images/a.jpg")
    for number in range(3):
        ground.picture(f"videos/v/{number}.jpg")
    rows = [
        {"question": "How many?" + GUIDE, "answer": ["\\boxed{3}"], "image": ["a.jpg"],
         "is_video": False, "qid": "1"},
        {"question": "What next?", "answer": ["\\boxed{B}"], "is_video": True, "qid": "2",
         "image": [f"v/{n}.jpg" for n in range(3)]},
        {"question": "What?", "answer": [], "image": ["a.jpg"], "is_video": False, "qid": "3"},
    ]  # fmt: skip
    ground.parquet("release.parquet", rows)
    records, rejections = ground.read("pixelreasoner")
    assert [(r.kind, len(r.media), r.answers, r.answer_type) for r in records] == [
        ("picture", 1, ("3",), "number"),
        ("frames", 3, ("B",), "option"),
    ]
    assert records[0].question == "How many?"
    assert "row 2: answer: came []; a list of texts is needed" in rejections.first[0]
