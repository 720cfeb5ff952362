import pytest

from pixelis.errors import CheckpointError
from pixelis.training.durable import checkpoints, read_mark


def test_only_whole_checkpoints_count(tmp_path):
    for step, mark in ((9, '{"a": 1}'), (10, '{"a": 2}'), (100, None)):
        (tmp_path / f"checkpoint-{step}").mkdir()
        if mark:
            (tmp_path / f"checkpoint-{step}" / "complete.json").write_text(mark)
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-9", "checkpoint-10"]
    assert read_mark(checkpoints(tmp_path)[-1]) == {"a": 2}
    (tmp_path / "checkpoint-10" / "complete.json").write_text("{")
    with pytest.raises(CheckpointError, match="cannot be read"):
        read_mark(tmp_path / "checkpoint-10")
