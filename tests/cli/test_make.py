import argparse
import json

import pytest

from pixelis.cli.main import main
from pixelis.cli.make import shares


@pytest.mark.slow
def test_make_writes_shards_and_says_what_it_did(tmp_path, capsys):
    out = tmp_path / "set"
    asked = ["data", "make", "--count", "3", "--seed", "5", "--out", str(out), "--workers", "1"]
    asked += ["--families", "object_counting", "--mix", "1,0,0", "--replay", "1"]
    assert main([*asked, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["written"] == {"golden": 3}
    assert told["replays"] == {"identical": 3}
    assert len((out / "episodes-00000.jsonl").read_text().splitlines()) == 3
    assert (out / "sheet.html").exists()
    before = (out / "episodes-00000.npz").stat().st_mtime_ns
    assert main(asked) == 0  # nothing is made twice
    assert (out / "episodes-00000.npz").stat().st_mtime_ns == before
    assert "wrote 3 episodes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (["--families", "dance"], "family 'dance'"),
        (["--mix", "1,2"], "three numbers"),
        (["--domains", "moon"], "domain 'moon'"),
        (["--replay", "2"], "not from 0 to 1"),
    ],
)
def test_wrong_use_is_one_line(tmp_path, capfd, wrong, told):
    asked = ["data", "make", "--count", "3", "--seed", "5", "--out", str(tmp_path / "x")]
    assert main([*asked, *wrong]) == 2
    error = capfd.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_shares_add_up():
    assert shares("60,20,20") == pytest.approx((0.6, 0.2, 0.2))
    with pytest.raises(argparse.ArgumentTypeError):
        shares("0,0,0")
