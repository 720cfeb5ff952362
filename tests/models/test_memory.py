from __future__ import annotations

import psutil
import pytest

from pixelis.errors import ModelError
from pixelis.models.local import check_memory
from pixelis.models.memory import available, container_left, free_bytes


def test_what_is_left_is_plausible():
    assert 0 < free_bytes() <= psutil.virtual_memory().total


def test_the_kernels_word(tmp_path):
    meminfo = tmp_path / "meminfo"
    assert available(meminfo) is None
    meminfo.write_text("MemTotal: 10 kB\nMemAvailable:   3 kB\n")
    assert available(meminfo) == 3072


@pytest.mark.parametrize(("limit", "left"), [("max", None), ("1000", 500), ("100", 0)])
def test_the_limit_of_a_container(tmp_path, limit, left):
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    (tmp_path / "memory.current").write_text("700\n")
    (tmp_path / "memory.stat").write_text("anon 5\ninactive_file 200\n")
    assert container_left(tmp_path) == left
    assert container_left(tmp_path / "none") is None


def test_weights_that_do_not_fit_are_refused_before_they_are_read(tmp_path):
    """A checkpoint of a trillion bytes that takes no room on the disk."""
    config = (
        '{"model_type": "qwen2_5_vl", "vision_config": {}, "text_config": {"vocab_size": 152064, '
        '"hidden_size": 16384, "intermediate_size": 65536, "num_hidden_layers": 64}}'
    )
    (tmp_path / "config.json").write_text(config)
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(ModelError, match=r"needs \d+\.\d GB for its weights in float32 and cpu"):
        check_memory(tmp_path, "cpu", None)
    with (tmp_path / "model.safetensors").open("wb") as file:
        file.truncate(1000)
    check_memory(tmp_path, "cpu", None)
