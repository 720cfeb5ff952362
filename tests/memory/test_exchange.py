"""Stores as folders of plain files, out and in."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixelis.errors import ConfigError, DataError
from pixelis.memory import Experience, Filter, Memory, Vote
from pixelis.memory.exchange import export, take

PICTURE = b"P5 2 2 255\n1234"


@pytest.fixture
def full(tmp_path):
    with Memory(tmp_path / "store") as memory:
        for number in range(3):
            memory.add(
                Experience(
                    f"é {number}", "a", embedding=np.ones(4), space="t", family="xy"[number % 2]
                ),
                PICTURE, [Vote("a", "a", 0.3, 1.0, "greedy")],
            )  # fmt: skip
        yield memory


def test_there_and_back(full, tmp_path):
    assert export(full, tmp_path / "out") == 3
    with Memory(tmp_path / "other") as other:
        assert take(other, tmp_path / "out") == (3, 0)
        assert take(other, tmp_path / "out") == (0, 3)
        for mine, theirs in zip(full.all(), other.all(), strict=True):
            assert mine.to_dict() == theirs.to_dict()
            assert full.votes(mine.id) == other.votes(theirs.id)
            assert full.picture(mine.media) == other.picture(theirs.media)


def test_only_what_is_asked_for(full, tmp_path):
    assert export(full, tmp_path / "out", Filter(family="x")) == 2
    with pytest.raises(ConfigError, match="exists"):
        export(full, tmp_path / "out")


def rewrite(folder, change):
    import hashlib

    lines = (folder / "experiences.jsonl").read_text(encoding="utf-8").splitlines()
    record = json.loads(lines[-1])
    change(record)
    text = "\n".join([*lines[:-1], json.dumps(record)]) + "\n"
    (folder / "experiences.jsonl").write_text(text, encoding="utf-8")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "name", ["../../secret.png", "/x/y", "media/../a.png", "media/" + "0" * 64]
)
def test_paths_that_lead_out_are_refused_and_nothing_is_added(full, tmp_path, name):
    export(full, tmp_path / "out")
    rewrite(tmp_path / "out", lambda record: record.update(media=name))
    with Memory(tmp_path / "other") as other:
        with pytest.raises(DataError, match=r"experiences\.jsonl:3"):
            take(other, tmp_path / "out")
        assert len(other) == 0


def test_half_an_export_is_refused(full, tmp_path):
    export(full, tmp_path / "out")
    lines = tmp_path / "out" / "experiences.jsonl"
    lines.write_bytes(lines.read_bytes()[:-10])
    with Memory(tmp_path / "other") as other, pytest.raises(ConfigError, match="not what was"):
        take(other, tmp_path / "out")


def test_texts_with_every_kind_of_line_end_come_back(tmp_path):
    text = "a\u2028b\u2029c\x85d\x0be\x1cf\ng"
    with Memory(tmp_path / "store", hook=None) as memory:
        memory.add(Experience(text, text))
        export(memory, tmp_path / "out")
    with Memory(tmp_path / "other", hook=None) as other:
        assert take(other, tmp_path / "out").added == 1
        assert [one.question for one in other.all()] == [text]
