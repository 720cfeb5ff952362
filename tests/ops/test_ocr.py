import threading
from pathlib import Path

import jiwer
import matplotlib
import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageDraw, ImageFont

from pixelis.data import tasks
from pixelis.data.worlds import domains, layouts
from pixelis.errors import ConfigError, OpError
from pixelis.geometry import Box
from pixelis.ops.lines import join, reading_order, straighten
from pixelis.ops.ocr import Look, Reader, batches, best_of, shared_reader, tiles

FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
GOLD = Path(__file__).parent / "data" / "page.txt"


@pytest.fixture(scope="module")
def reader():
    return shared_reader()


def written(*lines, px=20, ink="black", paper="white", angle=0.0, name="DejaVuSans", pad=12):
    """Lines of text on paper, `px` the font size; RGB uint8."""
    face = ImageFont.truetype(FONTS / f"{name}.ttf", px)
    width = int(max(face.getlength(line) for line in lines)) + 2 * pad
    image = Image.new("RGB", (width, round(px * 1.5) * len(lines) + 2 * pad), paper)
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        draw.text((pad, pad + number * round(px * 1.5)), line, font=face, fill=ink)
    if angle:
        image = image.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=paper)
    return np.asarray(image)


def said(reader, pixels):
    return [line.text for line in reader.read(pixels)]


def quad(x1, y1, x2, y2):
    return np.array([[x1, y1], [x2, y1], [x2, y2], [x1, y2]], float)


# reading ------------------------------------------------------------------------------------------
def test_lines_come_in_order_with_spaces_and_tight_boxes(reader):
    lines = reader.read(written("Platform 12 closed", "use the north exit", px=24))
    assert [line.text for line in lines] == ["Platform 12 closed", "use the north exit"]
    face = ImageFont.truetype(FONTS / "DejaVuSans.ttf", 24)
    truth = Box(*face.getbbox("Platform 12 closed")).shift(12, 12)
    assert lines[0].box.iou(truth) > 0.7
    assert lines[0].box.y2 <= lines[1].box.y1 + 4
    assert all(line.confidence > 0.9 for line in lines)


@pytest.mark.parametrize("px", [11, 16, 34, 82])
def test_letters_of_8_to_60_px_are_read(reader, px):
    text = "Museum ticket office 42"
    assert jiwer.cer(text, " ".join(said(reader, written(text, px=px)))) <= 0.02


@pytest.mark.parametrize(
    ("text", "ink", "paper"),
    [("STOP", "white", "#b4141e"), ("EXIT", "white", "#006e3c"), ("Taxi", "#141e50", "#f5d23c")],
)
def test_signs_in_colour(reader, text, ink, paper):
    assert said(reader, written(text, px=30, ink=ink, paper=paper)) == [text]


@pytest.mark.parametrize("text", ["7", "P", "42", "B7"])
def test_one_or_two_characters(reader, text):
    assert said(reader, written(text, px=26, ink="white", paper="#222a40", pad=8)) == [text]


@pytest.mark.parametrize("angle", [5, 30, 90, -90, 180])
def test_turned_text(reader, angle):
    pixels = written("mind the closing doors", px=22, angle=angle, pad=20)
    assert said(reader, pixels) == ["mind the closing doors"]


def test_nothing_on_plain_paper_or_one_pixel(reader):
    assert reader.read(np.full((60, 200, 3), 240, np.uint8)) == []
    assert reader.read(np.zeros((1, 1, 3), np.uint8)) == []


def test_grass_says_nothing(reader):
    grass = np.stack([skimage.data.grass()[:160, :160]] * 3, -1)
    assert reader.read(grass) == []


def test_drawn_shapes_are_seldom_taken_for_text(reader):
    read = []
    for k in range(8):  # the fourth has six crescents, which read as C
        rng = np.random.default_rng([20261121, k])
        scene = layouts.draw_scene(rng, domains.TRAIN[k % len(domains.TRAIN)], "objects")
        read.append(said(reader, scene.pixels))
    assert sum(bool(lines) for lines in read) <= 2, read


def test_input_is_not_changed_and_result_repeats(reader):
    pixels = written("same again", px=20)
    before = pixels.copy()
    first, second = reader.read(pixels), reader.read(pixels)
    assert first == second
    assert np.array_equal(pixels, before)


def test_check_may_stop_the_reading(reader):
    def stop():
        raise OpError("took longer than 0 s")

    with pytest.raises(OpError, match="took longer"):
        reader.read(written("too late"), stop)


def test_threads_share_one_reader(reader):
    texts = ["north exit", "south gate", "east wing"]
    found: dict[str, list[str]] = {}

    def work(text):
        found[text] = said(reader, written(text, px=22))

    workers = [threading.Thread(target=work, args=(text,)) for text in texts]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert found == {text: [text] for text in texts}


