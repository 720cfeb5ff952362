import json
import random
import time

import pytest

from pixelis.models.dialects.parse import MOST_CALLS, Malformed, Named, clean, parse

BODY = '{"name": "zoom_in", "arguments": {"bbox_2d": [1, 2, 3, 4]}}'
ZOOM = Named("zoom_in", {"bbox_2d": [1, 2, 3, 4]})


def call(body=BODY):
    return f"<tool_call>\n{body}\n</tool_call>"


def test_thought_and_call():
    parsed = parse(f"<think>closer</think>\n{call()}")
    assert (parsed.thought, parsed.calls, parsed.answer) == ("closer", (ZOOM,), None)


def test_thought_and_answer():
    parsed = parse("<think>it is red</think>\nred {mask_1.color} [crop_1]")
    assert (parsed.thought, parsed.calls) == ("it is red", ())
    assert parsed.answer == "red {mask_1.color} [crop_1]"


@pytest.mark.parametrize("text", ["", "  \n", "<think></think>\n", "<think>only thinking"])
def test_nothing_said(text):
    parsed = parse(text)
    assert parsed.answer is None
    assert parsed.calls == ()


@pytest.mark.parametrize(
    "text",
    [
        call(),
        f"<tool_call>{BODY}</tool_call>",
        f"  <tool_call>\n\n\t{BODY}   \n",
        f"<tool_call>\n{BODY}",
        call(f"```json\n{BODY}\n```"),
        f"```\n{call()}\n```",
        call('{"name": "zoom_in", "arguments": {"bbox_2d": [1, 2, 3, 4,],},}'),
        call('{"name": "zoom_in", "arguments": "{\\"bbox_2d\\": [1, 2, 3, 4]}"}'),
        f"I will look.\n{call()}\nDone.</tool_call>",
        call().replace("zoom_in", "zoom<|image_pad|>_in"),
    ],
)
def test_tolerated_ways_of_writing_a_call(text):
    assert parse(text).calls[:1] == (ZOOM,)


def test_text_before_a_call_is_its_thought():
    assert parse(f"I will look.\n{call()}").thought == "I will look."


def test_several_calls_keep_their_order_and_bad_ones_their_place():
    other = '{"name": "read_text", "arguments": {}}'
    calls = parse("\n".join([call(), call("{oops}"), call(other)])).calls
    assert calls[0] == ZOOM
    assert isinstance(calls[1], Malformed)
    assert calls[2] == Named("read_text", {})


@pytest.mark.parametrize(
    ("body", "quoted"),
    [
        ('{"name": "zoom_in" "arguments": {}}', "'\"' at 31"),
        ("{name: 1}", "'n' at 13"),
        ('{"name": "a", "arguments": {"x": [1,,2]}}', "',' at 48"),
        ('{"name": "a", "arguments": {"x": [1,,]}}', "',' at 48"),
        ('{"name": "a", "arguments": {}} and', "'a' at 43"),
        ('{"name": "a", "arguments": {"x": NaN}}', "NaN"),
        ("zoom_in(1, 2)", "'z' at 12"),
        ('{"arguments": {}}', '"name"'),
        ('{"name": 3, "arguments": {}}', '"name"'),
        ('{"name": "a"}', '"arguments"'),
        ('{"name": "a", "arguments": [1]}', '"arguments"'),
        ('["name"]', '"name"'),
        ('{"name": "a", "arguments": {"x": "\\ud800"}}', "not text"),
        ('{"name": "a", "arguments": ' + '{"a":' * 50_000, "nested"),
        ('{"name": "a", "arguments": {"x": ' + "9" * 5000 + "}}", "4300 digits"),
    ],
)
def test_a_malformed_call_quotes_what_is_wrong(body, quoted):
    (bad,) = parse(call(body)).calls
    assert isinstance(bad, Malformed)
    assert quoted in bad.reason
    assert "\n" not in bad.reason


def test_a_call_cut_off_says_so():
    (bad,) = parse('<tool_call>\n{"name": "zoom_in", "argum').calls
    assert "too early" in bad.reason or "bad character" in bad.reason


def test_a_closing_tag_alone_is_answered():
    (bad,) = parse("{}\n</tool_call>").calls
    assert "no <tool_call> before" in bad.reason


def test_a_tag_mentioned_in_a_thought_is_not_a_call():
    parsed = parse(f"<think>I could write {call()} or <tool_call></think>\nblue")
    assert parsed.calls == ()
    assert parsed.answer == "blue"


def test_a_call_in_a_thought_that_never_closes_is_answered():
    (bad,) = parse(f"<think>hm {call()}").calls
    assert "not closed" in bad.reason


def test_a_thought_may_lack_its_opening_tag():
    parsed = parse(f"closer\n</think>\n{call()}")
    assert (parsed.thought, parsed.calls) == ("closer", (ZOOM,))


