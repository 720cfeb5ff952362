from pixelis.cli.output import Printer
from pixelis.cli.progress import LINES, Progress


def told(capsys, total: int, quiet: bool = False) -> list[str]:
    with Progress(Printer(), quiet, "asking", "asked") as progress:
        for count in range(1, total + 1):
            progress.tell(count, total, "fine")
    return capsys.readouterr().out.splitlines()


def test_some_lines_of_many(capsys):
    lines = told(capsys, 1000)
    assert len(lines) == LINES
    assert lines[-1] == "1000/1000 asked, fine"


def test_few_are_all_told_and_quiet_tells_nothing(capsys):
    assert told(capsys, 2) == ["1/2 asked, fine", "2/2 asked, fine"]
    assert told(capsys, 2, quiet=True) == []
