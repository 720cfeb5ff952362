"""For TRL's SFTTrainer: conversational prompt and completion, images, tools.

    DIR/train.parquet    prompt, completion [{role, content [{type, text}]}], images, tools, ...

    dataset = datasets.load_dataset("parquet", data_files={"train": "DIR/train.parquet"})

TRL 1.16 does not count images in tool messages and drops the column `tools` from vision data, so
observations are user turns in `<tool_response>` and the schemas stand in the system message: the
same tokens Qwen's template makes of tool turns. The column `tools` is there for other readers.
Needs pyarrow (the extra `train`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pixelis.data.episodes import Sample
from pixelis.data.exports.parquet import arrow, picture_type, write_rows
from pixelis.data.exports.talk import Shelf, encoded, facts_of, system_with_tools, talk_of

FACTS = ("id", "family", "kind", "answer_type")


def row_of(sample: Sample, shelf: Shelf, index: int) -> dict[str, Any]:
    """One row of the table."""
    talk = talk_of(sample)
    system = {"role": "system", "content": [_text(system_with_tools(talk))]}
    asked, *rest = talk.messages[1:]
    facts = facts_of(sample, index)
    return {
        "prompt": [system, asked],
        "completion": [_turn(message) for message in rest],
        "images": [{"bytes": encoded(image)[0], "path": None} for image in talk.images],
        "tools": json.dumps(talk.tools, ensure_ascii=False),
        **{name: facts[name] for name in (*FACTS, "difficulty", "weight")},
    }


def write(rows: Iterable[dict[str, Any]], path: Path) -> int:
    """Writes the rows, some at a time; gives how many there were."""
    pyarrow = arrow()
    text, number = pyarrow.string(), pyarrow.float64()
    part = pyarrow.struct({"type": text, "text": text})
    message = pyarrow.struct({"role": text, "content": pyarrow.list_(part)})
    columns = {
        "prompt": pyarrow.list_(message),
        "completion": pyarrow.list_(message),
        "images": pyarrow.list_(picture_type()),
        **{name: text for name in ("tools", *FACTS)},
        **{"difficulty": number, "weight": number},
    }
    return write_rows(rows, path, columns, _features())


def finish(folder: Path, files: list[Path]) -> list[Path]:
    """Nothing besides the files themselves."""
    return []


def _features() -> dict[str, Any]:
    text = {"dtype": "string", "_type": "Value"}
    number = {"dtype": "float64", "_type": "Value"}
    parts = {"feature": {"type": text, "text": text}, "_type": "List"}
    messages = {"feature": {"role": text, "content": parts}, "_type": "List"}
    return {
        "prompt": messages,
        "completion": messages,
        "images": {"feature": {"_type": "Image"}, "_type": "List"},
        **{name: text for name in ("tools", *FACTS)},
        **{"difficulty": number, "weight": number},
    }


def _turn(message: dict[str, Any]) -> dict[str, Any]:
    if message["role"] != "tool":
        return message
    before, after = _text("<tool_response>\n"), _text("\n</tool_response>")
    return {"role": "user", "content": [before, *message["content"], after]}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}
