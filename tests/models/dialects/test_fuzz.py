"""Ten thousand mutated turns for each dialect: read, never raised, and read again the same."""

import json
import random
import time

import pytest

from pixelis.episode import Call, Episode, Media, Step
from pixelis.geometry import Size
from pixelis.models.dialects import Malformed
from pixelis.models.dialects.parse import MOST_CALLS
from pixelis.models.template import render

MEDIA = Media("picture", "card.png", Size(640, 480), "ab" * 32)
TURNS = 10_000
PIECES = [
    "<tool_call>", "</tool_call>", "<grounding>", "</grounding>", "<code>", "</code>", "<think>",
    "</think>", "<answer>", "</answer>", "\\boxed{", "\\text{", "}", "```python", "```", "{", "[",
    "]", '"', "'", "\\", ",", ":", " ", "\n", "<|image_pad|>", "<|im_end|>", "<|", "|>", "1e999",
    "-", "NaN", "null", "true", "\ud800", "\x00", "é", '"name"', '"arguments"', '"source"',
    '"observation_99999"', '"target_image": 0', '"bbox_2d"', "{text_1}", "[crop_1]", "{" * 40,
]  # fmt: skip


def mutated(rng, seeds):
    text = rng.choice(seeds)
    for _ in range(rng.randint(1, 8)):
        at, kind = rng.randint(0, len(text)), rng.random()
        if kind < 0.5:
            text = text[:at] + rng.choice(PIECES) * rng.choice([1, 1, 1, 2, 30]) + text[at:]
        elif kind < 0.8:
            text = text[:at] + text[at + rng.randint(1, 12) :]
        elif kind < 0.9:
            text = text[:at] + text[rng.randint(0, len(text)) :]
        else:
            text += "\n" + rng.choice(seeds)
    return text


def test_ten_thousand_mutated_turns(dialect, golden):
    rng = random.Random(20)
    seeds = [turn["text"] for turn in golden["turns"]]
    seen = {"call": 0, "malformed": 0, "answer": 0}
    started = time.perf_counter()
    for _ in range(TURNS):
        reading = dialect.read(mutated(rng, seeds))
        for call in reading.calls:
            seen["malformed" if isinstance(call, Malformed) else "call"] += 1
            if isinstance(call, Malformed):
                assert call.reason
                assert "\n" not in call.reason
            else:
                json.dumps([call.op, call.arguments], ensure_ascii=False).encode()
        seen["answer"] += reading.answer is not None
        assert not (reading.calls and reading.answer)
        assert dialect.read(reading.text) == reading
    assert min(seen.values()) > 500, seen
    assert time.perf_counter() - started < 60


def test_whatever_a_model_writes_fits_into_a_conversation(dialect, golden):
    rng = random.Random(21)
    seeds = [turn["text"] for turn in golden["turns"]]
    for _ in range(300):
        reading = dialect.read(mutated(rng, seeds))
        call = next((one for one in reading.calls if isinstance(one, Call)), None)
        step = Step(reading.thought, call, text=reading.text)
        messages = dialect.messages(Episode("q", MEDIA, steps=(step,)))
        assert render(messages).count("<|image_pad|>") == 1
        (back,) = dialect.episode(messages, MEDIA).steps
        assert (back.thought, back.text) == (reading.thought, reading.text)


@pytest.mark.parametrize(
    "text",
    [
        "<answer>" * 30_000,
        "</answer>" * 30_000,
        "<think>" + "<answer>" * 30_000 + "</answer>",
        "<grounding>" * 30_000,
        "<grounding>[" + ", " * 100_000 + "]",
        "<code>" * 30_000 + "</code>",
        "\\boxed{" * 30_000,
        "\\boxed{" + "{" * 200_000,
        "\\boxed{" + "\\}" * 100_000,
        "<tool_call>{" * 30_000,
    ],
)
def test_hostile_turns_do_not_hang(dialect, text):
    started = time.perf_counter()
    assert len(dialect.read(text).calls) <= MOST_CALLS
    assert time.perf_counter() - started < 2
