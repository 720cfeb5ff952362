"""The chain of the audit log, across files, crashes and tampering."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from pixelis.memory import Memory
from pixelis.memory.audit import Audit


@pytest.fixture
def log(tmp_path):
    with Memory(tmp_path) as memory:
        yield Audit(tmp_path, memory.base, lambda: 5.0, most_bytes=700)


def test_the_chain_goes_on_across_files(log):
    for number in range(12):
        log.append("promote", "learner", version=number)
    assert len(log.files()) > 2
    entries = list(log.entries())
    assert [entry.seq for entry in entries] == list(range(1, 13))
    assert all(a.hash == b.previous for a, b in pairwise(entries))
    assert not log.verify().damage
    assert [entry.facts["version"] for entry in log.tail(5)] == [7, 8, 9, 10, 11]


def change(log, number, edit):
    entries = [json.loads(line) for path in log.files() for line in path.read_text().splitlines()]
    place = next(p for p in log.files() if f'"seq": {number},' in p.read_text())
    lines = place.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if json.loads(line)["seq"] == number)
    lines[at : at + 1] = edit(entries[number - 1])
    place.write_text("".join(line + "\n" for line in lines))


@pytest.mark.parametrize("number", [1, 6, 12])
def test_a_changed_or_missing_line_is_found(log, number):
    for version in range(12):
        log.append("promote", "learner", version=version)
    change(log, number, lambda entry: [json.dumps({**entry, "who": "somebody"})])
    assert log.verify().damage
    change(log, number, lambda entry: [])
    assert log.verify().damage


def test_cutting_the_end_off_is_found(log):
    for version in range(12):
        log.append("promote", "learner", version=version)
    log.files()[-1].unlink()
    assert log.verify().damage


def test_an_unfinished_line_is_cut_off_and_the_chain_goes_on(log):
    log.append("swap", "service", version=1)
    with log.files()[-1].open("ab") as file:
        file.write(b'{"seq": 2, "at"')
    assert not log.verify().damage, "it was never acknowledged"
    log.append("swap", "service", version=2)
    assert log.verify().entries == 2
    assert not log.verify().damage
