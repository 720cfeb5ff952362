from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pixelis.cli.ask import Teller, _conclude, record, where
from pixelis.cli.output import Printer
from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.geometry import Box, Size

BOX = Box(10, 20, 30.5, 40)


def episode(answer: Answer | None = None) -> Episode:
    seen = Observation("text_1: EXIT", None, None, None, BOX, "text_1", 0.9, {"text": "EXIT"})
    wrong = Observation("zoom_in: no", error="zoom_in: no")
    steps = (
        Step("Look.", Call("read_text", {"bbox_2d": [1, 2, 3, 4]}), seen),
        Step(call=Call("zoom_in"), observation=wrong, notice="Notice: again."),
        Step("So.", answer=answer),
    )
    media = Media("picture", "door.png", Size(60, 50), "0" * 64)
    ended = "answered" if answer else "steps"
    return Episode("?", media, model="nano", steps=steps, answer=answer, ended=ended, seconds=1.25)


ANSWER = Answer("EXIT", "{text_1}", ("text_1",), 0.75)


def test_the_json_shape_is_stable():
    told = record(episode(ANSWER))
    assert told == {
        "answer": "EXIT",
        "confidence": 0.75,
        "evidence": ["text_1"],
        "ended": "answered",
        "seconds": 1.25,
        "model": "nano",
        "steps": [
            {
                "thought": "Look.",
                "call": {"op": "read_text", "arguments": {"bbox_2d": [1, 2, 3, 4]}},
                "observation": {
                    "text": "text_1: EXIT",
                    "error": None,
                    "image": None,
                    "box": [10, 20, 30.5, 40],
                    "handle": "text_1",
                },
            },
            {
                "thought": "",
                "call": {"op": "zoom_in", "arguments": {}},
                "observation": {
                    "text": "zoom_in: no",
                    "error": "zoom_in: no",
                    "image": None,
                    "box": None,
                    "handle": None,
                },
            },
            {"thought": "So.", "call": None, "observation": None},
        ],
    }
    json.dumps(told)


def test_no_answer_is_an_empty_string():
    told = record(episode())
    assert (told["answer"], told["confidence"], told["evidence"]) == ("", None, [])


def test_steps_are_told_with_call_observation_and_error(capsys):
    teller = Teller(Printer())
    for step in episode(ANSWER).steps:
        teller.tell(step)
    told = capsys.readouterr().out
    for words in (
        "thought    Look.",
        "call       read_text(bbox_2d=[1, 2, 3, 4])",
        "saw        text_1: EXIT",
        "found      text_1 at x 10 to 31, y 20 to 40 px",
        "error      zoom_in: no",
        "notice     Notice: again.",
        "answers    {text_1}",
    ):
        assert words in told


def test_a_turn_that_says_nothing_shows_what_was_written(capsys):
    for step in (Step(text="<tool_response>?"), Step(), Step("thinking", text="<think>thinking")):
        Teller(Printer()).tell(step)
    told = capsys.readouterr().out
    assert told.count("wrote") == 2
    assert "wrote      <tool_response>?" in told
    assert "wrote      nothing to go by" in told


def test_long_texts_are_cut(capsys):
    text = "\n".join(f"line {n}" for n in range(40))
    Teller(Printer()).tell(Step(call=Call("read_text"), observation=Observation(text)))
    told = capsys.readouterr().out
    assert "line 11" in told
    assert "line 12" not in told
    assert "and 28 more lines" in told


def test_the_end_says_what_the_answer_rests_on(capsys):
    _conclude(Printer(), episode(ANSWER), "trace.html")
    told = capsys.readouterr().out
    assert "answer     EXIT" in told
    assert "rests on   text_1 at x 10 to 31, y 20 to 40 px" in told
    assert "75 %" in told
    assert "1.2 s, 3 steps, nano" in told
    assert "trace      trace.html" in told


def test_an_answer_that_rests_on_nothing_says_so(capsys):
    _conclude(Printer(), episode(replace(ANSWER, evidence=())), None)
    told = capsys.readouterr().out
    assert "rests on   nothing it looked at" in told
    assert "--model" not in told


def test_what_it_cannot_know_says_where_it_looked_and_what_would_help(capsys):
    unknown = Answer("I can't see that", known=False)
    _conclude(Printer(), episode(unknown), None)
    told = capsys.readouterr().out
    assert "looked at  text_1 at x 10 to 31, y 20 to 40 px" in told
    assert "a larger model may: --model hf:PATH" in told
    assert "rests on" not in told
    _conclude(Printer(), replace(episode(unknown), steps=()), None)
    assert "looked at  the whole picture" in capsys.readouterr().out


def test_a_reference_to_nothing_is_told(capsys):
    meta = {"unknown_references": ["{text_4}"]}
    bare = Answer("{text_4}", "{text_4}", (), 0.0)
    _conclude(Printer(), replace(episode(bare), meta=meta), None)
    assert "{text_4}: nothing of that name was found" in capsys.readouterr().out


def test_boxes_in_words_cover_the_box():
    assert where(BOX) == "x 10 to 31, y 20 to 40 px"


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["html", "json"])
def test_a_whole_run_leaves_json_a_trace_and_a_quiet_stderr(
    pixelis, card, untrained, tmp_path, ending
):
    trace = tmp_path / f"trace.{ending}"
    words = ("--model", f"hf:{untrained}", "--max-pixels", "6144", "--dialect", "mini-o3")
    words += ("--seed", "8", "--max-steps", "2")
    done = pixelis("ask", card, "What is it?", *words, "--trace", trace, "--json")
    told = json.loads(done.stdout)
    assert set(told) == set(record(episode()))
    assert told["model"] == "tiny"
    assert len(told["steps"]) >= 1
    assert (done.returncode, len(done.stderr.splitlines())) in ((0, 0), (1, 1))
    assert isinstance(told["answer"], str)
    assert "What is it?" in trace.read_text()
    if ending == "json":
        kept = json.loads(trace.read_text())
        assert (kept["seed"], kept["dialect"]) == (8, "mini-o3")
        assert kept["meta"]["budget"]["steps"] == 2
        assert kept["meta"]["pixels"]["max_pixels"] == 6144
