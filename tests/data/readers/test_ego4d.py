def test_queries_come_with_the_stretch_that_answers_them(ground):
    ground.clip("v2/clips/c-1.mp4")
    query = {"query": "Where is the red box?", "clip_start_sec": 0.2, "clip_end_sec": 0.7,
             "template": "Objects: Where is object X?"}  # fmt: skip
    broken = {"query": "Where?", "clip_start_sec": "soon", "clip_end_sec": 1}
    clip = {"clip_uid": "c-1", "annotations": [{"language_queries": [query, broken]}]}
    lost = {"clip_uid": "c-2", "annotations": [{"language_queries": [query]}]}
    videos = [
        {"video_uid": "v-1", "clips": [clip, lost], "split": "val"},
        {"video_uid": "v-2", "clips": 3},
    ]
    ground.json("v2/annotations/nlq_val.json", {"version": "1", "videos": videos})
    (record,), rejections = ground.read("ego4d")
    assert record.question == "Where is the red box?"
    assert record.span == (0.2, 0.7)
    assert record.answers == ()
    assert record.media[0].name == "c-1.mp4"
    assert record.meta["video_uid"] == "v-1"
    assert "language_queries[1].clip_start_sec: came 'soon'; a number" in rejections.first[0]
    assert "clips[1].clip_uid: 'c-2.mp4' is not there" in rejections.first[1]
    assert "videos[1]: clips: came 3; a list is needed" in rejections.first[2]
