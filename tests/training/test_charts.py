import json

from matplotlib.collections import PolyCollection

from pixelis.training.charts import draw, figure


def rows(count=30):
    return [
        {
            "stage": "rft", "step": step, "reward": step / count, "answer": 0.5, "rapr": 0.3,
            "entropy": 1.0, "ops": {"zoom_in": 1.0 + step / count, "read_text": 0.5},
            **({"held_out": 0.25} if step % 10 == 9 else {}),
        }
        for step in range(count)
    ]  # fmt: skip


def test_every_panel_shows_what_was_measured():
    drawn = figure(rows())
    axes = drawn.axes
    assert len(axes) == 5
    names = [line.get_label() for line in axes[0].lines]
    assert names == ["reward", "answer"]
    steps, values = axes[0].lines[0].get_data()
    assert list(steps) == list(range(30))
    assert abs(values[29] - 29 / 30) < 1e-9
    held = next(line for line in axes[1].lines if line.get_label() == "held_out")
    assert list(held.get_xdata()) == [9, 19, 29]
    assert axes[2].lines == [] or not axes[2].lines
    areas = [one for one in axes[4].collections if isinstance(one, PolyCollection)]
    assert [one.get_label() for one in areas] == ["read_text", "zoom_in"]
    top = max(y for area in areas for path in area.get_paths() for _, y in path.vertices)
    assert abs(top - (0.5 + 1.0 + 29 / 30)) < 1e-6  # stacked


def test_a_run_of_one_step_can_be_drawn(tmp_path):
    metrics = tmp_path / "metrics.jsonl"
    metrics.write_text("\n".join(map(json.dumps, rows(1))) + "\n")
    draw(metrics, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 5000
