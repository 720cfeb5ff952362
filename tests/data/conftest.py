"""Real episodes: tasks of the worlds, saved as PNG, solved by executing operations."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pixelis.data import oracle, tasks
from pixelis.data.episodes import Writer
from pixelis.media import open_picture
from pixelis.ops import REGISTRY
from pixelis.ops.workspace import PixelBudget, Workspace

BUDGET = PixelBudget(256 * 256, 256 * 256, 32)
TEXT_LIMIT = 60


def solved(folder: Path, seed: int, index: int, family: str, split: str) -> dict | None:
    """A record of one solved task, its picture beside it; None when the operations failed."""
    task = tasks.draw(seed, index, "train", (family,))
    path = folder / f"{task.id}.png"
    task.image.save(path)
    with open_picture(path) as media, Workspace(media, BUDGET, text_limit=TEXT_LIMIT) as workspace:
        episode = oracle.solve(task, workspace, REGISTRY)
        sha256 = media.sha256
    from pixelis.answers.score import correct

    if not correct(episode.answer.text, task.answer, task.answer_type):
        return None
    name = f"{family}-{seed}-{index}"
    meta = {"pixels": asdict(BUDGET), "text_limit": TEXT_LIMIT}
    return {
        "episode": replace(episode, id=name, meta=meta).to_dict(),
        "gold": task.answer,
        "answer_type": task.answer_type,
        "family": family,
        "kind": "golden",
        "split": split,
        "media": str(path),
        "provenance": {
            "licence": "Apache-2.0",
            "media_sha256": sha256,
            "generator": "worlds",
            "seed": seed,
        },
    }


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> Path:
    """A folder with nine episodes, three of each family; six are for training, three for tests."""
    scratch = tmp_path_factory.mktemp("scratch")
    folder = tmp_path_factory.mktemp("episodes")
    with Writer(folder) as writer:
        for family in ("text_extraction", "attribute_recognition", "object_counting"):
            kept = 0
            for index in range(40):
                split = "test" if kept == 2 else "train"
                record = solved(scratch, 7, index, family, split)
                if record is None:
                    continue
                media = Path(record["media"])
                place = writer.keep(media, record["provenance"]["media_sha256"])
                writer.add({**record, "media": place})
                kept += 1
                if kept == 3:
                    break
    return folder


@pytest.fixture
def episodes(clean: Path, tmp_path: Path) -> Path:
    """A copy of `clean` that a test may spoil."""
    import shutil

    copy = tmp_path / "episodes"
    shutil.copytree(clean, copy)
    return copy
