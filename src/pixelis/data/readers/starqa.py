"""STAR (Wu et al. 2021, arXiv:2405.09711), also called STARQA: situated reasoning about videos.

    PATH/STAR_val.json                  [{"question_id": "Interaction_T1_13", "question",
    PATH/Charades_v1_480/6H78U.mp4        "video_id", "start", "end", "answer", "choices":
                                          [{"choice_id", "choice"}], "situations": {...}}]

Licence: Apache 2.0 for the annotations; the videos are of Charades (non-commercial).
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_items

LICENCE = "annotations Apache 2.0; videos of Charades (non-commercial research)"
VIDEOS = ("Charades_v1_480", "Charades_v1", "videos", "video", "")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a question; the test split has no answers."""
    for path in place.files("STAR_*.json", "*.json", what="STAR_val.json"):
        yield from each(json_items(path), lambda row: _record(place, row))


def _record(place: Place, row: Row) -> Record:
    key = row.text("question_id")
    choices = tuple(choice.text("choice") for choice in row.rows("choices"))
    answers = (row.text("answer"),) if row.has("answer") else ()
    if answers and answers[0] not in choices:
        told = f"came {answers[0]!r}; it is none of the choices"
        raise row.wrong("answer", told, "no such option")
    start = row.number("start", 0)
    name = f"{row.text('video_id')}.mp4"
    return Record(
        source="starqa",
        id=f"starqa-{key}",
        kind="video",
        media=(place.find(row, "video_id", name, VIDEOS),),
        provenance=place.provenance(row),
        split=split_of(row.file.stem),
        licence=LICENCE,
        question=row.text("question"),
        answers=answers,
        answer_type="option",
        choices=choices,
        family=key.split("_")[0].lower(),
        span=(start, row.number("end", start)),
    )
