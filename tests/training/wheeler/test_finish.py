from __future__ import annotations

from pixelis.training.record import Metrics
from pixelis.training.wheeler import finish as ends
from pixelis.training.wheeler.curves import draw_curves, figure
from pixelis.training.wheeler.run import prepare, train
from pixelis.wheeler.checkpoint import load


def test_the_end_of_a_run_is_a_model_with_vigilance(config, monkeypatch):
    monkeypatch.setattr(ends, "MEMORIES", 40)
    monkeypatch.setattr(ends, "QUESTIONS", 20)
    settings = config(samples=160)
    settings.output_dir.mkdir(parents=True)
    train(prepare(settings), Metrics(settings.output_dir, lambda values: None))
    model = load(ends.finish(settings.output_dir))
    assert 0 < model.vigilance < 1
    assert model.about["corpus"] == "generator"
    assert model.about["steps"] == 20
    picture = settings.output_dir / "curves.png"
    draw_curves(settings.output_dir / "metrics.jsonl", picture)
    assert picture.stat().st_size > 5000
    assert len(figure([]).axes) == 3
