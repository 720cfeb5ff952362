import numpy as np
import pytest

from pixelis.data.worlds import documents, domains, layouts


def scenes(kind, count=6):
    return [
        layouts.draw_scene(np.random.default_rng([4, k]), domains.TRAIN[k % 8], kind)
        for k in range(count)
    ]


@pytest.mark.parametrize("kind", sorted(documents.KINDS))
def test_everything_written_is_ink_where_it_is_said_to_be(kind):
    for scene in scenes(kind):
        for item in (i for i in scene.items if i.kind == "text"):
            x1, y1, x2, y2 = item.box.rounded()
            part = scene.pixels[y1:y2, x1:x2].astype(int)
            assert part.max() - part.min() > 80, item
            assert scene.items[item.parent].box.contains(item.box.center)


def test_a_receipt_adds_up():
    for scene in scenes("receipt"):
        values = {}
        for item in scene.items:
            if item.role in ("label", "value"):
                values.setdefault(item.row, {})[item.role] = item.text
        rows = {row["label"]: float(row["value"]) for row in values.values()}
        goods = [v for k, v in rows.items() if k not in ("Total", "Cash", "Change")]
        assert rows["Total"] == pytest.approx(sum(goods))


def test_a_bar_stands_above_its_label():
    for scene in scenes("bars"):
        labels = [item for item in scene.items if item.role == "label"]
        for label in labels:
            bar = scene.items[label.link]
            assert bar.box.x1 < label.box.center.x < bar.box.x2
            assert bar.box.y2 <= label.box.y1
            x, y = (int(v) for v in bar.box.center)
            assert np.ptp(scene.pixels[y - 2 : y + 2, x - 2 : x + 2].astype(int), (0, 1)).max() < 60


def test_cells_of_a_table_stand_in_their_row_and_column():
    for scene in scenes("table"):
        head = {i.column: i for i in scene.items if i.role == "header"}
        for cell in (i for i in scene.items if i.role in ("value", "label")):
            assert abs(cell.box.x1 - head[cell.column].box.x1) < 12
            row = [i for i in scene.items if i.row == cell.row and i.role == "label"]
            assert abs(row[0].box.center.y - cell.box.center.y) < 14
