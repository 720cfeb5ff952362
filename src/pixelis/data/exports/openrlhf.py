"""For OpenRLHF (0.10 and later, with images): prompts for reinforcement learning.

    DIR/train.jsonl    {"prompt": [{"role", "content": [{"type": "image"}, {"type": "text"}]}],
    DIR/images/*.png     "images": ["..."], "label": "red", "datasource": "pixelis/..."}

    --data.prompt_dataset DIR/train.jsonl --data.input_key prompt --data.label_key label
    --data.image_key images --data.apply_chat_template

OpenRLHF opens image paths as they stand, so they are absolute: export again after a move.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pixelis.data.episodes import Sample
from pixelis.data.exports.talk import Shelf, facts_of, gold_of, opening_of, system_with_tools


def row_of(sample: Sample, shelf: Shelf, index: int) -> dict[str, Any]:
    """One line of the file of prompts."""
    talk = opening_of(sample)
    gold, facts = gold_of(sample), facts_of(sample, index)
    system = {"role": "system", "content": [{"type": "text", "text": system_with_tools(talk)}]}
    return {
        "prompt": [system, talk.messages[1]],
        "images": [str((shelf.folder / shelf.put(talk.images[0])).resolve())],
        "label": gold if isinstance(gold, str) else json.dumps(gold, ensure_ascii=False),
        "datasource": f"pixelis/{sample.family}",
        **{name: facts[name] for name in ("id", "answer_type", "weight")},
    }


def finish(folder: Path, files: list[Path]) -> list[Path]:
    """Nothing besides the files themselves."""
    return []
