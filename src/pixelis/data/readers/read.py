"""Reads any known source: good records come out, broken ones are counted with their reasons."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from pixelis.data.readers.place import Place
from pixelis.data.readers.record import Pixels, Record
from pixelis.data.readers.row import RecordError, Rejections
from pixelis.errors import ConfigError, DataError, MediaError
from pixelis.media import Limits, open_media

# What `--from` takes: the module of each source, each a file of this folder.
SOURCES: Mapping[str, str] = {
    "coco": "coco",
    "lvis": "lvis",
    "partimagenet": "partimagenet",
    "sa1b": "sa1b",
    "docvqa": "docvqa",
    "infographicsvqa": "infographicsvqa",
    "textcaps": "textcaps",
    "tallyqa": "tallyqa",
    "mathvista": "mathvista",
    "mmmu": "mmmu",
    "mmvet": "mmvet",
    "vstar": "vstar",
    "virl39k": "virl39k",
    "mot17": "mot17",
    "mvbench": "mvbench",
    "starqa": "starqa",
    "ego4d": "ego4d",
    "webpage": "webpage",
    "pixelreasoner": "pixelreasoner",
    "huggingface": "huggingface",
}
REMEMBERED = 4096  # media already opened: many questions are about one picture


def read_records(
    source: str,
    path: str | Path,
    rejections: Rejections | None = None,
    media: Sequence[str | Path] = (),
    columns: Mapping[str, str] | None = None,
    whole: bool = True,
) -> Iterator[Record]:
    """The good records of a local dataset, one after another.

    Args:
        source: one of `SOURCES`.
        path: its folder, or its annotation file.
        rejections: filled with what was refused, and why.
        media: folders to look for pictures and videos in, before the usual ones.
        columns: of a table, what is what (`{"question": "problem"}`).
        whole: decode each picture (and the first frame of each video) to be sure it is whole; for
            `frames` the first and the last.

    Raises:
        ConfigError: an unknown source.
        DataError: a file that cannot be used at all.
    """
    rejections = rejections if rejections is not None else Rejections()
    place = Place(Path(path), tuple(map(Path, media)), columns or {})
    doctor = Doctor() if whole else None
    for found in module_of(source).read(place):
        if isinstance(found, RecordError):
            rejections.add(found)
        elif doctor is not None and (error := doctor.examine(found)) is not None:
            rejections.add(error)
        else:
            rejections.kept += 1
            yield found


def module_of(source: str) -> ModuleType:
    """The reader of a source; ConfigError that lists the sources."""
    if source not in SOURCES:
        raise ConfigError(f"source {source!r} is unknown; sources are {', '.join(SOURCES)}")
    return import_module(f"pixelis.data.readers.{SOURCES[source]}")


class Doctor:
    """Opens media once each, and remembers which were broken."""

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        self._known: OrderedDict[Path, str] = OrderedDict()

    def examine(self, record: Record) -> RecordError | None:
        """What is wrong with the record's media, None when they are whole."""
        media = record.media
        wanted = (media[0], media[-1]) if record.kind == "frames" else media
        for index, one in enumerate((*wanted, *record.shown)):
            told = self._told(one, f"{record.id}[{index}]")
            if told:
                where = f"{record.provenance.file}: {record.provenance.place}"
                return RecordError(where, "media", told, "broken media")
        return None

    def _told(self, pixels: Pixels, name: str) -> str:
        if isinstance(pixels, bytes):
            return self._open(pixels, name)
        if pixels not in self._known:
            self._known[pixels] = self._open(pixels, None)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[pixels]

    def _open(self, pixels: Pixels, name: str | None) -> str:
        try:
            open_media(pixels, self._limits, name=name).close()
        except (MediaError, DataError) as error:
            return str(error)
        return ""
