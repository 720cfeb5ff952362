"""`pixelis audit`: who did what, and whether somebody changed the log."""

from __future__ import annotations


def test_the_audit_log_tells_who_and_finds_changes(reviewed, tmp_path, told):
    told("review", "reject", "1", "--reviewer", "ann", "--store", reviewed)
    _, lines = told("audit", "show", "--store", reviewed, "--json")
    assert lines[-1]["who"] == "ann"
    assert lines[-1]["facts"]["verdict"] == "reject"
    assert told("audit", "verify", "--store", reviewed, "--json")[0] == 0
    file = next((tmp_path / "store" / "audit").glob("*.jsonl"))
    file.write_text(file.read_text().replace('"ann"', '"bob"'))
    assert told("audit", "verify", "--store", reviewed, "--json")[0] == 1
