"""Records as benchmark questions: the choices shown, the media in a file, the authors' rule."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from pixelis.data.clips import clip_of
from pixelis.data.imports import unpacked
from pixelis.data.readers.record import Pixels, Record
from pixelis.evals.question import Question
from pixelis.media import open_picture

LABEL_PX = 28
GAP_PX = 12
NUMBERED = "<image {}>"


def question_of(
    record: Record,
    work: Path,
    rule: str,
    *,
    answer_type: str = "",
    gold: Sequence[str] = (),
    family: str = "",
    text: str = "",
    details: Mapping[str, Any] | None = None,
    group: str = "",
) -> Question:
    """The question of a record, judged by the rule `rule`.

    Args:
        work: folder for pictures that lay in a table, clips that were cut, and sheets.

    Several pictures are shown side by side on one sheet, numbered as the question numbers them.
    What is not given is taken from the record.
    """
    media = media_of(record, work)
    answers = tuple(gold) or record.answers
    return Question(
        id=record.id,
        media=media,
        text=text or record.question,
        gold=answers[0] if len(answers) == 1 else answers,
        answer_type=answer_type or str(record.answer_type or "text"),
        family=family or record.family or record.source,
        picture=_name(record.media[0], work) if record.media else media.name,
        choices=record.choices or None,
        rule=rule,
        details=details or {},
        group=group,
    )


def _name(pixels: Pixels, work: Path) -> str:
    """A name of a picture that is the same wherever the dataset lies."""
    if isinstance(pixels, bytes):
        return hashlib.sha256(pixels).hexdigest()[:20]
    inside = pixels.is_relative_to(work)
    return pixels.name if inside else "/".join(pixels.parts[-2:])


def media_of(record: Record, work: Path) -> Path:
    """Where the media of a record lie, written into `work` first when they need it."""
    first = record.media[0]
    if record.kind != "picture":
        if record.kind == "video" and record.span is None and isinstance(first, Path):
            return first
        stretch = "all" if record.span is None else "{:g}-{:g}".format(*record.span)
        key = hashlib.sha256(f"{record.id} {stretch} {first!r}".encode()).hexdigest()[:20]
        out = work / f"{key}.mp4"
        if not out.exists():
            work.mkdir(parents=True, exist_ok=True)
            clip_of(record, out)
        return out
    if len(record.media) == 1:
        return first if isinstance(first, Path) else unpacked(first, work)
    return unpacked(sheet(record.media), work)


def sheet(pictures: Sequence[Pixels]) -> bytes:
    """Pictures side by side in the height of the tallest, each under its number, as PNG bytes."""
    opened = [open_picture(one).image.convert("RGB") for one in pictures]
    height = max(image.height for image in opened)
    scaled = [
        image.resize((max(1, round(image.width * height / image.height)), height))
        for image in opened
    ]
    width = sum(image.width for image in scaled) + GAP_PX * (len(scaled) + 1)
    page = Image.new("RGB", (width, height + LABEL_PX + GAP_PX), "white")
    pen = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=LABEL_PX - 8)
    left = GAP_PX
    for number, image in enumerate(scaled, start=1):
        pen.text((left, 2), NUMBERED.format(number), "black", font)
        page.paste(image, (left, LABEL_PX))
        left += image.width + GAP_PX
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()
