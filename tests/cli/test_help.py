from __future__ import annotations

from pixelis.cli.help import page
from pixelis.cli.main import COMMANDS, main


def test_the_page_has_every_command_and_action():
    text = page()
    for name in COMMANDS:
        assert f"## pixelis {name}\n" in text
    assert "## pixelis ops run\n" in text
    assert "--max-steps" in text


def test_the_page_does_not_depend_on_the_terminal(monkeypatch):
    wide = page()
    monkeypatch.setenv("COLUMNS", "40")
    assert page() == wide


def test_checking_a_page(tmp_path, capfd):
    path = tmp_path / "help.md"
    assert main(["help", "--check", str(path)]) == 2
    assert main(["help", "--out", str(path)]) == 0
    assert main(["help", "--check", str(path)]) == 0
    path.write_text(path.read_text() + "old\n")
    assert main(["help", "--check", str(path)]) == 1
    assert "out of date" in capfd.readouterr().err


def test_a_place_that_cannot_be_written(tmp_path):
    assert main(["help", "--out", str(tmp_path)]) == 2


def test_without_options_the_page_is_printed(capsys):
    assert main(["help"]) == 0
    assert capsys.readouterr().out == page()
