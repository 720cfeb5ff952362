"""For verl: Parquet rows that a rollout starts from, one for each question about a picture.

    DIR/train.parquet    data_source, prompt [{role, content: "<image>..."}], images [{bytes,
                         path}], ability, reward_model {style, ground_truth}, extra_info {...},
                         agent_name

`<image>` in a content stands for the next picture of the row. `extra_info` carries what our scorer
needs (`answer_type`, `choices`), difficulty and weight. Needs pyarrow (the extra `train`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pixelis.data.episodes import Sample
from pixelis.data.exports.parquet import arrow, picture_type, write_rows
from pixelis.data.exports.talk import Shelf, encoded, facts_of, flat, gold_of, opening_of


def row_of(sample: Sample, shelf: Shelf, index: int) -> dict[str, Any]:
    """One row of the table."""
    talk, gold = opening_of(sample), gold_of(sample)
    return {
        "data_source": f"pixelis/{sample.family}",
        "prompt": [{"role": one["role"], "content": flat(one)} for one in talk.messages],
        "images": [{"bytes": encoded(image)[0], "path": None} for image in talk.images],
        "ability": sample.family,
        "reward_model": {
            "style": "rule",
            "ground_truth": gold if isinstance(gold, str) else json.dumps(gold),
        },
        "extra_info": {**facts_of(sample, index), "need_tools_kwargs": False},
        "agent_name": "tool_agent",
    }


def write(rows: Iterable[dict[str, Any]], path: Path) -> int:
    """Writes the rows, some at a time; gives how many there were."""
    pyarrow = arrow()
    text, number, struct = pyarrow.string(), pyarrow.float64(), pyarrow.struct
    facts = {
        **{name: text for name in ("id", "split", "family", "kind", "question", "answer_type")},
        **{"choices": pyarrow.list_(text), "licence": text},
        **{"difficulty": number, "weight": number},
        **{"index": pyarrow.int64(), "need_tools_kwargs": pyarrow.bool_()},
    }
    columns = {
        "data_source": text,
        "prompt": pyarrow.list_(struct({"role": text, "content": text})),
        "images": pyarrow.list_(picture_type()),
        "ability": text,
        "reward_model": struct({"style": text, "ground_truth": text}),
        "extra_info": struct(facts),
        "agent_name": text,
    }
    return write_rows(rows, path, columns)


def finish(folder: Path, files: list[Path]) -> list[Path]:
    """Nothing besides the files themselves."""
    return []
