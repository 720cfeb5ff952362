"""Ego4D clips (Grauman et al. 2022, arXiv:2110.07058): questions answered by a stretch of a clip.

    PATH/v2/annotations/nlq_val.json    {"videos": [{"video_uid", "clips": [{"clip_uid",
    PATH/v2/clips/CLIP_UID.mp4             "annotations": [{"language_queries": [{"query",
                                           "clip_start_sec", "clip_end_sec", ...}]}]}]}]}

A record is one query of the episodic-memory task; `span` is the stretch in which the answer can be
seen. There is no answer in words: `answers` is empty. Licence: the Ego4D agreement (signed).
"""

from __future__ import annotations

from collections.abc import Iterator

from pixelis.data.readers.place import Place, split_of
from pixelis.data.readers.record import Record
from pixelis.data.readers.row import RecordError, Row, each
from pixelis.data.readers.stream import json_items

LICENCE = "Ego4D licence agreement (signed; no redistribution)"
FILES = ("*/annotations/nlq_*.json", "annotations/nlq_*.json", "nlq_*.json")


def read(place: Place) -> Iterator[Record | RecordError]:
    """One record a query; a broken video entry is refused as a whole, a broken query alone."""
    for path in place.files(*FILES, what="nlq_val.json"):
        for row in json_items(path, "videos"):
            yield from _queries(place, row) if isinstance(row, Row) else (row,)


def _queries(place: Place, video: Row) -> Iterator[Record | RecordError]:
    try:
        found = [
            (clip, query)
            for clip in video.rows("clips")
            for annotation in clip.rows("annotations")
            for query in annotation.rows("language_queries")
        ]
    except RecordError as error:
        yield error
        return
    by_query = {id(query): clip for clip, query in found}
    yield from each(
        (query for _, query in found),
        lambda query: _record(place, video, by_query[id(query)], query),
    )


def _record(place: Place, video: Row, clip: Row, query: Row) -> Record:
    key = clip.text("clip_uid")
    start = query.number("clip_start_sec", 0)
    end = query.number("clip_end_sec", start)
    above = place.root.parent / "clips"
    return Record(
        source="ego4d",
        id=f"ego4d-{key}-{query.prefix}".rstrip(".").replace("language_queries", "q"),
        kind="video",
        media=(place.find(clip, "clip_uid", f"{key}.mp4", ("clips", "v2/clips", "", above)),),
        provenance=place.provenance(query, f"{query.place}.{query.prefix}".rstrip(".")),
        split=split_of(query.file.stem),
        licence=LICENCE,
        question=query.text("query"),
        family="episodic_memory",
        span=(start, end),
        meta={"video_uid": video.text("video_uid"), "template": query.value.get("template")},
    )
