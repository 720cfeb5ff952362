"""The gate with policies that answer as wanted, wrongly, and nearly."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pixelis.models.policy import Turn
from pixelis.training.gate import BARS, TOLERANCE, draw_probes, measure

SEED, COUNT = 4, 6
OTHER = {"box": "[0, 0, 1, 1]", "at": "mauve dodecagon", "glyph": "?"}


class Scripted:
    """Knows every probe by its pixels and question, and says what `reply` makes of it."""

    def __init__(self, reply):
        self.reply = reply
        self.wanted = {
            (probe.seen.pixels.tobytes(), probe.question): probe
            for probe in draw_probes(SEED, COUNT)
        }
        self.batches = []

    def generate(self, requests, sampling):
        assert sampling.temperature == 0
        self.batches.append(len(requests))
        return [Turn(self.reply(self.asked(request))) for request in requests]

    def asked(self, request):
        (image,) = request.images
        (text,) = (part["text"] for part in request.messages[1]["content"] if "text" in part)
        return self.wanted[np.asarray(image).tobytes(), text]


def moved(probe, by):
    """The box with one corner moved, other replies as wanted."""
    if probe.kind != "box":
        return probe.wanted
    x1, *rest = json.loads(probe.wanted)
    return str([x1 + by if x1 + by <= 1000 else x1 - by, *rest])


def test_as_wanted_everything_is_right_and_it_passes():
    policy = Scripted(lambda probe: probe.wanted)
    found = measure(policy, SEED, COUNT)
    assert {name: found[name] for name in BARS} == dict.fromkeys(BARS, 1.0)
    assert (found["passed"], found["median_corner_error"], found["n"]) == (True, 0, COUNT)
    assert sum(policy.batches) == 3 * COUNT


def test_wrong_replies_are_worth_nothing():
    found = measure(Scripted(lambda probe: OTHER[probe.kind]), SEED, COUNT)
    assert {name: found[name] for name in BARS} == dict.fromkeys(BARS, 0.0)
    assert found["passed"] is False


@pytest.mark.parametrize("text", ["", "red", "[1, 2, 3]", "<think></think>", "[1, 2, 3, 4, 5]"])
def test_what_is_no_box_is_wrong_and_counts_as_far_off(text):
    found = measure(Scripted(lambda probe: text), SEED, COUNT)
    assert found["box"] == 0
    assert found["median_corner_error"] == 1000


@pytest.mark.parametrize(("by", "share"), [(TOLERANCE, 1.0), (TOLERANCE + 1, 0.0)])
def test_a_box_may_be_off_by_the_tolerance_and_no_more(by, share):
    found = measure(Scripted(lambda probe: moved(probe, by)), SEED, COUNT)
    assert (found["box"], found["median_corner_error"]) == (share, by)
    assert found["passed"] is (share == 1.0)


def test_colour_and_shape_count_apart():
    def shape_only(probe):
        return f"mauve {probe.wanted.partition(' ')[2]}" if probe.kind == "at" else probe.wanted

    found = measure(Scripted(shape_only), SEED, COUNT)
    assert (found["shape"], found["color"], found["passed"]) == (1.0, 0.0, False)


def test_probes_are_repeatable_and_of_every_kind():
    first, again, other = (draw_probes(seed, 3) for seed in (1, 1, 2))
    assert [probe.question for probe in first] == [probe.question for probe in again]
    assert all((a.seen.pixels == b.seen.pixels).all() for a, b in zip(first, again, strict=True))
    assert [probe.wanted for probe in first] != [probe.wanted for probe in other]
    assert [probe.kind for probe in first] == ["box"] * 3 + ["at"] * 3 + ["glyph"] * 3
