"""Hashes of weights and the commit of the code."""

import re
import subprocess

from pixelis.evals.provenance import SOURCE, commit, running, together, weights_hash


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


def test_a_change_anywhere_in_the_package_is_seen(tmp_path):
    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", "-C", str(tmp_path), *who, *words], check=True, capture_output=True)

    ops = tmp_path / "ops"
    ops.mkdir()
    (ops / "zoom.py").write_text("1")
    git("init", "-q")
    git("add", ".")
    git("commit", "-qm", "first")
    clean = commit(tmp_path)
    assert re.fullmatch(r"[0-9a-f]{40}", clean)
    (ops / "zoom.py").write_text("2")
    assert commit(tmp_path) == f"{clean}+changes"
    assert (SOURCE / "ops" / "zoom.py").is_file()


def test_no_git_is_no_commit(tmp_path):
    assert commit(tmp_path / "nowhere") is None


def test_results_of_several_commits_have_no_single_one():
    assert together(["a", "a"]) == "a"
    assert together(["b", "a"]) == "a+b"
    assert together(["a", ""]) is None
    assert together([]) is None
    assert running() == (commit() or "")


def test_a_hub_id_that_is_not_here_has_no_hash():
    assert weights_hash("hf:nobody/never-made-this") is None
