from __future__ import annotations

from dataclasses import replace

from pixelis.episode import Answer
from pixelis.geometry import Box
from pixelis.trace.scene import ENDINGS, call_text, compose


def test_every_step_points_at_its_marks(told):
    scene = compose(told.episode, told.workspace)
    kinds = {placed.id: placed.mark.kind for placed in scene.stages[0].marks}
    assert [[kinds[mark] for mark in card.marks] for card in scene.steps] == [
        ["box"],
        ["mask"],
        [],
        ["box", "line", "line"],
        [],
    ]


def test_images_stand_with_the_step_that_made_them(told):
    scene = compose(told.episode, told.workspace)
    assert [[crop.number for crop in card.crops] for card in scene.steps] == [[1], [], [], [], []]


def test_a_read_text_in_the_answer_falls_into_lines(told):
    scene = compose(told.episode, told.workspace)
    assert [(part.text, part.source) for part in scene.parts] == [
        ("HELLO", "text_1.line_1"),
        ("\n", ""),
        ("WORLD", "text_1.line_2"),
        (", ", ""),
        ("red", "mask_1.color"),
    ]
    labels = {placed.id: placed.mark.label for placed in scene.stages[0].marks}
    assert [labels[mark] for part in scene.parts for mark in part.marks] == [
        "HELLO",
        "WORLD",
        "mask_1",
    ]


def test_a_cited_answer_points_as_a_whole(told):
    cited = told.answering(Answer("It is red", "It is red [mask_1]", ("mask_1",)))
    (part,) = compose(cited.episode, cited.workspace).parts
    assert part.text == "It is red"
    assert len(part.marks) == 1


def test_an_answer_without_evidence_points_at_nothing(told):
    bare = told.answering(Answer("blue", "blue"))
    scene = compose(bare.episode, bare.workspace)
    assert [part.marks for part in scene.parts] == [()]
    assert not scene.evidence


def test_an_episode_without_answer(told):
    scene = compose(told.answering(None, "steps").episode, told.workspace)
    assert scene.parts == ()
    assert scene.ended == ENDINGS["steps"]


def test_a_call_reads_as_one_would_write_it(told):
    assert call_text(told.episode.calls[0]) == "zoom_in(bbox_2d=[100, 100, 433, 600])"


def test_a_box_around_everything_is_no_mark(told):
    zoom = told.episode.steps[0]
    wide = replace(zoom, observation=replace(zoom.observation, box=Box(0, 0, 300, 200)))
    scene = compose(replace(told.episode, steps=(wide,)), told.workspace)
    assert scene.steps[0].marks == ()


def test_a_mask_seen_again_is_not_filled_twice(told):
    again = told.episode.steps[1]
    scene = compose(replace(told.episode, steps=(again, again)), told.workspace)
    assert [placed.mark.kind for placed in scene.stages[0].marks] == ["mask", "box"]
