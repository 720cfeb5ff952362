"""Requests and replies in the form of the OpenAI chat completions API; nothing is sent here."""

from __future__ import annotations

import base64
import io
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

from PIL import Image

from pixelis.errors import ModelError
from pixelis.models.policy import Request, Sampling, Turn
from pixelis.models.template import count_images, tools_text

ToolRole = Literal["user", "tool"]
OPEN, CLOSE = "<tool_response>\n", "\n</tool_response>"
REASONING = ("reasoning_content", "reasoning")  # vLLM and SGLang; newer vLLM and others
SEEDS = 2**31  # servers take a signed 32-bit seed


def body(
    request: Request, sampling: Sampling, model: str, new_tokens: int, tool_role: ToolRole = "user"
) -> dict[str, Any]:
    """The JSON of one request, `logprobs` not yet asked for.

    Schemas of tools are printed into the system message rather than sent as `tools`: so the reply
    comes as the text the model wrote, whatever tool parser the server has.
    """
    return {
        "model": model,
        "messages": messages(request, tool_role),
        "max_tokens": sampling.max_new_tokens or new_tokens,
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "seed": sampling.seed_of(request) % SEEDS,
    }


def messages(request: Request, tool_role: ToolRole = "user") -> list[dict[str, Any]]:
    """The conversation with its images inside, as PNG data URLs (no pixel is changed).

    Observations become user turns in `<tool_response>`, just as Qwen's chat templates write tool
    messages; `tool` keeps the role. Raises ModelError when images and placeholders differ.
    """
    places = count_images(request.messages)
    if places != len(request.images):
        raise ModelError(
            f"conversation has {places} image placeholders and {len(request.images)} images; "
            "they must be equal in number"
        )
    images = iter(request.images)
    told: list[dict[str, Any]] = []
    if request.tools:
        told.append({"role": "system", "content": tools_text(request.tools)})
    for number, message in enumerate(request.messages):
        role = message["role"]
        content = _content(message.get("content"), images)
        if role == "system" and number == 0 and told:
            told[0]["content"] = f"{content}\n\n{told[0]['content']}"
        elif role == "tool" and tool_role == "user":
            _respond(told, _parts(content), request.messages[number - 1]["role"] == "tool")
        elif role == "tool":
            told.append({"role": role, "tool_call_id": f"call_{number}", "content": content})
        else:
            told.append({"role": role, "content": content})
    return told


def turn(reply: Any) -> Turn:
    """The turn in a reply; ModelError when it holds none.

    Reasoning and calls that the server took out of the text are put back where the model wrote
    them. Token ids are not known: the next request is tokenised by the server again.
    """
    try:
        choice = reply["choices"][0]
        message = choice["message"]
        text = message.get("content") or ""
        text = text if isinstance(text, str) else "".join(part.get("text", "") for part in text)
        calls = [_call(call["function"]) for call in message.get("tool_calls") or ()]
        logprobs = _logprobs(choice.get("logprobs"))
    except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
        raise ModelError(f"the server's reply has no message ({_kind(reply)})") from error
    thought = next((message[name] for name in REASONING if message.get(name)), "")
    if thought and "</think>" not in text:
        thought = str(thought).replace("</think>", "").strip()
        text = f"<think>{thought}</think>\n{text.lstrip()}"
    text = "\n".join(part for part in (text.rstrip("\n") if calls else text, *calls) if part)
    ended: Literal["stop", "length"] = (
        "length" if choice.get("finish_reason") == "length" else "stop"
    )
    sure = sum(map(math.exp, logprobs)) / len(logprobs) if logprobs else None
    return Turn(text, (), logprobs or None, sure, ended)


def data_url(image: Image.Image) -> str:
    """The image as a PNG data URL; lossless, so the model sees the very pixels it would here."""
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"


def _content(content: Any, images: Iterator[Image.Image]) -> Any:
    """Plain text as a string, anything with an image as a list of parts."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = [
        {"type": "image_url", "image_url": {"url": data_url(next(images))}}
        if part["type"] == "image"
        else {"type": "text", "text": part["text"]}
        for part in content
    ]
    if all(part["type"] == "text" for part in parts):
        return "".join(str(part["text"]) for part in parts)
    return parts


def _parts(content: Any) -> list[dict[str, Any]]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def _respond(told: list[dict[str, Any]], parts: list[dict[str, Any]], follows: bool) -> None:
    """Adds an observation; one that follows another shares its user turn."""
    opening = {"type": "text", "text": ("\n" if follows else "") + OPEN}
    inside = [opening, *parts, {"type": "text", "text": CLOSE}]
    if follows:
        told[-1]["content"] += inside
    else:
        told.append({"role": "user", "content": inside})


def _call(function: Mapping[str, Any]) -> str:
    """A call as the model writes it; arguments that are no JSON stay for our parser to refuse.

    Some servers write none at all for a call that has none.
    """
    arguments = function.get("arguments") or {}
    written = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    name = json.dumps(function["name"], ensure_ascii=False)
    return f'<tool_call>\n{{"name": {name}, "arguments": {written}}}\n</tool_call>'


def _logprobs(told: Any) -> tuple[float, ...]:
    """Natural logarithms of the chosen tokens' probabilities, in order; empty when not told.

    No probability is more than 1; all are empty when one is no number.
    """
    listed = (told or {}).get("content") or ()
    found = [float(each["logprob"]) for each in listed]
    return () if any(map(math.isnan, found)) else tuple(min(each, 0.0) for each in found)


def _kind(reply: Any) -> str:
    keys = ", ".join(map(str, reply)) if isinstance(reply, Mapping) else type(reply).__name__
    return f"it has {keys[:100]}"
