import json

import pytest
from transformers.utils.chat_template_utils import render_jinja_template

from pixelis.models.template import (
    END,
    HELPFUL,
    QWEN25_TEMPLATE,
    TEMPLATE,
    Segment,
    call_text,
    count_images,
    render,
    segments,
)

IMAGE = {"type": "image"}
VISION = "<|vision_start|><|image_pad|><|vision_end|>"


def text(value):
    return {"type": "text", "text": value}


DIALOGUE = [
    {"role": "system", "content": "Look closely."},
    {"role": "user", "content": [IMAGE, text("What is it? é {x} \\n")]},
    {"role": "assistant", "content": "<think>a</think>\n" + call_text("zoom_in", {"label": "é"})},
    {"role": "tool", "content": [text("shown as image 1"), IMAGE]},
    {"role": "tool", "content": [text("two"), IMAGE, IMAGE]},
    {"role": "assistant", "content": "a <b> & 'c'"},
    {"role": "user", "content": "and now?"},
    {"role": "assistant", "content": ""},
    {"role": "tool", "content": "plain"},
]
CALLS = [
    {"role": "user", "content": "q"},
    {
        "role": "assistant",
        "content": "text",
        "tool_calls": [
            {"type": "function", "function": {"name": "a", "arguments": {"k": [1, 2]}}},
            {"name": "b", "arguments": {}},
        ],
    },
]
TOOLS = [{"type": "function", "function": {"name": "zoom_in", "z": True, "a": "é <x>"}}]


def test_the_format_byte_for_byte():
    told = [
        {"role": "system", "content": "S"},
        {"role": "user", "content": [IMAGE, text("Q")]},
        {"role": "assistant", "content": "T"},
        {"role": "tool", "content": [text("O"), IMAGE]},
    ]
    assert render(told, prompt=True) == (
        f"<|im_start|>system\nS<|im_end|>\n<|im_start|>user\n{VISION}Q<|im_end|>\n"
        f"<|im_start|>assistant\nT<|im_end|>\n<|im_start|>user\n<tool_response>\nO{VISION}\n"
        "</tool_response><|im_end|>\n<|im_start|>assistant\n"
    )


def test_a_call_byte_for_byte():
    assert call_text("zoom_in", {"bbox_2d": [120, 40, 300, 220], "label": "naïve"}) == (
        '<tool_call>\n{"name": "zoom_in", "arguments": {"bbox_2d": [120, 40, 300, 220], '
        '"label": "naïve"}}\n</tool_call>'
    )


@pytest.mark.parametrize("messages", [DIALOGUE, DIALOGUE[1:], DIALOGUE[3:], CALLS, []])
@pytest.mark.parametrize("tools", [None, TOOLS])
@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("prompt", [True, False])
def test_segments_say_what_the_jinja_template_says(messages, tools, shown, prompt):
    rendered, spans = render_jinja_template(
        [messages],
        tools=tools,
        chat_template=TEMPLATE,
        add_generation_prompt=prompt,
        print_tools=shown,
        return_assistant_tokens_mask=True,
    )
    parts = segments(messages, tools if shown else None, prompt)
    assert "".join(part.text for part in parts) == rendered[0]
    start, written = 0, []
    for part in parts:
        if part.written:
            written.append((start, start + len(part.text)))
        start += len(part.text)
    assert [tuple(span) for span in spans[0]] == written


def test_tools_stay_out_of_the_prompt_unless_asked_for():
    rendered, _ = render_jinja_template([DIALOGUE], tools=TOOLS, chat_template=TEMPLATE)
    assert "zoom_in" in rendered[0]
    assert "# Tools" not in rendered[0]
    assert json.dumps(TOOLS[0], ensure_ascii=False) in render(DIALOGUE, TOOLS)


def test_segments_alternate_and_carry_sampled_tokens():
    told = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]
    told[1]["token_ids"] = [5, 6]
    given, written, rest = segments(told)
    assert written == Segment("a" + END, True, (5, 6))
    assert not given.written
    assert rest == Segment("\n")


def test_images_are_counted():
    assert count_images(DIALOGUE) == 4
    assert count_images([]) == 0


# Qwen2.5-VL's chat template without its video and numbering branches, which we do not use.
STOCK = (
    "{% for message in messages %}{% if loop.first and message['role'] != 'system' %}"
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n{% endif %}"
    "<|im_start|>{{ message['role'] }}\n{% if message['content'] is string %}"
    "{{ message['content'] }}<|im_end|>\n{% else %}{% for content in message['content'] %}"
    "{% if content['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% elif 'text' in content %}{{ content['text'] }}{% endif %}{% endfor %}<|im_end|>\n"
    "{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
PLAIN = [message for message in DIALOGUE if message["role"] != "tool"]


def jinja(template, messages, tools=None, prompt=False):
    (rendered,), _ = render_jinja_template(
        [messages], tools=tools, chat_template=template, add_generation_prompt=prompt
    )
    return rendered


@pytest.mark.parametrize("messages", [PLAIN, PLAIN[1:]])
@pytest.mark.parametrize("prompt", [True, False])
def test_without_tools_the_qwen25_template_is_the_stock_one(messages, prompt):
    ours = jinja(QWEN25_TEMPLATE, messages, prompt=prompt)
    assert ours == jinja(STOCK, messages, prompt=prompt)


def test_the_families_own_templates_say_the_same():
    """As TRL ships them: Qwen2.5-VL's without tools, the text model Qwen2.5's with them."""
    shipped = pytest.importorskip("trl").chat_template_utils
    for messages in (PLAIN, PLAIN[1:]):
        assert jinja(STOCK, messages) == jinja(shipped.qwen2_5_vl_chat_template, messages)
    texts = [{"role": "system", "content": "S"}, *CALLS, {"role": "tool", "content": "red"}]
    texts += [{"role": "tool", "content": "blue"}, {"role": "assistant", "content": "é"}]
    ours = jinja(QWEN25_TEMPLATE, texts, TOOLS, prompt=True)
    assert ours == jinja(shipped.qwen2_5_chat_template, texts, TOOLS, prompt=True)


def test_with_tools_the_qwen25_template_says_what_qwen25_does():
    told = [{"role": "user", "content": "q"}]
    rendered = jinja(QWEN25_TEMPLATE, told, TOOLS)
    assert rendered.startswith(f"<|im_start|>system\n{HELPFUL}\n\n# Tools\n\nYou may call")
    assert json.dumps(TOOLS[0], ensure_ascii=False) in rendered
    system = {"role": "system", "content": HELPFUL}
    assert rendered == jinja(QWEN25_TEMPLATE, [system, *told], TOOLS)
    assert rendered == render([system, *told], TOOLS)


@pytest.mark.parametrize("messages", [DIALOGUE, CALLS])
@pytest.mark.parametrize("tools", [None, TOOLS])
def test_the_qwen25_template_and_the_segments_agree(messages, tools):
    start = [] if messages[0]["role"] == "system" else [{"role": "system", "content": HELPFUL}]
    assert jinja(QWEN25_TEMPLATE, messages, tools) == render([*start, *messages], tools)
