from __future__ import annotations

import pytest

from pixelis.errors import DataError
from pixelis.evals.wheeler.figures import Figure, read, save, share


def test_a_share_stands_beside_its_arms(tmp_path):
    figure = share("x", [1, 1, 1, 0], 0.7, {"off": [1, 0, 0, 0]}, "how", extra=3)
    assert (figure.value, figure.ok, figure.n) == (0.75, True, 4)
    cannot = {"n-gram k-NN": None, "BM25": None, "classical Hopfield": None}
    assert figure.baselines == {"off": 0.25, **cannot}
    frames = share("x", [1], 0.7, {"k-NN on frames": [1]}, "how").baselines
    assert frames == {"k-NN on frames": 1, "BM25": None, "classical Hopfield": None}
    assert figure.gains["off"]["difference"] == 0.5
    low, high = figure.interval
    assert low < 0.75 < high
    save(tmp_path, "part", [figure, Figure("y", 3.0, 5.0, True)], {"model": "m"})
    found = read(tmp_path)
    assert found["x"]["more"] == {"extra": 3}
    assert found["y"]["about"] == {"model": "m"}
    assert not share("x", [0, 0], 0.5, {}, "").ok


def test_broken_results_are_named(tmp_path):
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(DataError, match=r"a\.json"):
        read(tmp_path)
