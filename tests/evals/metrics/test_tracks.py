"""CLEAR MOT against motmetrics on random tracks with jitter, gaps, renames and false boxes."""

import json
from pathlib import Path

import pytest

from pixelis.evals.metrics.tracks import Clear, clear
from pixelis.geometry import Box

# Made with motmetrics 1.4.0 (no dependency of the tests).
CASES = json.loads(Path(__file__).with_name("tracks.json").read_text())["cases"]


def tracks(table):
    return {
        name: {int(frame): Box(*box) for frame, box in boxes.items()}
        for name, boxes in table.items()
    }


@pytest.mark.parametrize("number", range(len(CASES)))
def test_random_tracks_agree_with_motmetrics(number):
    case = CASES[number]
    counts = clear(tracks(case["found"]), tracks(case["truth"]))
    for name in ("misses", "false", "switches", "truths"):
        assert getattr(counts, name) == case[name]
    assert counts.mota == pytest.approx(case["mota"])
    assert counts.motp == pytest.approx(case["motp"])


def test_edges():
    assert clear({}, {}) == Clear()
    assert Clear().mota is None
    assert Clear().motp is None
    track = {"a": {0: Box(0, 0, 10, 10), 1: Box(1, 0, 11, 10)}}
    assert clear(track, track).mota == clear(track, track).motp == 1
    assert clear({}, track).mota == 0
    assert clear(track, {}).false == 2
    half = {"b": {0: Box(0, 0, 10, 4.9)}}
    assert clear(half, track).matches == 0
    both = clear(track, track) + clear({}, track)
    assert both.mota == 0.5


def test_who_was_paired_stays_so_while_it_can():
    truth = {"t": {0: Box(0, 0, 10, 10), 1: Box(0, 0, 10, 10)}}
    found = {
        "first": {0: Box(0, 0, 10, 10), 1: Box(0, 0, 10, 7)},
        "nearer": {1: Box(0, 0, 10, 10)},
    }
    counts = clear(found, truth)
    assert (counts.switches, counts.false) == (0, 1)
    assert counts.motp == pytest.approx(0.85)
