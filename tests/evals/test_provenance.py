"""Hashes of weights and the commit of the code."""

import re

from pixelis.evals.provenance import commit, weights_hash


def test_weights_hash_sees_every_byte_and_file(tmp_path):
    assert weights_hash(f"hf:{tmp_path}") is None
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    first = weights_hash(f"hf:{tmp_path}")
    (tmp_path / "model.safetensors").write_bytes(b"abd")
    second = weights_hash(f"hf:{tmp_path}")
    (tmp_path / "more.safetensors").write_bytes(b"x")
    assert len({first, second, weights_hash(f"hf:{tmp_path}")}) == 3


def test_commit_is_a_hash_or_nothing():
    found = commit()
    assert found is None or re.fullmatch(r"[0-9a-f]{40}(\+changes)?", found)
