"""The chat format of Qwen3-VL and nano: messages to text, with what the model wrote kept apart.

    <|im_start|>system\\n{system}<|im_end|>\\n
    <|im_start|>user\\n<|vision_start|><|image_pad|><|vision_end|>{question}<|im_end|>\\n
    <|im_start|>assistant\\n{turn}<|im_end|>\\n
    <|im_start|>user\\n<tool_response>\\n{text}{images}\\n</tool_response><|im_end|>\\n
    <|im_start|>assistant\\n…

Several tool messages in a row share one user turn. `segments` is what training and serving use;
`TEMPLATE` says the same in jinja for other programs (a test holds the two equal). In the jinja
form tool schemas appear only when `tools` is passed and `print_tools` is true.

Qwen2.5-VL's own template prints no tools and puts a tool's message into a turn no checkpoint was
trained on. `QWEN25_TEMPLATE` equals it on conversations without tools, and writes schemas, calls
and tool messages as that of the text model Qwen2.5 does; there `tools` alone prints them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

START, END = "<|im_start|>", "<|im_end|>"
IMAGE = "<|image_pad|>"
VISION = f"<|vision_start|>{IMAGE}<|vision_end|>"

HELPFUL = "You are a helpful assistant."  # what Qwen2.5-VL is told when nothing is said

TOOLS_BEFORE = (
    "# Tools\n\nYou may call one or more functions to assist with the user query.\n\n"
    "You are provided with function signatures within <tools></tools> XML tags:\n<tools>"
)
TOOLS_AFTER = (
    "\n</tools>\n\nFor each function call, return a json object with function name and arguments "
    "within <tool_call></tool_call> XML tags:\n<tool_call>\n"
    '{"name": <function-name>, "arguments": <args-json-object>}\n</tool_call>'
)

Message = Mapping[str, Any]


class Segment(NamedTuple):
    """A stretch of the conversation.

    Attributes:
        text: as it reaches the tokenizer; one `<|image_pad|>` stands for each image.
        written: True for what the model writes, the closing `<|im_end|>` included.
        ids: the exact tokens the model sampled for it, when they are known.
        learned: False for a written stretch that training reads but does not imitate.
    """

    text: str
    written: bool = False
    ids: tuple[int, ...] | None = None
    learned: bool = True


def segments(
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, Any]] | None = None,
    prompt: bool = False,
) -> list[Segment]:
    """The conversation as alternating given and written stretches.

    Args:
        messages: chat messages; an assistant message may carry `token_ids`, and `learned` False
            when training is to read it only.
        tools: schemas to print into the system message; None prints none.
        prompt: end with the opening of an assistant turn, for generation.
    """
    parts: list[Segment] = []
    if tools and (not messages or messages[0]["role"] != "system"):
        parts.append(Segment(_turn("system", tools_text(tools))))
    for index, message in enumerate(messages):
        parts.extend(_message(messages, index, message, tools))
    if prompt:
        parts.append(Segment(f"{START}assistant\n"))
    return _merged(parts)


def render(
    messages: Sequence[Message],
    tools: Sequence[Mapping[str, Any]] | None = None,
    prompt: bool = False,
) -> str:
    """The conversation as one text; equal to what `TEMPLATE` gives."""
    return "".join(segment.text for segment in segments(messages, tools, prompt))


def call_text(name: str, arguments: Mapping[str, Any]) -> str:
    """One call as the model writes it."""
    body = json.dumps({"name": name, "arguments": dict(arguments)}, ensure_ascii=False)
    return f"<tool_call>\n{body}\n</tool_call>"


def count_images(messages: Iterable[Message]) -> int:
    """How many images the messages speak of."""
    return sum(
        part.get("type") == "image"
        for message in messages
        if not isinstance(message["content"], str)
        for part in message["content"] or ()
    )


def _message(
    messages: Sequence[Message],
    index: int,
    message: Message,
    tools: Sequence[Mapping[str, Any]] | None,
) -> list[Segment]:
    role = message["role"]
    body = _body(message.get("content"))
    if role == "assistant":
        return _assistant(body, message)
    if role == "tool":
        opens = index == 0 or messages[index - 1]["role"] != "tool"
        closes = index + 1 == len(messages) or messages[index + 1]["role"] != "tool"
        text = f"\n<tool_response>\n{body}\n</tool_response>"
        return [Segment((f"{START}user" if opens else "") + text + (f"{END}\n" if closes else ""))]
    if role == "system" and index == 0 and tools:
        body = f"{body}\n\n{tools_text(tools)}"
    return [Segment(_turn(role, body))]


def _assistant(body: str, message: Message) -> list[Segment]:
    for call in message.get("tool_calls") or ():
        call = call.get("function", call)
        body += ("\n" if body else "") + call_text(call["name"], call["arguments"])
    ids = message.get("token_ids")
    sampled = None if ids is None else tuple(ids)
    written = Segment(body + END, True, sampled, message.get("learned", True))
    return [Segment(f"{START}assistant\n"), written, Segment("\n")]


def _turn(role: str, body: str) -> str:
    return f"{START}{role}\n{body}{END}\n"


def tools_text(tools: Sequence[Mapping[str, Any]]) -> str:
    """The schemas as they stand in the system message, with the words around them."""
    listed = "".join("\n" + json.dumps(tool, ensure_ascii=False) for tool in tools)
    return TOOLS_BEFORE + listed + TOOLS_AFTER


def _body(content: Any) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(VISION if part["type"] == "image" else part["text"] for part in content)


def _merged(parts: Iterable[Segment]) -> list[Segment]:
    """Neighbouring given stretches become one, so they are tokenised together."""
    merged: list[Segment] = []
    for part in parts:
        if merged and not part.written and not merged[-1].written:
            merged[-1] = Segment(merged[-1].text + part.text)
        else:
            merged.append(part)
    return merged


TEMPLATE = (
    """\
{%- macro body(content) %}
    {%- if content is string %}
        {{- content }}
    {%- elif content %}
        {%- for part in content %}
            {%- if part.type == 'image' %}
                {{- '<|vision_start|><|image_pad|><|vision_end|>' }}
            {%- else %}
                {{- part.text }}
            {%- endif %}
        {%- endfor %}
    {%- endif %}
{%- endmacro %}
{%- macro tool_text() %}
    {{- TOOLS_BEFORE }}
    {%- for tool in tools %}
        {{- '\\n' + (tool | tojson) }}
    {%- endfor %}
    {{- TOOLS_AFTER }}
{%- endmacro %}
{%- set show_tools = tools and print_tools %}
{%- if show_tools and (not messages or messages[0].role != 'system') %}
    {{- '<|im_start|>system\\n' + tool_text() + '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant\\n' }}
        {%- generation %}
            {{- body(message.content) }}
            {%- for call in message.tool_calls or [] %}
                {%- set function = call.function or call %}
                {%- if not loop.first or message.content %}
                    {{- '\\n' }}
                {%- endif %}
                {{- '<tool_call>\\n' }}
                {{- {'name': function.name, 'arguments': function.arguments} | tojson }}
                {{- '\\n</tool_call>' }}
            {%- endfor %}
            {{- '<|im_end|>' }}
        {%- endgeneration %}
        {{- '\\n' }}
    {%- elif message.role == 'tool' %}
        {%- if loop.first or messages[loop.index0 - 1].role != 'tool' %}
            {{- '<|im_start|>user' }}
        {%- endif %}
        {{- '\\n<tool_response>\\n' + body(message.content) + '\\n</tool_response>' }}
        {%- if loop.last or messages[loop.index0 + 1].role != 'tool' %}
            {{- '<|im_end|>\\n' }}
        {%- endif %}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + body(message.content) }}
        {%- if loop.first and message.role == 'system' and show_tools %}
            {{- '\\n\\n' + tool_text() }}
        {%- endif %}
        {{- '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
""".replace("TOOLS_BEFORE", json.dumps(TOOLS_BEFORE))
    .replace("TOOLS_AFTER", json.dumps(TOOLS_AFTER))
    .removesuffix("\n")
)

QWEN25_TEMPLATE = TEMPLATE.replace(
    "{%- set show_tools = tools and print_tools %}", "{%- set show_tools = tools %}"
).replace(
    """\
{%- if show_tools and (not messages or messages[0].role != 'system') %}
    {{- '<|im_start|>system\\n' + tool_text() + '<|im_end|>\\n' }}
""",
    """\
{%- if not messages or messages[0].role != 'system' %}
    {{- '<|im_start|>system\\nHELPFUL' }}
    {%- if show_tools %}
        {{- '\\n\\n' + tool_text() }}
    {%- endif %}
    {{- '<|im_end|>\\n' }}
""".replace("HELPFUL", HELPFUL),
)
