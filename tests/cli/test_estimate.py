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
    assert "4.4 million parameters" in done.stdout
    assert "8.8 MB in bfloat16" in done.stdout
    assert "64 tokens, one for 32 x 32 px" in done.stdout
    assert "do not fit" not in done.stdout


def test_limits_are_those_of_asking(inside, monkeypatch):
    def tokens(*words):
        told = inside("estimate", "qwen2.5-vl-7b", "--json", *words)
        return json.loads(told.stdout)["image_tokens"]

    for name in ("MIN_PIXELS", "MAX_PIXELS"):
        monkeypatch.delenv(name, raising=False)
    assert tokens() == [512, 5120]
    assert tokens("--max-pixels", str(100 * 28**2)) == [100, 100]
    assert tokens("--min-pixels", str(600 * 28**2)) == [600, 5120]
    monkeypatch.setenv("MAX_PIXELS", str(1000 * 28**2))
    assert tokens() == [512, 1000]
    assert tokens("--max-pixels", str(700 * 28**2)) == [512, 700]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["qwen3-vl-8"], "did you mean 'qwen3-vl-8b'"),
        (["nothing"], "shapes are qwen2.5-vl-7b, qwen3-vl-8b"),
        (["qwen3-vl-8b", "--max-pixels", "9"], "max_pixels = 9 is not allowed"),
        (["qwen3-vl-8b", "--min-pixels", "9999", "--max-pixels", "8888"], "may not be more than"),
        (["nano", "--max-pixels", "9999"], "does not suit nano"),
        (["hf:some-one/not-here"], "is no folder with a config.json"),
        (["qwen3-vl-8b", "--dtype", "int3"], "invalid choice"),
    ],
)
def test_bad_input_is_one_line(inside, words, reason):
    done = inside("estimate", *words)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert reason in done.stderr
