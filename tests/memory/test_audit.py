"""The chain of the audit log, across files, crashes and tampering."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress
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


def test_lines_of_an_undone_transaction_are_told_and_do_not_break_the_chain(log):
    log.append("candidate", "learner", version=1)
    with suppress(ZeroDivisionError), log.base.writing():
        for version in (1, 2):
            log.append("promote", "learner", version=version)
        version / 0  # undoes it
    assert not log.verify().damage
    log.append("rollback", "learner", version=1)
    told = [(entry.event, entry.facts) for entry in log.entries()]
    assert told[3] == ("undone", {"first": 2, "last": 3})
    assert [event for event, _ in told] == ["candidate", "promote", "promote", "undone", "rollback"]
    log.append("promote", "learner", version=3)
    assert log.tail(1)[0].event == "promote"
    assert log.tail(2)[0].event == "rollback", "said once"
    assert not log.verify().damage


APPENDING = """
import sys
from pathlib import Path
from pixelis.memory import Memory
from pixelis.memory.audit import Audit

with Memory(sys.argv[1]) as memory:
    log = Audit(Path(sys.argv[1]), memory.base, memory.clock)
    print("ready", flush=True)
    for number in range(30):
        if sys.argv[2] == "within":
            with memory.writing():  # as when a version is promoted
                log.append("promote", "learner", version=number)
        else:
            log.append("swap", "service", version=number)
"""


def test_processes_that_append_within_transactions_and_without_never_wait_for_each_other(tmp_path):
    with Memory(tmp_path):
        pass
    asked = [sys.executable, "-c", APPENDING, str(tmp_path)]
    running = [subprocess.Popen([*asked, how], stdout=subprocess.PIPE) for how in ("within", "out")]
    for one in running:
        one.communicate(timeout=25)  # a database that is waited for in vain gives up after 30
    assert [one.returncode for one in running] == [0, 0]
    with Memory(tmp_path) as memory:
        log = Audit(tmp_path, memory.base, memory.clock)
        assert log.verify().entries == 60
        assert not log.verify().damage


def test_files_that_were_archived_do_not_make_the_next_one_grow_for_ever(log):
    for version in range(12):
        log.append("promote", "learner", version=version)
    log.files()[0].unlink()
    for version in range(12):
        log.append("promote", "learner", version=version)
    assert all(path.stat().st_size < 2 * log.most_bytes for path in log.files())


def test_what_a_crash_undid_is_told_when_the_store_is_opened_next(tmp_path):
    with Memory(tmp_path) as memory:
        log = Audit(tmp_path, memory.base, memory.clock)
        log.append("candidate", "learner", version=1)
        with suppress(ZeroDivisionError), memory.writing():
            log.append("promote", "learner", version=1)
            raise ZeroDivisionError  # as if the process were gone: nothing is appended any more
        assert [entry.event for entry in log.entries()] == ["candidate", "promote"]
    for _ in range(2):
        with Memory(tmp_path) as memory:
            log = Audit(tmp_path, memory.base, memory.clock)
            told = [(entry.event, entry.facts) for entry in log.entries()]
            assert told[2:] == [("undone", {"first": 2, "last": 2})], "once"
            assert not log.verify().damage


NUMBERLESS = (
    b'{"seq": null, "at": 1.0, "event": "promote", "who": "x", "facts": {}, "previous": "", '
    b'"hash": ""}\n'
)


@pytest.mark.parametrize("damage", [b"no line\n", b'{"seq": 7}\n', NUMBERLESS])
def test_a_damaged_log_stops_no_store_from_being_opened(tmp_path, damage):
    with Memory(tmp_path) as memory:
        log = Audit(tmp_path, memory.base, memory.clock)
        log.append("promote", "learner", version=1)
    with log.files()[-1].open("ab") as file:
        file.write(damage)
    with Memory(tmp_path) as memory:
        assert Audit(tmp_path, memory.base, memory.clock).verify().damage
