"""Stores as plain files: a folder with `experiences.jsonl`, `media/` and a manifest.

    {"experience": {"id": "...", "question": "...", ...}, "votes": [...], "media": "media/4f….png"}

The manifest is written last and names the SHA-256 of the lines, so that a half-written export is
not taken for a whole one. Every export is written down in the store, for `erase` to name it.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from pixelis.errors import ConfigError, DataError, StoreError
from pixelis.memory.experience import Experience
from pixelis.memory.filter import Filter
from pixelis.memory.media import write_whole
from pixelis.memory.reviews import DECIDED, Reviews
from pixelis.memory.store import Memory, Vote

LINES, MANIFEST, FORMAT = "experiences.jsonl", "manifest.json", "pixelis-memory-1"
_MEDIA = re.compile(r"media/[0-9a-f]{64}\.[a-z0-9]{1,5}")


class Taken(NamedTuple):
    """What an import did: experiences added, and those left out because they were there."""

    added: int
    known: int


def export(memory: Memory, folder: str | Path, which: Filter | None = None) -> int:
    """Writes experiences, their votes and media; gives how many.

    Raises ConfigError when the folder exists, StoreError when it cannot be written.
    """
    place = Path(folder)
    if place.exists():
        raise ConfigError(f"{folder} exists; give a new folder for the export")
    ids = memory.ids(which)
    with memory.writing() as base:
        row = base.execute(
            "INSERT INTO exports (path, born) VALUES (?, ?)",
            (str(place.resolve()), memory.clock()),
        )
        base.executemany("INSERT INTO exported VALUES (?, ?)", [(row.lastrowid, x) for x in ids])
    lines = [line for one in ids if (line := _line(memory, one, place))]
    text = "".join(f"{line}\n" for line in lines).encode()
    write_whole(place / LINES, text)
    manifest = {
        "format": FORMAT, "experiences": len(lines), "sha256": hashlib.sha256(text).hexdigest(),
    }  # fmt: skip
    write_whole(place / MANIFEST, (json.dumps(manifest, indent=2) + "\n").encode())
    return len(lines)


def _line(memory: Memory, one: str, place: Path) -> str:
    experience = memory.get(one)
    if experience is None:  # erased in between
        return ""
    record: dict[str, Any] = {"experience": experience.to_dict()}
    record["experience"].pop("seq")
    record["votes"] = [vote._asdict() for vote in memory.votes(one)]
    if experience.media is not None:
        name = f"media/{memory.picture_path(experience.media).name}"
        if not (place / name).exists():
            write_whole(place / name, memory.picture(experience.media))
        record["media"] = name
    return json.dumps(record, ensure_ascii=False)


def take(memory: Memory, folder: str | Path) -> Taken:
    """Adds the experiences of an export; those whose id is known already are left out.

    Raises ConfigError when the folder holds no whole export, DataError naming a broken line.
    Nothing is added then.
    """
    place = Path(folder)
    text = _checked(place)
    added = known = 0
    with memory.writing():
        # Not splitlines: it would also cut at U+2028 and the like, which JSON allows in a text.
        for number, line in enumerate(filter(None, text.split("\n")), start=1):
            try:
                done = _add(memory, place, json.loads(line))
            except (ValueError, KeyError, TypeError, OSError) as error:
                if isinstance(error, StoreError):
                    raise
                raise DataError(f"{place / LINES}:{number}: {error}") from error
            added, known = added + done, known + (not done)
    return Taken(added, known)


def _checked(place: Path) -> str:
    try:
        manifest = json.loads((place / MANIFEST).read_bytes())
        data = (place / LINES).read_bytes()
    except (OSError, ValueError) as error:
        raise ConfigError(f"{place} holds no whole export ({MANIFEST}, {LINES})") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ConfigError(f"{place / MANIFEST}: format must be {FORMAT!r}")
    if manifest.get("sha256") != hashlib.sha256(data).hexdigest():
        raise ConfigError(f"{place / LINES} is not what was exported; export again")
    return data.decode("utf-8")


def _add(memory: Memory, place: Path, record: dict[str, Any]) -> bool:
    one = Experience.from_dict(record["experience"])
    if not one.id or memory.get_seq(one.id) is not None:
        return False
    media = None
    if (name := record.get("media")) is not None:
        if not isinstance(name, str) or not _MEDIA.fullmatch(name):
            raise DataError(f"media {str(name)[:60]!r}; allowed are media/SHA256.ending")
        path = place / name
        if path.is_symlink():
            raise DataError(f"media {name} is a link; give the file itself")
        media = path.read_bytes()
        if hashlib.sha256(media).hexdigest() != path.stem:
            raise DataError(f"media {name} is not what was exported")
    # What another store was about to learn, or has learned, this one has not.
    status = "stored" if one.status in ("queued", "learned") else one.status
    votes = [Vote(**vote) for vote in record["votes"]]
    kept = memory.add(replace(one, media=None, status=status), media, votes)
    if "feedback" in kept.provenance and kept.status not in DECIDED:
        Reviews(memory).hear(kept.id, "its user spoke of it before it was imported")
    return True
