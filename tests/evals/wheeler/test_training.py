from __future__ import annotations

import json

import pytest

from pixelis.errors import DataError
from pixelis.evals.wheeler.curve import curve_figures
from pixelis.evals.wheeler.training import training_figures
from pixelis.wheeler.checkpoint import save


def test_seconds_add_up_over_a_resume(tmp_path):
    rows = [{"stage": "wheeler", "step": k, "seconds": s} for k, s in enumerate((5, 60, 3, 50))]
    rows.append({"stage": "validation", "seconds": 51, "tokens": 0.9, "exact": 0.5, "pairs": 0.8})
    config = {"preset": "tiny", "batch_size": 8, "pairs": 4}
    (tmp_path / "config.json").write_text(json.dumps({"config": config}))
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (figure,) = training_figures(tmp_path)
    assert figure.value == 60 + 51
    assert figure.ok
    assert figure.n == 4
    assert figure.more == {"tokens": 0.9, "exact": 0.5, "pairs": 0.8}
    assert figure.baselines["BM25"] is None
    rows.append({"stage": "end", "step": 3, "seconds": 70, "cpu_seconds": 99.5})
    (tmp_path / "metrics.jsonl").write_text("\n".join(map(json.dumps, rows)))
    (figure,) = training_figures(tmp_path)
    assert figure.value == 60 + 70
    assert figure.more["CPU seconds of all cores"] == 99.5
    with pytest.raises(DataError, match="no training run"):
        training_figures(tmp_path / "none")


def test_the_curve_orders_runs_by_rate(model, tmp_path, monkeypatch):
    monkeypatch.setattr("pixelis.evals.wheeler.curve.TEXTS", 4)
    save(model, tmp_path / "a" / "model", {"steps": 7}, half=False)
    (figure,) = curve_figures(tmp_path)
    assert figure.more["by bits a token"]["16"]["steps"] == 7
    assert 0 < figure.value <= 1
    with pytest.raises(DataError, match="holds no runs"):
        curve_figures(tmp_path / "a" / "model")
