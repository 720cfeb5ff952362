"""Reads back what `write_json` wrote, and finds the media it speaks of."""

from __future__ import annotations

from pathlib import Path

from pixelis.episode import Episode
from pixelis.errors import DataError, MediaError


def read_json(path: str | Path) -> Episode:
    """The episode in a file; DataError names the file and what is wrong with it."""
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror or error})") from error
    try:
        return Episode.from_json(data)
    except DataError as error:
        raise DataError(f"{path}: {error}") from error


def find_media(episode: Episode, path: str | Path, given: str | Path | None = None) -> Path:
    """Where the media of an episode that was read from `path` are.

    They are looked for at `given`, or where the episode says they lay, or beside its own file.
    Raises MediaError when they are in none of these places.
    """
    if given is not None:
        return Path(given)
    recorded = str(episode.meta.get("media_path") or "")
    places = [Path(recorded)] if recorded else []
    places.append(Path(path).parent / Path(episode.media.name).name)
    for place in places:
        if place.is_file():
            return place
    tried = " nor at ".join(map(str, places))
    raise MediaError(f"{path}: its media are not at {tried}; say where they are: --media FILE")
