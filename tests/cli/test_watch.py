"""`pixelis watch` as a process, also one that is killed."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from PIL import Image

from pixelis.cli.watch import ABREAST, abreast

SOURCE = Path(__file__).parents[2] / "src"


def fill(folder: Path, count: int) -> Path:
    """Pictures of different colours, and one broken file for every fiftieth of them."""
    folder.mkdir()
    for number in range(count):
        path = folder / f"{number:03d}.png"
        Image.new("RGB", (24, 16), (number, 90, 200)).save(path)
        if number % 50 == 7:
            path.write_bytes(path.read_bytes()[:40])
    return folder


def records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_rows_traces_and_errors(pixelis, untrained, tmp_path):
    folder = fill(tmp_path / "in", 9)
    out, traces = tmp_path / "r.csv", tmp_path / "traces"
    words = ("watch", folder, "What is it?", "--out", out, "--model", f"hf:{untrained}")
    words += ("--seed", "8", "--max-steps", "2", "--max-pixels", "6144")
    done = pixelis(*words, "--traces", traces)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {Path(row["file"]).name: row for row in records(out)}
    assert len(rows) == 9
    broken = rows.pop("007.png")
    assert "damaged or truncated png" in broken["error"]
    assert (broken["answer"], broken["trace"]) == ("", "")
    for name, row in rows.items():
        assert (row["answer"] == "") == (row["error"] != "")
        page = Path(row["trace"])
        assert name in page.read_text()
        kept = json.loads(page.with_suffix(".json").read_text())
        assert (kept["media"]["name"], kept["seed"]) == (name, 8)
        assert kept["meta"]["budget"]["steps"] == 2
        assert kept["meta"]["pixels"]["max_pixels"] == 6144
    again = pixelis(*words, "--json")
    assert json.loads(again.stdout) == {
        "out": str(out),
        "looked_at": 0,
        "answered": 0,
        "errors": 0,
        "before": 9,
    }
    other = pixelis("watch", folder, "Other?", *words[3:])
    assert (other.returncode, len(other.stderr.splitlines())) == (2, 1)
    assert "was made with question" in other.stderr
    other = pixelis(*words, "--dialect", "thyme")
    assert (other.returncode, len(other.stderr.splitlines())) == (2, 1)
    was, wanted = "'max_pixels=6144'", "'dialect=thyme max_pixels=6144'"
    assert f"was made with options {was}, not {wanted}" in other.stderr


@pytest.mark.slow
def test_killed_and_resumed_every_file_has_one_row(pixelis, untrained, tmp_path):
    folder, out = fill(tmp_path / "in", 200), tmp_path / "r.csv"
    words = ["watch", folder, "What is it?", "--out", out, "--model", f"hf:{untrained}"]
    words += ["--max-steps", "2"]
    seen = 0
    for enough in (30, 110):
        seen = kill_at(words, out, enough)
        assert enough <= seen < 200
    done = pixelis(*words, "--json")
    assert done.returncode == 0
    rows = records(out)
    assert Counter(row["file"] for row in rows) == Counter(map(str, folder.iterdir()))
    assert sum("damaged or truncated" in row["error"] for row in rows) == 4
    told = json.loads(done.stdout)
    assert told["before"] in (seen, seen - 1)  # a row cut in half is looked at again
    assert told["looked_at"] == 200 - told["before"]


def kill_at(words: list[object], out: Path, enough: int) -> int:
    """Starts the command, kills it once the table has `enough` rows; how many lines it has."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pixelis", *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(SOURCE)},
        stdout=subprocess.DEVNULL,
    )
    until = time.monotonic() + 240
    while lines(out) < enough:
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    return lines(out)


def lines(out: Path) -> int:
    return max(out.read_bytes().count(b"\r\n") - 1, 0) if out.exists() else 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["in", " ", "--out", "r.csv"], "the question is empty"),
        (["in", "What?", "--out", "r.txt"], "must end in .csv"),
        (["in", "What?", "--out", "none/r.csv"], "lie in a folder that exists"),
        (["none", "What?", "--out", "r.csv"], "matches no file"),
        (["in", "What?", "--out", "r.csv", "--model", "nanno"], "did you mean 'nano'"),
        (["in", "What?", "--out", "r.csv", "--dialect", "thime"], "did you mean 'thyme'"),
    ],
)
def test_bad_input_is_one_line(inside, tmp_path, monkeypatch, words, reason):
    fill(tmp_path / "in", 1)
    monkeypatch.chdir(tmp_path)
    done = inside("watch", *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert reason in done.stderr


def test_few_files_are_open_at_once():
    open_now, most = [], []

    def look(name, path):
        open_now.append(name)
        time.sleep(0.002)
        most.append(len(open_now))
        open_now.remove(name)
        return name

    todo = [(str(number), Path()) for number in range(40)]
    assert sorted(abreast(look, todo)) == sorted(name for name, _ in todo)
    assert 1 < max(most) <= ABREAST


def test_a_fault_ends_the_run():
    def look(name, path):
        raise RuntimeError(name)

    with pytest.raises(RuntimeError):
        list(abreast(look, [(str(number), Path()) for number in range(40)]))
