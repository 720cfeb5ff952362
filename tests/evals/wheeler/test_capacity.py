from __future__ import annotations

from pixelis.evals.wheeler.capacity import capacity_figures
from pixelis.evals.wheeler.contract import c10
from pixelis.evals.wheeler.measure import about
from pixelis.evals.wheeler.speed import bandwidth, row_of


def test_capacity_is_told_at_every_size(model):
    found = {f.name: f for f in capacity_figures(model, (40, 80), 20)}
    recall = found["capacity, recall@1"]
    assert set(recall.more["by size"]) == {"40", "80"}
    assert recall.value > 0.9
    assert found["capacity, same end as full settling"].value >= 0.95
    assert found["capacity, same end as full settling"].baselines["dynamics off"] == 0
    assert found["capacity, bytes a key"].value == 128
    assert found["capacity, ms a question"].value > 0
    assert recall.baselines["k-NN on frames"] > 0.9
    assert recall.baselines["BM25"] is None  # it cannot be asked with a picture
    assert c10({name: vars(figure) for name, figure in found.items()}).ok


def test_speed_has_every_path():
    row = row_of(300, 16, bandwidth(1))
    assert all(value > 0 for value in row.values())
    assert len(row) == 8


def test_results_say_where_they_come_from(model):
    found = about(model, 1.25, "a busy machine")
    assert found["seconds"] == 1.2
    assert found["note"] == "a busy machine"
    assert len(found["model"]) == 16
