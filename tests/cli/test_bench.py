from __future__ import annotations

import json

from pixelis.cli.bench import find_scripts
from pixelis.cli.main import main


def test_scripts_are_found_by_name(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "fast.py").write_text('"""How fast."""\nif __name__ == "__main__":\n    pass\n')
    (tmp_path / "deep" / "far.py").write_text('if __name__ == "__main__":\n    pass\n')
    (tmp_path / "parts.py").write_text("X = 1\n")
    assert list(find_scripts(tmp_path)) == ["deep/far", "fast"]


def test_the_list_says_what_each_measures(capsys):
    assert main(["bench", "--json"]) == 0
    listed = {entry["name"]: entry["summary"] for entry in json.loads(capsys.readouterr().out)}
    assert {"ask", "help"} <= set(listed)
    assert all(listed.values())


def test_an_unknown_script_names_those_there_are(pixelis):
    done = pixelis("bench", "slowness")
    assert done.returncode == 2
    assert "benchmarks are" in done.stderr


def test_a_script_runs_and_its_failure_is_ours(pixelis, tmp_path):
    done = pixelis("bench", "help", "--rounds", "1")
    assert done.returncode == 0
    assert "median" in done.stdout
    failed = pixelis("bench", "help", "--rounds", "none")
    assert failed.returncode == 1
    assert len(failed.stderr.splitlines()) == 1
    assert "invalid int value: 'none'" in failed.stderr


def test_what_a_script_prints_as_json_stands_alone(pixelis):
    done = pixelis("bench", "recovery", "--count", "2", "--json")
    assert json.loads(done.stdout)["undisturbed"]["n"] == 2
