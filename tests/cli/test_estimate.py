from __future__ import annotations

import json
import resource

import pytest


def test_a_model_of_seven_billion_in_five_seconds(pixelis):
    """Processor time: what else runs on the machine must not count."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = spent()
    done = pixelis("estimate", "qwen2.5-vl-7b", "--json")
    assert done.returncode == 0, done.stderr
    assert spent() - before <= 5.0
    told = json.loads(done.stdout)
    assert 8.2e9 < told["parameters"] < 8.4e9
    assert told["peak"] > told["weights"] == 2 * told["parameters"]


def test_it_is_told_in_words(inside):
    done = inside("estimate", "qwen3-vl-8b", "--images", "90", "--quantize", "int8")
    assert "8.77 billion parameters" in done.stdout
    assert "392 to 3920 tokens, one for 32 x 32 px" in done.stdout
    assert "do not fit; fewer --images" in done.stdout


def test_a_small_model_is_told_in_small_units(inside):
    done = inside("estimate", "nano")
    assert "3.6 million parameters" in done.stdout
    assert "7.2 MB in bfloat16" in done.stdout
    assert "64 tokens, one for 32 x 32 px" in done.stdout
    assert "do not fit" not in done.stdout


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["qwen3-vl-8"], "did you mean 'qwen3-vl-8b'"),
        (["nothing"], "shapes are qwen2.5-vl-7b, qwen3-vl-8b"),
        (["qwen3-vl-8b", "--max-pixels", "9"], "belong together"),
        (["qwen3-vl-8b", "--min-pixels", "9", "--max-pixels", "8"], "is more than"),
        (["qwen3-vl-8b", "--dtype", "int3"], "invalid choice"),
    ],
)
def test_bad_input_is_one_line(inside, words, reason):
    done = inside("estimate", *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert reason in done.stderr