def test_reading_prints_nothing(reader, capfd):
    said(Reader(threads=1), written("quiet", px=20))
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


def test_a_reader_needs_a_thread_and_is_shared():
    with pytest.raises(ConfigError, match="threads = -1"):
        Reader(threads=-1)
    assert shared_reader() is shared_reader()


@pytest.mark.slow
def test_the_scanned_page(reader):
    page = np.stack([skimage.data.page()] * 3, -1)
    gold = " ".join(GOLD.read_text().split())
    assert jiwer.cer(gold, " ".join(said(reader, page))) <= 0.03


@pytest.mark.slow
def test_a_large_sheet_is_read_in_tiles(reader):
    text = [f"line {number} of the tall sheet with quite a few words in it" for number in range(40)]
    pixels = written(*text, px=40)
    assert pixels.shape[0] > 2000
    assert jiwer.cer(" ".join(text), " ".join(said(reader, pixels))) <= 0.02


# geometry -----------------------------------------------------------------------------------------
def test_tiles_cover_the_picture_and_overlap():
    seen = np.zeros((2500, 4100), int)
    for x1, y1, x2, y2 in tiles(2500, 4100, 1.0):
        assert x2 - x1 <= 1.25 * 1600 + 1
        seen[y1:y2, x1:x2] += 1
    assert seen.min() == 1
    assert (seen > 1).any()


def test_columns_are_read_one_after_the_other_and_tables_by_rows():
    left = [quad(0, 30 * n, 200, 30 * n + 20) for n in range(4)]
    right = [quad(260, 30 * n, 460, 30 * n + 20) for n in range(4)]
    mixed = [quad for pair in zip(left, right, strict=True) for quad in pair]
    assert reading_order(mixed) == [0, 2, 4, 6, 1, 3, 5, 7]
    cells = [quad(150 * c, 30 * r, 150 * c + 40, 30 * r + 20) for r in range(4) for c in range(3)]
    assert reading_order(cells[::-1]) == list(range(11, -1, -1))


def test_a_headline_over_columns_comes_first():
    left = [quad(0, 60 + 30 * n, 200, 80 + 30 * n) for n in range(4)]
    right = [quad(260, 60 + 30 * n, 460, 80 + 30 * n) for n in range(4)]
    assert reading_order([*right, *left, quad(0, 0, 460, 30)]) == [8, 4, 5, 6, 7, 0, 1, 2, 3]


def test_pieces_of_a_line_are_joined_and_far_ones_are_not():
    near = join([quad(0, 0, 50, 20), quad(55, 1, 120, 21)])
    assert len(near) == 1
    assert near[0].min() == 0
    assert near[0][:, 0].max() == 120
    assert len(join([quad(0, 0, 50, 20), quad(120, 0, 170, 20)])) == 2
    assert len(join([quad(0, 0, 50, 20), quad(0, 24, 50, 44)])) == 2


def test_the_look_with_readable_letters_wins():
    coarse, fine = quad(0, 0, 100, 20), quad(2, 2, 98, 18)
    kept = best_of([Look(0.3, [coarse]), Look(1.8, [fine])])
    assert len(kept) == 1
    assert np.array_equal(kept[0], fine)


def test_a_card_seen_as_one_line_does_not_hide_its_lines():
    lines = [quad(10, 40 * n + 10, 200, 40 * n + 40) for n in range(4)]
    card = quad(0, 0, 210, 180)
    kept = best_of([Look(1.0, lines), Look(0.17, [card])])
    assert sorted(box.min() for box in kept) == sorted(line.min() for line in lines)
    alone = best_of([Look(1.0, lines[:1]), Look(0.17, [card])])
    assert len(alone) == 1


@pytest.mark.parametrize(
    ("index", "said"),
    [
        (280, ["Registration", "Seat:", "44E", "Floor:", "15", "Date:", "27 May", "Room:", "211"]),
        (287, ["V"]),  # nothing is found at the first look
        (322, ["BM-569", "Enter"]),  # what is found at the first look are hills
    ],
)
def test_pictures_that_need_another_look_are_read(reader, index, said):
    task = tasks.draw(20261207, index, "test")
    assert [line.text for line in reader.read(np.asarray(task.image))] == said


def test_straighten_turns_a_slanted_line_upright():
    pixels = written("level", px=40, angle=15)
    height, width = pixels.shape[:2]
    line = straighten(pixels, quad(0, 0, width, height), 48)
    assert line.shape[0] == 48
    assert abs(line.shape[1] / 48 - width / height) < 0.1


def test_batches_hold_every_crop_once_and_stay_small():
    widths = [100, 3000, 50, 700, 640, 5000, 320]
    groups = list(batches(widths))
    assert sorted(i for group in groups for i in group) == list(range(7))
    assert all(len(g) == 1 or len(g) * max(widths[i] for i in g) <= 3000 for g in groups)