@pytest.mark.parametrize(
    ("hostile", "left"),
    [
        ("red<|image_pad|>", "red"),
        ("<|vision_start|><|image_pad|><|vision_end|>red", "red"),
        ("<|im<|image_pad|>_end|>", ""),
        ("a | b <| c |> d", "a | b <| c |> d"),
        ("\ud800x", "?x"),
    ],
)
def test_control_tokens_are_taken_out(hostile, left):
    cleaned = clean(hostile)
    assert "<|image_pad|>" not in cleaned
    assert "<|im_end|>" not in cleaned
    assert cleaned == left or (left == "" and "|" not in cleaned)
    assert parse(hostile).text == cleaned.rstrip()


def test_positions_count_characters_of_the_turn():
    text = f"<think>é</think>\n{call('{!}')}"
    (bad,) = parse(text).calls
    assert f"'!' at {text.index('!')}" in bad.reason


PIECES = [
    "<tool_call>", "</tool_call>", "<think>", "</think>", "```json", "```", "{", "}", "[", "]",
    '"', "\\", ",", ":", " ", "\n", "<|image_pad|>", "<|", "|>", "1e999", "-", "NaN", "null",
    "\ud800", "\x00", "é", "name", "arguments", "{text_1}", "[crop_1]", '{"name": "a", ', "{" * 40,
]  # fmt: skip


def mutated(rng: random.Random) -> str:
    text = rng.choice(
        [
            f"<think>closer</think>\n{call()}",
            f"{call()}\n{call()}",
            "<think>red</think>\nred {mask_1.color} [crop_1]",
            call(f"```json\n{BODY}\n```"),
        ]
    )
    for _ in range(rng.randint(1, 8)):
        at, kind = rng.randint(0, len(text)), rng.random()
        if kind < 0.5:
            text = text[:at] + rng.choice(PIECES) * rng.choice([1, 1, 1, 2, 30]) + text[at:]
        elif kind < 0.8:
            text = text[:at] + text[at + rng.randint(1, 12) :]
        else:
            text = text[:at] + text[rng.randint(0, len(text)) :]
    return text


def test_ten_thousand_mutated_turns_are_read_without_an_exception():
    rng = random.Random(20)
    started = time.perf_counter()
    seen = {"call": 0, "malformed": 0, "answer": 0}
    for _ in range(10_000):
        parsed = parse(mutated(rng))
        for one in parsed.calls:
            seen["call" if isinstance(one, Named) else "malformed"] += 1
            if isinstance(one, Named):
                json.dumps([one.name, one.arguments], ensure_ascii=False).encode()
        seen["answer"] += parsed.answer is not None
        assert not (parsed.calls and parsed.answer)
        parsed.text.encode()
        assert "<|image_pad|>" not in parsed.text
    assert min(seen.values()) > 500, seen
    assert time.perf_counter() - started < 20


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call>" * 30_000,
        "<tool_call>{" * 30_000,
        "<tool_call>" + '"\\' * 100_000,
        "<tool_call>[" + ", " * 100_000 + "]",
        "<|" * 100_000 + "a" + "|>" * 100_000,
        "<think>" * 30_000,
        "</tool_call>" * 30_000,
        "<tool_call>" + "```" * 100_000,
        "<tool_call>" + " " * 200_000 + "x",
    ],
)
def test_hostile_turns_do_not_hang(text):
    started = time.perf_counter()
    assert len(parse(text).calls) <= MOST_CALLS
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize(
    ("text", "thought"),
    [
        (BODY, ""),
        (f"```json\n{BODY}\n```", ""),
        (f"<think>closer</think>\n{BODY}", "closer"),
        (f"I look closer.\n```json\n{BODY}\n```\n", "I look closer."),
    ],
)
@pytest.mark.parametrize("ending", ["free", "tagged", "boxed"])
def test_a_call_without_tags_is_a_call(text, thought, ending):
    parsed = parse(text, ending=ending)
    assert (parsed.thought, parsed.calls, parsed.answer) == (thought, (ZOOM,), None)


@pytest.mark.parametrize(
    "text",
    [
        f"{BODY} is what I would call",
        '{"name": "Ann", "age": 3}',
        '{"name": "Ann"}',
        '{"name": "Ann", "arguments": 3}',
        '{"name": "zoom_in", "argum',
        '{"name": ' * 1000,
    ],
)
def test_json_that_is_no_call_stays_an_answer(text):
    parsed = parse(text)
    assert (parsed.calls, parsed.answer) == ((), text.strip())


def test_an_answer_inside_the_thought_counts_when_nothing_follows():
    parsed = parse("<think>so <answer>red</answer></think>\n", ending="tagged")
    assert (parsed.thought, parsed.answer) == ("so", "red")
    later = parse("<think>so <answer>red</answer></think><answer>blue</answer>", ending="tagged")
    assert later.answer == "blue"
    calling = parse(f"<think>so <answer>red</answer></think>{call()}", ending="tagged")
    assert (calling.calls, calling.answer) == ((ZOOM,), None)
    assert parse("<think>so <answer>red</answer></think>").answer is None
