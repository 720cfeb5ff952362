import pytest


def entry(**more):
    return {
        "video": "ZS9XR.mp4", "question": "What happened after?", "start": 0.1, "end": 0.8,
        "candidates": ["Ate.", "Tidied up."], "answer": "Tidied up.", **more,
    }  # fmt: skip


@pytest.fixture
def mvbench(ground):
    ground.clip("video/star/Charades_v1_480/ZS9XR.mp4")
    for number in range(3):
        ground.picture(f"video/tvqa/frames_fps3_hq/castle_s01/{number:05d}.jpg")
    return ground


def test_videos_are_found_by_name(mvbench):
    mvbench.json("json/action_sequence.json", [entry(), entry(question="Why?")])
    mvbench.json("json/episodic_reasoning.json", [entry(video="castle_s01")])
    records, rejections = mvbench.read("mvbench")
    assert rejections.rejected == 0
    assert [r.id for r in records] == [
        "mvbench-action_sequence-0",
        "mvbench-action_sequence-1",
        "mvbench-episodic_reasoning-0",
    ]
    assert records[0].kind == "video"
    assert records[0].span == (0.1, 0.8)
    assert records[0].family == "action_sequence"
    assert (records[2].kind, len(records[2].media)) == ("frames", 3)


def test_broken_entries_are_named(mvbench):
    cut = mvbench.clip("video/cut.mp4")
    cut.write_bytes(cut.read_bytes()[:300])
    mvbench.json(
        "json/action_sequence.json",
        [entry(answer="Slept."), entry(video="none.mp4"), entry(video="cut.mp4"), entry()],
    )
    records, rejections = mvbench.read("mvbench")
    assert len(records) == 1
    assert "record 0: answer: came 'Slept.'; it is none of the candidates" in rejections.first[0]
    assert "record 1: video: 'none.mp4' is not there" in rejections.first[1]
    assert "record 2: media: " in rejections.first[2]
    assert "cut.mp4" in rejections.first[2]
