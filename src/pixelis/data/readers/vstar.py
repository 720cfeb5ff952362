"""V* Bench (Wu and Xie 2024, arXiv:2312.14135): small details in large pictures.

    PATH/test_questions.jsonl                {"image", "text": "What ...?\\n(A) ...\\n(B) ...",
    PATH/direct_attributes/sa_4690.jpg        "category", "label": "A", "question_id"}
    PATH/direct_attributes/sa_4690.json      {"target_object": ["glove"], "bbox": [[x, y, w, h]],
                                              "question", "options"}

The boxes say where to look, so its tasks have a plan. Licence: the pictures are of SA-1B (research
licence); the questions are published without one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Record, Thing
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_lines, load_json
from pixelis.geometry import Box

LICENCE = "pictures of SA-1B (research only); questions published without a licence"
OPTION = re.compile(r"^\(([A-Z])\)\s*(.+)$", re.MULTILINE)
COMMAND = re.compile(r"\n?Answer with the option's letter[^\n]*\Z")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question."""
    for path in place.files("test_questions.jsonl", "*.jsonl", what="test_questions.jsonl"):
        yield from each(json_lines(path), lambda row: _record(place, row))


def _record(place: Place, row: Row) -> Record:
    name = row.text("image")
    text = COMMAND.sub("", row.text("text"))
    options = OPTION.findall(text)
    if len(options) < 2:
        raise row.wrong("text", "holds no options '(A) ...'", "no options")
    label = row.text("label").strip("()")
    if label not in {letter for letter, _ in options}:
        raise row.wrong("label", f"came {label!r}; it is none of the options", "no such option")
    picture = place.find(row, "image", name)
    return Record(
        source="vstar",
        id=f"vstar-{row.word('question_id')}",
        kind="picture",
        media=(picture,),
        provenance=place.provenance(row),
        split="test",
        licence=LICENCE,
        question=text[: text.index("(" + options[0][0] + ")")].strip(),
        answers=(label,),
        answer_type="option",
        choices=tuple(choice.strip() for _, choice in options),
        things=_targets(Row({"path": str(picture)}, picture.with_suffix(".json"), "record 0")),
        family=row.text("category"),
    )


def _targets(named: Row) -> tuple[Thing, ...]:
    """The objects asked about, from the file beside the picture; nothing when there is none."""
    if not named.file.is_file():
        return ()
    row = Row({"target": load_json(named.file)}, named.file, "record 0").inner("target")
    things = []
    for index, name in enumerate(row.texts("target_object")):
        boxes = row.items("bbox")
        if index >= len(boxes):
            raise row.wrong("bbox", f"holds {len(boxes)} boxes for more objects", "too few boxes")
        box: Box = Row({"bbox": boxes[index]}, row.file, row.place, "bbox[].").corner_box("bbox")
        things.append(Thing(name, box))
    return tuple(things)
