"""Pixel-Reasoner's published data (Wang et al. 2025, arXiv:2505.15966), both stages.

    SFT  PATH/*.json               [{"message_list": [{"role", "content": [{"type": "image",
         PATH/images/...             "image"}, {"type": "text", "text"}]}, ...], "qid"?}]
    RL   PATH/release.parquet      question, answer (a list of one), image (paths; frames of a
         PATH/images, PATH/videos  video when is_video), is_video, qid

Turns are in the dialect `pixel-reasoner`; a record of the SFT file carries the whole episode, with
its pictures in the order they are shown. Licence: code Apache 2.0; data and weights CC BY-NC 4.0
(the RL card says Apache 2.0: ask before commercial use).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Pixels, Record, type_of
from pixelis.data.readers.row import Raw, RecordError, Row, each
from pixelis.data.readers.stream import json_items, json_lines
from pixelis.data.readers.table import pictures, table_rows
from pixelis.data.readers.virl39k import unboxed
from pixelis.episode import Episode, Media
from pixelis.errors import DataError
from pixelis.geometry import Size
from pixelis.models.dialects.reasoner import PixelReasoner

LICENCE = "CC BY-NC 4.0 (SFT data and weights); the RL card says Apache 2.0"
FILES = ("*.parquet", "data/*.parquet", "*.json", "*.jsonl")
FOLDERS = ("", "images", "videos")
GUIDELINE = "\n\nGuidelines:"
ROLES = ("system", "user", "assistant")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a trajectory (SFT) or question (RL)."""
    for path in place.files(*FILES, what="its JSON or parquet files"):
        numbers = iter(range(1 << 62))
        yield from each(_rows(path), partial(_record, place, numbers))


def _rows(path: Path) -> Iterator[Raw]:
    kinds: dict[str, Any] = {".parquet": table_rows, ".jsonl": json_lines}
    yield from kinds.get(path.suffix, json_items)(path)


def _record(place: Place, numbers: Iterator[int], row: Row) -> Record:
    number = next(numbers)
    if "message_list" in row.value:
        return _trajectory(place, row, number)
    return _question(place, row, number)


# RL -------------------------------------------------------------------------------------------
def _question(place: Place, row: Row, number: int) -> Record:
    media = tuple(pictures(place, row, "image", FOLDERS))
    if not media:
        raise row.wrong("image", "came an empty list; a picture is needed", "no picture")
    answer = row.texts("answer")[0]
    plain = unboxed(Row({"answer": answer}, row.file, row.place), "answer")
    letter = len(plain) == 1 and plain.isalpha() and plain.isupper()
    video = bool(row.value.get("is_video", False))
    return Record(
        source="pixelreasoner",
        id=f"pixelreasoner-{row.value.get('qid', number)}",
        kind="frames" if video else "picture",
        media=media,
        provenance=place.provenance(row),
        split="train",
        licence=LICENCE,
        question=row.text("question").split(GUIDELINE)[0].strip(),
        answers=(plain,),
        answer_type="option" if letter else type_of((plain,)),
        family="video" if video else "picture",
        fps=1.0 if video else 0.0,
        meta={"qid": row.value.get("qid")},
    )


# SFT ------------------------------------------------------------------------------------------
def _trajectory(place: Place, row: Row, number: int) -> Record:
    media: list[Pixels] = []
    messages = [_message(place, one, media) for one in row.rows("message_list")]
    if not media:
        raise row.wrong("message_list", "shows no picture", "no picture")
    shown = sum(part["type"] == "image" for part in messages[_asking(row, messages)]["content"])
    key = str(row.value.get("qid") or row.value.get("question_id") or number)
    episode = _episode(row, messages, key)
    if episode.answer is None or not episode.answer.text:
        raise row.wrong("message_list", "ends without an answer in \\boxed{}", "no answer")
    question = episode.question.split(GUIDELINE)[0].strip()
    return Record(
        source="pixelreasoner",
        id=f"pixelreasoner-{key}",
        kind="frames" if shown > 1 else "picture",
        media=tuple(media[:shown]),
        provenance=place.provenance(row),
        split="train",
        licence=LICENCE,
        question=question,
        answers=(episode.answer.text,),
        answer_type=type_of((episode.answer.text,)),
        family="video" if shown > 1 else "picture",
        fps=1.0 if shown > 1 else 0.0,
        episode=episode,
        shown=tuple(media),
    )


def _message(place: Place, row: Row, media: list[Pixels]) -> dict[str, Any]:
    """The message in our form; its pictures join `media`."""
    role = row.text("role")
    if role not in ROLES:
        told = f"came {role!r}; allowed are {', '.join(ROLES)}"
        raise row.wrong("role", told, "unknown role")
    if isinstance(row.value.get("content"), str):
        return {"role": role, "content": [{"type": "text", "text": row.value["content"]}]}
    parts: list[dict[str, Any]] = []
    for part in row.rows("content"):
        kind = part.text("type")
        if kind == "text":
            text = part.raw("text", "a text")
            if not isinstance(text, str):
                raise part.mistyped("text", text, "a text")
            parts.append({"type": "text", "text": text})
        elif kind in ("image", "video"):
            found = pictures(place, part, kind, FOLDERS)
            media += found
            parts += [{"type": "image"}] * len(found)
        else:
            told = f"came {kind!r}; allowed are text, image, video"
            raise part.wrong("type", told, "unknown part")
    return {"role": role, "content": parts}


def _asking(row: Row, messages: list[dict[str, Any]]) -> int:
    for index, message in enumerate(messages):
        if message["role"] == "user":
            return index
    raise row.wrong("message_list", "holds no user turn", "no question")


def _episode(row: Row, messages: list[dict[str, Any]], key: str) -> Episode:
    media = Media("picture", key, Size(1, 1), "")
    try:
        return PixelReasoner().episode(messages, media)
    except DataError as error:
        raise row.wrong("message_list", str(error), "turns out of order") from error
