"""Questions about documents, against what was written into them."""

from collections import Counter

import numpy as np
import pytest

from pixelis.data.families import document, relation
from pixelis.data.worlds import domains, layouts


def scenes(kind):
    return [
        layouts.draw_scene(np.random.default_rng([6, k]), domains.TRAIN[k % 8], kind)
        for k in range(8)
    ]


def test_every_cell_is_asked_for_by_its_row_and_column():
    for scene in scenes("table"):
        cells = {
            (i.row, i.column): i.text for i in scene.items if i.role in ("value", "label", "header")
        }
        asked = [q for q in document.queries(scene) if q.kind == "doc_cell"]
        assert len(asked) == sum(1 for row, column in cells if row >= 0 and column > 0)
        for query in asked:
            label, head = query.plan.words
            row = next(r for (r, c), text in cells.items() if c == 0 and text == label)
            column = next(c for (r, c), text in cells.items() if r == -1 and text == head)
            assert query.answer == cells[row, column]


@pytest.mark.parametrize("kind", ["receipt", "form"])
def test_values_are_asked_for_by_their_label(kind):
    kinds = Counter()
    for scene in scenes(kind):
        for query in document.queries(scene):
            kinds[query.kind] += 1
            if query.kind == "doc_value":
                (label,) = query.plan.words
                row = next(i.row for i in scene.items if i.text.rstrip(":") == label)
                value = next(i for i in scene.items if i.role == "value" and i.row == row)
                assert query.answer == value.text
            else:
                lines = sorted(
                    (i for i in scene.items if i.kind == "text"), key=lambda i: i.box.center.y
                )
                assert query.answer == lines[{"first": 0, "last": -1}[query.plan.field]].text
    assert kinds["doc_value"] > kinds["doc_title"]


def test_the_colour_of_a_labelled_bar():
    for scene in scenes("bars"):
        for query in relation.queries(scene):
            if query.kind == "bar_of":
                bar = next(
                    i for i in scene.items if i.kind == "bar" and i.text == query.plan.words[0]
                )
                assert query.answer == bar.color
                x, y = query.plan.points[0]
                assert bar.box.x1 < x < bar.box.x2
                assert bar.box.y1 < y < bar.box.y2
