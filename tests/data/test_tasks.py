import hashlib
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from pixelis.answers.score import correct
from pixelis.data import tasks
from pixelis.data.families import attribute, counting
from pixelis.data.worlds import domains, layouts
from pixelis.errors import ConfigError, DataError
from pixelis.geometry import Point

SAMPLE = 70  # ten of each family


@pytest.fixture(scope="module")
def drawn():
    return [tasks.draw(4, index, "test") for index in range(SAMPLE)]


def digest(task):
    parts = (task.question, task.answer, task.scene.pixels.tobytes())
    return hashlib.sha256(repr(parts[:2]).encode() + parts[2]).hexdigest()


def test_same_seed_same_bytes_in_another_process(drawn):
    code = (
        "import hashlib; from pixelis.data import tasks\n"
        "t = tasks.draw(4, 7, 'test')\n"
        "print(hashlib.sha256(repr((t.question, t.answer)).encode() + "
        "t.scene.pixels.tobytes()).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == digest(drawn[7])


def test_a_clip_is_the_same_file_in_another_process():
    code = (
        "import hashlib; from pixelis.data import tasks\n"
        "for k in range(3):\n"
        "    t = tasks.draw(6, k, 'test', ('temporal_tracking',))\n"
        "    print(hashlib.sha256(t.question.encode() + t.source).hexdigest())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for k, there in enumerate(done.stdout.split()):
        task = tasks.draw(6, k, "test", ("temporal_tracking",))
        assert hashlib.sha256(task.question.encode() + task.source).hexdigest() == there


@pytest.mark.parametrize("level", tasks.DIFFICULTIES)
def test_difficulty_is_a_dial(level):
    for k, family in enumerate(tasks.FAMILIES):
        task = tasks.draw(5, k, "test", (family,), difficulty=level)
        assert task.difficulty == level
        again = tasks.draw(5, k, "test", (family,), difficulty=level)
        assert (again.question, again.answer) == (task.question, task.answer)


def test_domains_can_be_chosen_and_must_be_known():
    assert {tasks.draw(1, k, domains=("lab", "table")).domain for k in range(8)} <= {"lab", "table"}
    for wrong in ({"domains": ("moon",)}, {"difficulty": "absurd"}, {"families": ("dance",)}):
        with pytest.raises(ConfigError, match="allowed are"):
            tasks.draw(1, 0, **wrong)


def test_a_task_whose_gold_does_not_win_is_refused(drawn):
    task = next(task for task in drawn if task.answer_type == "number")
    with pytest.raises(DataError, match="does not score 1"):
        tasks.validate(replace(task, answer="many"))


def test_splits_and_seeds_differ(drawn):
    others = [tasks.draw(4, 7, "train"), tasks.draw(4, 7, "shift"), tasks.draw(5, 7, "test")]
    assert len({digest(task) for task in [drawn[7], *others]}) == 4


def test_the_gold_answer_wins_and_an_empty_or_wrong_one_loses(drawn):
    for task in drawn:
        tasks.validate(task)
        assert correct(task.answer, task.answer, task.answer_type)
        assert not correct("", task.answer, task.answer_type)
        for wrong in tasks.wrong_answers(task):
            assert not correct(wrong, task.answer, task.answer_type)


def test_families_take_turns_and_answers_are_spread(drawn):
    assert Counter(task.family for task in drawn) == Counter(dict.fromkeys(tasks.FAMILIES, 10))
    counts = Counter(task.answer for task in drawn if task.answer_type == "number")
    assert len(counts) >= 3
    assert counts.most_common(1)[0][1] <= 6


def test_points_lie_on_what_is_asked_about(drawn):
    flat = ("measure", "count", "compare", "side", "same")
    for task in drawn:
        for point in task.plan.points if task.plan.kind in flat else ():
            inside = [item for item in task.scene.items if item.box.contains(Point(*point))]
            assert inside
            only = not any(item.kind in ("chip", "object", "bar") for item in inside)
            named = any(word in task.plan.target for word in ("sign", "shelf"))
            assert not only or named, (task.id, task.plan)


def test_the_only_card_is_asked_for_where_it_is_bare():
    scenes = [
        layouts.draw_scene(np.random.default_rng([8, k]), domains.TRAIN[k % 8], "sign")
        for k in range(12)
    ]
    asked = [(s, q) for s in scenes for q in attribute.queries(s) if q.kind == "color_card"]
    assert len(asked) > 6
    for scene, query in asked:
        (card,) = (item for item in scene.items if item.kind == "card")
        (point,) = query.plan.points
        assert card.box.contains(Point(*point))
        assert not any(c.box.contains(Point(*point)) for c in scene.children(0))
        assert query.answer == card.color


def test_colour_and_shape_are_counted_together():
    for k in range(20):
        scene = layouts.draw_scene(np.random.default_rng([9, k]), domains.TRAIN[0], "objects")
        both = [q for q in counting.queries(scene) if len(q.plan.target.split()) == 2]
        assert both
        for query in both:
            color, shape = query.plan.target.split()
            want = sum(i.color == color and i.shape == shape for i in scene.items)
            assert int(query.answer) == want


def test_counts_equal_the_points(drawn):
    for task in drawn:
        if task.plan.kind == "count":
            assert int(task.answer) == len(task.plan.points)


def test_the_ink_of_a_measured_thing_has_its_colour(drawn):
    anchors = {"red": (0, 200), "green": (1, 120), "blue": (2, 150)}
    checked = 0
    for task in drawn:
        if task.plan.kind != "measure" or task.plan.field != "color":
            continue
        if task.answer in anchors:
            x, y = (round(value) for value in task.plan.points[0])
            pixel = task.scene.pixels[y, x].astype(int)
            assert int(np.argmax(pixel)) == anchors[task.answer][0], (task.id, pixel)
            checked += 1
    assert checked


def test_unknown_split_and_family_are_named():
    with pytest.raises(ConfigError, match="split 'dev'"):
        tasks.draw(1, 1, "dev")
    with pytest.raises(ConfigError, match="family 'poems'"):
        tasks.draw(1, 1, families=("poems",))
