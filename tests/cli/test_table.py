from __future__ import annotations

import csv
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from pixelis.cli.table import NAMES, Row, Table, row_of, written
from pixelis.episode import Answer, Episode, Media, Step
from pixelis.errors import ConfigError, DataError, StoreError
from pixelis.geometry import Size

SETTINGS = {
    "question": "What\nis it?",
    "model": "nano",
    "options": "dialect=thyme",
    "seed": "0",
    "max_steps": "6",
}


def row(file: str, **cells: str) -> Row:
    return Row(file, **SETTINGS, **cells)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.csv"


def records(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


CELLS = ("plain", 'a "b", c', "two\nlines", "é ü 木", "", "-3", "7 =")


def test_rows_come_back_as_they_were(path):
    rows = [row(f"{number}.png", answer=cell) for number, cell in enumerate(CELLS)]
    with Table(path, SETTINGS) as table:
        for each in rows:
            table.add(each)
    assert records(path) == [asdict(each) for each in rows]
    with Table(path, SETTINGS) as table:
        assert list(table.rows.values()) == rows


@pytest.mark.parametrize("cell", ["=1+1", "@x", "+cmd", "-a", "'=x", "''@y", "\tx"])
def test_no_cell_is_a_formula_and_all_come_back(path, cell):
    with Table(path, SETTINGS) as table:
        table.add(row("a", answer=cell))
    assert records(path)[0]["answer"] == f"'{cell}"
    with Table(path, SETTINGS) as table:
        assert table.rows["a"].answer == cell


def test_a_file_cut_anywhere_goes_on_with_its_whole_rows(path):
    with Table(path, SETTINGS) as table:
        for name in ("a", "b"):
            table.add(row(name, answer='one\ntwo "three", four\r\nfive'))
    data = path.read_bytes()
    ends = [i + 2 for i in range(len(data)) if data[i : i + 2] == b"\r\n"]
    assert len(ends) == 3
    for cut in range(len(data) + 1):
        path.write_bytes(data[:cut])
        whole = sum(end <= cut for end in ends)
        with Table(path, SETTINGS) as table:
            assert list(table.rows) == ["a", "b"][: max(whole - 1, 0)]
            for name in {"a", "b"} - set(table.rows):
                table.add(row(name))
        assert sorted(record["file"] for record in records(path)) == ["a", "b"]


def test_one_file_one_row(path):
    with Table(path, SETTINGS) as table:
        table.add(row("a"))
        with pytest.raises(StoreError, match="has a row already"):
            table.add(row("a"))


def test_errors_are_dropped_on_request(path):
    with Table(path, SETTINGS) as table:
        table.add(row("a", error="broken"))
        table.add(row("b", answer="="))
    with Table(path, SETTINGS) as table:
        assert set(table.rows) == {"a", "b"}
    with Table(path, SETTINGS, retry=True) as table:
        assert set(table.rows) == {"b"}
        table.add(row("a", answer="fine"))
    assert [record["file"] for record in records(path)] == ["b", "a"]


@pytest.mark.parametrize("name", list(SETTINGS))
def test_other_settings_are_refused(path, name):
    with Table(path, SETTINGS) as table:
        table.add(row("a"))
    with pytest.raises(ConfigError, match=f"was made with {name}"):
        Table(path, SETTINGS | {name: "9"})


@pytest.mark.parametrize(
    "data", [b"a,b\r\n1,2\r\n", b"hello", b"\xff\xfe\r\n", ",".join(NAMES).encode() + b"\r\n1\r\n"]
)
def test_a_file_that_is_no_table_is_left_alone(path, data):
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"results\.csv"):
        Table(path, SETTINGS)
    assert path.read_bytes() == data


def test_two_runs_cannot_share_a_table(path):
    with Table(path, SETTINGS):
        code = (
            "import sys, pathlib; from pixelis.cli.table import Table\n"
            "Table(pathlib.Path(sys.argv[1]), {'question': '', 'model': '', 'options': '', "
            "'seed': '', 'max_steps': ''})"
        )
        done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True)
        assert "is being written by another run" in done.stderr
    Table(path, SETTINGS).close()


def test_names_that_are_no_utf8():
    assert written("a\udcffb\rc") == "a\\udcffb\nc"


def test_the_row_of_an_episode():
    answer = Answer("HELLO\nWORLD, red", "{text_1}", ("text_1", "mask_1"), 0.9)
    media = Media("picture", "a.png", Size(3, 2), "ab")
    steps = (Step("look"), Step(answer=answer))
    episode = Episode(
        "?", media, steps=steps, answer=answer, ended="answered", seconds=1.5, meta={}
    )
    assert row_of("a.png", SETTINGS, episode, "a.html") == Row(
        "a.png",
        "HELLO\nWORLD, red",
        "0.9000",
        "yes",
        "text_1 mask_1",
        "answered",
        "2",
        "1.500",
        "a.html",
        **SETTINGS,
    )
    failed = replace(episode, answer=None, ended="steps")
    assert row_of("a.png", SETTINGS, failed).error == "no answer: it used up its steps"
    failed = replace(failed, meta={"error": "the server is gone"})
    assert row_of("a.png", SETTINGS, failed).error == "the server is gone"


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="a folder that nobody can write to")
def test_a_folder_that_takes_no_file():
    with pytest.raises(StoreError, match=r"/proc/results\.csv: cannot keep answers"):
        Table(Path("/proc/results.csv"), SETTINGS)
