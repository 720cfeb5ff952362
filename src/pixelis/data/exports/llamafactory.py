"""For LLaMA-Factory: sharegpt conversations with images, and their `dataset_info.json`.

    DIR/train.jsonl          {"conversations": [{"from": "human", "value": "<image>..."}, ...],
    DIR/dataset_info.json      "system": "...", "tools": "[...]", "images": ["images/..."]}
    DIR/images/*.png

    llamafactory-cli train ... --dataset_dir DIR --media_dir DIR --dataset pixelis_train

Turns alternate: human or observation, then gpt. Calls are written by `gpt` as Qwen's template
writes them, so that the thought before a call stays; `function_call` turns would lose it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixelis.data.episodes import Sample
from pixelis.data.exports.talk import Shelf, facts_of, flat, talk_of

FROM = {"user": "human", "assistant": "gpt", "tool": "observation"}


def row_of(sample: Sample, shelf: Shelf, index: int) -> dict[str, Any]:
    """One line of the file."""
    talk = talk_of(sample)
    facts = facts_of(sample, index)
    return {
        "conversations": _merged(
            [(FROM[message["role"]], flat(message)) for message in talk.messages[1:]]
        ),
        "system": flat(talk.messages[0]),
        "tools": json.dumps([tool["function"] for tool in talk.tools], ensure_ascii=False),
        "images": [shelf.put(image) for image in talk.images],
        "id": facts["id"],
        "weight": facts["weight"],
    }


def finish(folder: Path, files: list[Path]) -> list[Path]:
    """Writes `dataset_info.json`, an entry for each file."""
    entries = {
        f"pixelis_{path.stem}": {
            "file_name": path.name,
            "formatting": "sharegpt",
            "columns": {
                "messages": "conversations",
                "system": "system",
                "tools": "tools",
                "images": "images",
            },
            "tags": {
                "role_tag": "from",
                "content_tag": "value",
                "user_tag": "human",
                "assistant_tag": "gpt",
                "observation_tag": "observation",
                "function_tag": "function_call",
            },
        }
        for path in files
    }
    path = folder / "dataset_info.json"
    path.write_text(json.dumps(entries, indent=2) + "\n", encoding="utf-8")
    return [path]


def _merged(turns: list[tuple[str, str]]) -> list[dict[str, str]]:
    """Several observations after one turn become one: sides must alternate."""
    merged: list[dict[str, str]] = []
    for sender, value in turns:
        if merged and merged[-1]["from"] == sender == "observation":
            merged[-1]["value"] += f"\n</tool_response>\n<tool_response>\n{value}"
        else:
            merged.append({"from": sender, "value": value})
    return merged
