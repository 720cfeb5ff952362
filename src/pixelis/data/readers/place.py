"""Where a dataset's files lie, and finding the media its records name."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath

from pixelis.data.readers.record import Provenance
from pixelis.data.readers.row import Row
from pixelis.errors import DataError


@dataclass
class Place:
    """What the user pointed at.

    Attributes:
        path: a folder or a file.
        media: folders to look for media in first, as the user gave them.
        columns: what the columns of a table are, as the user named them.
    """

    path: Path
    media: tuple[Path, ...] = ()
    columns: Mapping[str, str] = field(default_factory=dict)
    _hashes: dict[Path, str] = field(default_factory=dict)

    @property
    def root(self) -> Path:
        """The folder that was given, or the one the file lies in."""
        return self.path if self.path.is_dir() else self.path.parent

    def files(self, *patterns: str, what: str = "an annotation file") -> list[Path]:
        """The file that was given, or those of the folder that match the first fitting pattern.

        DataError when there is none.
        """
        if self.path.is_file():
            return [self.path]
        if not self.path.is_dir():
            raise DataError(f"{self.path}: is neither a file nor a folder; give {what}")
        for pattern in patterns:
            found = sorted(path for path in self.path.glob(pattern) if path.is_file())
            if found:
                return found
        named = " or ".join(patterns)
        raise DataError(f"{self.path}: holds no {named}; give {what}")

    def provenance(self, row: Row, place: str = "") -> Provenance:
        """Where a row comes from; each file is hashed once."""
        if row.file not in self._hashes:
            with row.file.open("rb") as file:
                self._hashes[row.file] = hashlib.file_digest(file, "sha256").hexdigest()
        inside = row.file.is_relative_to(self.root)
        name = row.file.relative_to(self.root).as_posix() if inside else row.file.name
        return Provenance(name, self._hashes[row.file], place or row.place)

    def find(
        self, row: Row, field: str, name: str, folders: Iterable[str | PurePath] = ("",)
    ) -> Path:
        """The file a row names, looked for in the user's folders, then in `folders` of the root.

        Raises RecordError when it is nowhere, or the name leads out of these folders.
        """
        parts = PurePosixPath(name.replace("\\", "/"))
        bases = [*self.media, *(self.root / folder for folder in folders)]
        if ".." in parts.parts:
            raise row.wrong(field, f"came {name!r}; '..' is not allowed", "path leaves the folder")
        for base in bases:
            found = base / parts
            if parts.is_absolute() and not found.is_relative_to(base):
                continue
            if found.is_file():
                return found
        looked = ", ".join(dict.fromkeys(str(base) for base in bases[:4]))
        told = f"{name!r} is not there; looked in {looked}; name its folder with --media"
        raise row.wrong(field, told, "missing file")


def split_of(*names: str) -> str:
    """`train`, `val` or `test` when a file or folder name says so."""
    for name in names:
        lowered = name.lower()
        for split, words in _SPLITS.items():
            if any(word in lowered for word in words):
                return split
    return ""


_SPLITS = {
    "train": ("train",),
    "val": ("val", "dev", "testmini"),
    "test": ("test",),
}
