import argparse

import pytest

from pixelis.cli.config import add_flags, resolve
from pixelis.errors import ConfigError
from pixelis.training.settings import SftConfig


def parsed(*words):
    parser = argparse.ArgumentParser()
    add_flags(parser, SftConfig)
    return resolve(parser.parse_args(words), SftConfig)


def test_flags_win_over_the_file_and_the_file_over_defaults(tmp_path):
    file = tmp_path / "sft.toml"
    file.write_text("steps = 7\nlr = 1e-4\n")
    config = parsed("--config", str(file), "--lr", "2e-4", "--direct")
    assert (config.steps, config.lr, config.direct, config.batch) == (7, 2e-4, True, 24)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("stpes = 7", ["unknown setting 'stpes'", "did you mean 'steps'"]),
        ("steps = -1", ["setting steps = -1"]),
        ("steps = [", ["sft.toml"]),
    ],
)
def test_what_is_wrong_is_named(tmp_path, text, words):
    file = tmp_path / "sft.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        parsed("--config", str(file))
    assert all(word in str(caught.value) for word in words)


def test_a_missing_file_and_a_bad_value_are_one_line(tmp_path):
    for words in (["--config", str(tmp_path / "no.toml")], ["--lr", "fast"]):
        with pytest.raises(ConfigError) as caught:
            parsed(*words)
        assert "\n" not in str(caught.value)
