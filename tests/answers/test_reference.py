import pytest

from pixelis.answers.reference import expand, handles_of
from pixelis.episode import Observation
from pixelis.geometry import Box

HANDLES = {
    "text_1": {
        "text": "OPEN DAILY",
        "box": [10, 20, 110, 60],
        "lines": [
            {"text": "OPEN", "box": [10, 20, 60, 60]},
            {"text": "DAILY", "box": [60, 20, 110, 60]},
        ],
    },
    "mask_2": {
        "color": {"name": "red", "rgb": [200, 10, 10]},
        "area": 12.5,
        "round": True,
        "parts": ["disc", "rim"],
        "box": (1, 2, 3, 4),
    },
    "crop_1": {},
}


def test_a_handle_alone_gives_its_text():
    result = expand("It says {text_1}.", HANDLES)
    assert result.text == "It says OPEN DAILY."
    assert result.evidence == ("text_1",)
    (span,) = result.spans
    assert result.text[span.start : span.end] == "OPEN DAILY"
    assert span.box == Box(10, 20, 110, 60)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("{mask_2.color}", "red"),
        ("{mask_2.color.name}", "red"),
        ("{mask_2.color.rgb}", "200, 10, 10"),
        ("{mask_2.area}", "12.5"),
        ("{mask_2.round}", "yes"),
        ("{mask_2.parts}", "disc, rim"),
        ("{text_1.line_2}", "DAILY"),
        ("{text_1.first}", "OPEN"),
        ("{text_1.last}", "DAILY"),
        ("{mask_2.last}", "{mask_2.last}"),
        ("{mask_2.part_1}", "disc"),
    ],
)
def test_fields(raw, text):
    assert expand(raw, HANDLES).text == text


def test_the_ends_of_a_text_are_its_lines():
    result = expand("{text_1.last} before {text_1.first}", HANDLES)
    assert [s.field for s in result.spans] == ["line_2", "line_1"]
    assert result.spans[0].box == Box(60, 20, 110, 60)
    assert expand("{text_3.last}", {"text_3": {"text": "", "lines": []}}).unknown


def test_spans_know_the_box_of_the_line_not_of_the_page():
    result = expand("{text_1.line_2}, then {text_1.line_1} and {mask_2.color}", HANDLES)
    assert result.text == "DAILY, then OPEN and red"
    assert [result.text[s.start : s.end] for s in result.spans] == ["DAILY", "OPEN", "red"]
    assert [s.field for s in result.spans] == ["line_2", "line_1", "color"]
    assert result.spans[0].box == Box(60, 20, 110, 60)
    assert result.spans[2].box == Box(1, 2, 3, 4)
    assert result.evidence == ("text_1", "mask_2")


@pytest.mark.parametrize("raw", ["{text_9}", '"{text_3}"', "{text_3.text} {mask_9.color}."])
def test_an_answer_of_references_to_nothing_is_hollow(raw):
    assert expand(raw, {"text_3": {"text": "", "lines": []}}).hollow


@pytest.mark.parametrize(
    "raw", ["{text_3}", "{text_3} {text_9}", "4", "", "4 {text_9}", '{"a": 1}']
)
def test_an_answer_with_anything_to_read_is_not(raw):
    assert not expand(raw, {"text_3": {"text": "+", "lines": []}}).hollow


@pytest.mark.parametrize(
    "raw",
    ["{text_9}", "{text_1.line_3}", "{text_1.line_0}", "{mask_2.sides}", "{crop_1}", "{mask_2}"],
)
def test_unknown_references_stay_and_are_reported(raw):
    result = expand(f"a {raw} b", HANDLES)
    assert result.text == f"a {raw} b"
    assert result.unknown == (raw,)
    assert result.spans == ()
    assert result.evidence == ()


@pytest.mark.parametrize(
    "raw",
    [
        '{"a": 1}',
        '{"text_1": {"color": "red"}}',
        "{}",
        "{ text_1 }",
        "f(x) = {x | x > 1}",
        "{{",
        "[1, 2]",
        "x[0]",
    ],
)
def test_what_only_looks_like_a_reference_is_left_alone(raw):
    result = expand(raw, HANDLES)
    assert result == (raw, (), (), ())


def test_a_reference_inside_json_is_expanded_but_the_braces_stay():
    assert expand('{"sign": "{text_1}"}', HANDLES).text == '{"sign": "OPEN DAILY"}'


def test_citations_leave_the_text_and_join_the_evidence():
    result = expand("The {mask_2.color} one [crop_1, text_1]", HANDLES)
    assert result.text == "The red one"
    assert result.evidence == ("mask_2", "crop_1", "text_1")
    assert expand("4 [crop_1] [mask_2]", HANDLES)[:2] == ("4", ("crop_1", "mask_2"))


def test_a_citation_of_something_unknown_stays_and_is_reported():
    result = expand("four [crop_7]", HANDLES)
    assert result.text == "four [crop_7]"
    assert result.unknown == ("[crop_7]",)
    assert result.evidence == ()


def test_expanded_text_is_not_expanded_again():
    assert expand("{text_1}", {"text_1": {"text": "{text_2}"}, "text_2": {"text": "no"}}).text == (
        "{text_2}"
    )


def test_hostile_answers_are_quick():
    for raw in ("{" * 100_000, "[" * 100_000 + "]", "{text_1." * 20_000, "[a_1, " * 20_000 + "]"):
        assert expand(raw, HANDLES).text == raw.strip()


def test_handles_of_observations():
    seen = Observation("x", handle="text_1", box=Box(1, 2, 3, 4), data={"text": "hi"})
    assert handles_of([Observation("nothing"), seen]) == {
        "text_1": {"box": [1, 2, 3, 4], "text": "hi"}
    }
