"""Draws docs/images/worlds.jpg: two tasks of every family, with question and answer.

python docs/worlds.py
"""

from __future__ import annotations

from pathlib import Path

from pixelis.data import tasks
from pixelis.data.sheet import draw_tasks
from pixelis.data.tasks import Task

OUT = Path(__file__).parent / "images" / "worlds.jpg"
SEED, COLUMNS, QUALITY = 4, 4, 72


def different(family: str) -> list[Task]:
    """Tasks of a family with different kinds of questions."""
    found: dict[str, Task] = {}
    for index in range(80):
        task = tasks.draw(SEED, index, "test" if index % 4 else "shift", (family,))
        found.setdefault(task.kind, task)
        if len(found) == COLUMNS:
            break
    return list(found.values())


if __name__ == "__main__":
    sheet = draw_tasks([different(family) for family in tasks.FAMILIES])
    sheet.save(OUT, "JPEG", quality=QUALITY, optimize=True)
