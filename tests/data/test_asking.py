from pathlib import Path

import numpy as np
import pytest

from pixelis.data.asking import CLIP_FRAMES, ask, plural
from pixelis.data.readers import rle
from pixelis.data.readers.record import Outline, Provenance, Record, TextBox, Thing, Track
from pixelis.geometry import Box, Point, Size

SIZE = Size(400, 300)
COLORS = {"red": (200, 20, 30), "blue": (20, 40, 200), "green": (20, 140, 40)}


def thing(label: str, box, **more) -> Thing:
    mask = np.zeros((300, 400), bool)
    x1, y1, x2, y2 = box
    mask[y1:y2, x1:x2] = True
    return Thing(label, Box(*box), Outline(SIZE, counts=tuple(rle.encode(mask))), **more)


def record(**values) -> Record:
    origin = Provenance("a.json", "0" * 64, "images[0]")
    given = {"source": "coco", "id": "coco-1", "kind": "picture", "media": (Path("a.png"),)}
    return Record(**{**given, "provenance": origin, "size": SIZE, **values})


def painted(*parts) -> np.ndarray:
    rgb = np.full((300, 400, 3), 255, np.uint8)
    for color, (x1, y1, x2, y2) in parts:
        rgb[y1:y2, x1:x2] = COLORS[color]
    return rgb


CAR, CAT, DOG, PUP = (
    (10, 10, 210, 110),
    (250, 20, 300, 70),
    (20, 200, 80, 260),
    (150, 200, 210, 260),
)


def kinds(found) -> dict[str, list]:
    grouped: dict[str, list] = {}
    for one in found:
        grouped.setdefault(one.kind, []).append(one)
    return grouped


def test_counts_are_those_of_the_annotations():
    things = (thing("car", CAR), thing("dog", DOG), thing("dog", PUP))
    counts = kinds(ask(record(things=things)))["count"]
    assert {one.question: one.answer for one in counts} == {
        "How many cars are there in the picture?": ("1",),
        "How many dogs are there in the picture?": ("2",),
    }
    dogs = counts[1].way
    assert dogs.kind == "count"
    assert Box(*DOG).contains(Point(*dogs.points[0]))
    assert Box(*PUP).contains(Point(*dogs.points[1]))


def test_crowds_and_open_categories_are_not_counted():
    things = (thing("car", CAR), thing("person", DOG, crowd=True), thing("cup", PUP))
    found = kinds(ask(record(things=things, meta={"open": ["cup"], "absent": ["horse"]})))
    asked = {one.question: one.answer[0] for one in found["count"]}
    assert asked == {
        "How many cars are there in the picture?": "1",
        "How many horses are there in the picture?": "0",
    }


def test_areas_are_compared_by_their_masks_when_the_difference_is_clear():
    (one,) = kinds(ask(record(things=(thing("car", CAR), thing("cat", CAT)))))["larger"]
    assert one.answer == ("car",)
    assert one.choices == ("car", "cat")
    assert one.meta["areas_px"] == [20_000, 2500]
    alike = (thing("dog", DOG), thing("pup", PUP))
    assert "larger" not in kinds(ask(record(things=alike)))


def test_a_box_larger_than_its_thing_does_not_decide():
    thin = np.zeros((300, 400), bool)
    thin[0:290, 5:12] = True
    bar = Thing("bar", Box(0, 0, 390, 290), Outline(SIZE, counts=tuple(rle.encode(thin))))
    (one,) = kinds(ask(record(things=(bar, thing("car", CAR)))))["larger"]
    assert one.answer == ("car",)


def test_colours_are_measured_on_the_mask():
    rgb = painted(("red", CAR), ("blue", CAT))
    found = kinds(ask(record(things=(thing("car", CAR), thing("cat", CAT))), rgb))["color"]
    assert {one.question: one.answer[0] for one in found} == {
        "What colour is the car?": "red",
        "What colour is the cat?": "blue",
    }
    assert "color" not in kinds(ask(record(things=(thing("car", CAR),))))


def test_a_patchwork_has_no_colour():
    rgb = painted(("red", CAR), ("blue", (10, 10, 110, 60)), ("green", (110, 60, 210, 110)))
    assert "color" not in kinds(ask(record(things=(thing("car", CAR),)), rgb))


def test_things_without_names_are_asked_for_by_their_place():
    rgb = painted(("green", CAT))
    (one,) = ask(record(source="sa1b", things=(thing("", CAT),)), rgb)
    assert one.question.startswith("What colour is the thing at [68")
    assert one.answer == ("green",)


def test_lines_are_known_by_how_they_begin():
    lines = [
        TextBox("Total amount due 42", Box(10, 10, 200, 30)),
        TextBox("Sign in here now", Box(10, 50, 200, 70)),
        TextBox("Sign in later please", Box(10, 90, 200, 110)),
        TextBox("Short one", Box(10, 130, 200, 150)),
        TextBox("tiny print is here", Box(10, 170, 200, 175)),
    ]
    (one,) = ask(record(source="webpage", texts=tuple(lines)))
    assert one.question == "One line begins with 'Total amount'. What does all of it say?"
    assert one.answer == ("Total amount due 42",)
    assert one.way.box.intersect(lines[0].box) == lines[0].box


def test_given_questions_are_read_where_the_answer_is_a_line():
    texts = (TextBox("Total", Box(0, 0, 50, 20)), TextBox("$42.00", Box(60, 0, 110, 20)))
    given = {"source": "docvqa", "question": "How much?", "answer_type": "text", "texts": texts}
    (one,) = ask(record(answers=("$42.00",), **given))
    assert one.way.kind == "read"
    assert one.way.box.contains(texts[1].box.center)
    (other,) = ask(record(answers=("42 dollars",), **given))
    assert other.way is None
    assert list(ask(record(answers=(), **given))) == []


def moving(dx: float, dy: float, frames: int = CLIP_FRAMES, **more) -> Record:
    boxes = {n: Box(100 + dx * n, 80 + dy * n, 140 + dx * n, 120 + dy * n) for n in range(frames)}
    return record(source="mot17", kind="frames", tracks=(Track("3", "car", boxes, **more),))


@pytest.mark.parametrize(
    ("dx", "dy", "way"), [(5, 0, "right"), (-4, 0, "left"), (0, 6, "down"), (-3, -3, "up-left")]
)
def test_the_way_of_a_track(dx, dy, way):
    (one,) = ask(moving(dx, dy))
    assert one.answer == (way,)
    assert one.way.frames == (0, CLIP_FRAMES - 1)
    assert one.way.box == (100, 80, 140, 120)
    assert "[250, 267, 350, 400]" in one.question


def test_tracks_that_stand_still_or_are_hidden_or_between_ways_are_not_asked_for():
    assert list(ask(moving(0.2, 0))) == []
    assert list(ask(moving(5, 2.2))) == []
    assert list(ask(moving(5, 0, frames=CLIP_FRAMES - 1))) == []
    hidden = {CLIP_FRAMES // 2: 0.1}
    assert list(ask(moving(5, 0, visible=hidden))) == []
    later = next(ask(moving(3, 0, frames=CLIP_FRAMES + 9, visible={4: 0.0})))
    assert later.way.frames == (5, 5 + CLIP_FRAMES - 1)


@pytest.mark.parametrize(
    ("one", "many"),
    [("person", "people"), ("bus", "buses"), ("knife", "knives"), ("berry", "berries"),
     ("boy", "boys"), ("traffic light", "traffic lights"), ("bench", "benches")],
)  # fmt: skip
def test_plurals(one, many):
    assert plural(one) == many
