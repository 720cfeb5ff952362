"""Any local folder of Hugging Face `datasets`: saved with `save_to_disk`, or Parquet files.

    PATH/dataset_dict.json, PATH/train/data-00000-of-00001.arrow     (save_to_disk)
    PATH/data/train-00000-of-00001.parquet                           (as on the hub)

Columns are found by their usual names, or named with `--columns question=problem,answer=gold`.
Rows with `messages` or `conversations` give the first user turn and the last answer. No code of
the dataset is run. The licence is the one its card names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record, type_of
from pixelis.data.readers.row import RecordError, Row, each, is_number
from pixelis.data.readers.stream import load_json
from pixelis.data.readers.table import columns_of, features_of, pictures, table_rows
from pixelis.errors import ConfigError, DataError

LICENCE = "as the dataset's card says"
FILES = ("*.arrow", "*/*.arrow", "data/*.parquet", "*.parquet", "*/*.parquet")
USUAL: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "qid", "pid", "question_id", "questionId", "index", "idx"),
    "question": ("question", "problem", "query", "prompt", "instruction", "text"),
    "answer": ("answer", "answers", "label", "solution", "ground_truth", "gt_answer", "response"),
    "choices": ("choices", "options", "candidates"),
    "image": ("image", "images", "decoded_image", "image_1", "jpg", "png"),
    "messages": ("messages", "conversations"),
    "split": ("split", "data_split"),
}
HUMAN, MODEL = ("user", "human"), ("assistant", "gpt")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a row."""
    for path in place.files(*FILES, what="a folder of .arrow or .parquet files"):
        columns = columns_for(path, place.columns)
        licence = _licence(path)
        split = split_of(path.stem, path.parent.name)
        yield from each(table_rows(path), partial(_record, place, columns, licence, split))


def columns_for(path: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Which column is what; DataError when no picture, or nothing that asks, can be found."""
    there = columns_of(path)
    for ours, theirs in given.items():
        if ours not in USUAL:
            raise ConfigError(f"--columns: {ours!r} is unknown; allowed are {', '.join(USUAL)}")
        if theirs not in there:
            raise ConfigError(f"--columns: {path} has no {theirs!r}; it has {', '.join(there)}")
    found = {
        ours: next(name for name in names if name in there)
        for ours, names in USUAL.items()
        if any(name in there for name in names)
    }
    images = [name for name, feature in features_of(path).items() if _is_image(feature)]
    if images and found.get("image") not in images:
        found["image"] = images[0]
    found |= given
    if "image" not in found or not {"question", "messages"} & set(found):
        told = "no column of pictures and questions is known by name; name them with --columns"
        raise DataError(f"{path}: {told} image=..,question=.. (it has {', '.join(there)})")
    return found


def _is_image(feature: Any) -> bool:
    if isinstance(feature, list):
        return any(map(_is_image, feature))
    if not isinstance(feature, dict):
        return False
    return feature.get("_type") == "Image" or _is_image(feature.get("feature"))


def _licence(path: Path) -> str:
    info = path.parent / "dataset_info.json"
    value = load_json(info) if info.is_file() else {}
    licence = value.get("license") if isinstance(value, dict) else ""
    return str(licence or LICENCE)


def _record(place: Place, columns: Mapping[str, str], licence: str, split: str, row: Row) -> Record:
    media = pictures(place, row, columns["image"], ("", "images"))
    if not media:
        raise row.wrong(columns["image"], "came an empty list; a picture is needed", "no picture")
    if "question" in columns:
        question = row.text(columns["question"])
        answers = _answers(row, columns)
    else:
        question, answers = _talk(row, columns["messages"])
    choices = _choices(row, columns)
    name = place.path.stem if place.path.is_file() else place.path.name
    own = row.word(columns["id"]) if row.has(columns.get("id", "")) else row.place.split()[-1]
    return Record(
        source="huggingface",
        id=f"{name}-{split}-{own}" if split else f"{name}-{own}",
        kind="picture",
        media=tuple(media),
        provenance=place.provenance(row),
        split=str(row.value.get(columns.get("split", "")) or split),
        licence=licence,
        question=question.replace("<image>", "").strip(),
        answers=answers,
        answer_type="option" if choices else type_of(answers) if answers else None,
        choices=choices,
        family=name,
    )


def _answers(row: Row, columns: Mapping[str, str]) -> tuple[str, ...]:
    name = columns.get("answer", "")
    value = row.value.get(name)
    if value is None or value == []:
        return ()
    if isinstance(value, bool):
        return ("yes" if value else "no",)
    if is_number(value):
        return (f"{value:g}" if isinstance(value, float) else str(value),)
    return row.texts(name)


def _choices(row: Row, columns: Mapping[str, str]) -> tuple[str, ...]:
    name = columns.get("choices", "")
    return row.texts(name) if row.value.get(name) else ()


def _talk(row: Row, name: str) -> tuple[str, tuple[str, ...]]:
    """The first question and the last answer of a conversation."""
    asked = said = ""
    for turn in row.rows(name):
        role = turn.text("role" if turn.has("role") else "from")
        text = _words(turn, "content" if turn.has("content") else "value")
        if role in HUMAN:
            asked = asked or text
        elif role in MODEL:
            said = text
    if not asked:
        raise row.wrong(name, "holds no user turn", "no question")
    return asked, (said,) if said else ()


def _words(row: Row, name: str) -> str:
    if isinstance(row.value.get(name), str):
        return row.text(name)
    parts = row.rows(name)
    return "".join(str(part.value.get("text") or "") for part in parts).strip()
