from __future__ import annotations

import json

import numpy as np


def test_remember_recall_forget(wheeler, tmp_path):
    (tmp_path / "more.txt").write_text("two grey stones\n\na cat sat\n")
    kept = json.loads(
        wheeler("remember", "the red boat", "--file", tmp_path / "more.txt", "--json").stdout
    )
    assert [(row["id"], row["new"]) for row in kept] == [(1, True), (2, True), (3, True)]
    assert "known already" in wheeler("remember", "the red boat").stdout
    frame = tmp_path / "settled.npy"
    found = json.loads(wheeler("recall", "red boat the", "--json", "--out", frame).stdout)
    assert found["matches"][0]["text"] == "the red boat"
    assert np.load(frame).shape == (32, 32)
    again = json.loads(wheeler("recall", "--frame", frame, "--json").stdout)
    assert again["matches"][0]["text"] == "the red boat"
    assert again["support"] is None
    told = wheeler("recall", "the red boat").stdout
    assert "SINGLE" in told
    assert "memory 1" in told
    listed = json.loads(wheeler("memories", "--json").stdout)
    assert [row["text"] for row in listed] == ["the red boat", "two grey stones", "a cat sat"]
    assert listed[0]["hits"] >= 1
    assert wheeler("forget", 1).stdout == "forgot 1\n"
    assert [row["id"] for row in json.loads(wheeler("memories", "--json").stdout)] == [2, 3]
    done = wheeler("forget", 1)
    assert done.returncode == 1
    assert "no memory 1" in done.stderr
    assert wheeler("forget", 2, 99).returncode == 1  # all or nothing
    assert [row["id"] for row in json.loads(wheeler("memories", "--json").stdout)] == [2, 3]


def test_what_is_novel_says_what_it_lacks(wheeler):
    wheeler("remember", "the red boat near the harbour", model="small")
    told = wheeler("recall", "seventeen purple cushions", model="small").stdout
    assert "NOVEL" in told
    assert "nearest    memory 1: the red boat" in told
    assert "needed: 0.54" in told
    assert "settled" not in told


def test_what_is_asked_wrongly_is_told(wheeler, tmp_path):
    assert "keep something first" in wheeler("recall", "x").stderr
    assert wheeler("remember").returncode == 2
    assert wheeler("remember", "").returncode == wheeler("encode", " ").returncode == 2
    assert ".npy" in wheeler("encode", "a boat", "--out", tmp_path / "frame.jpg").stderr
    assert ".gif" in wheeler("view", "a boat", "--out", tmp_path / "frame.jpg").stderr
    wheeler("remember", "a boat")
    assert wheeler("recall").returncode == 2
    assert wheeler("recall", "x", "--frame", "y").returncode == 2
    np.save(tmp_path / "small.npy", np.zeros((4, 4), np.float32))
    done = wheeler("recall", "--frame", tmp_path / "small.npy")
    assert done.returncode == 2
    assert "(32, 32)" in done.stderr
