import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pixelis.data.imports import Imported, questions, write_episodes, write_questions
from pixelis.data.quality import check
from pixelis.data.readers import Rejections, read_records, rle
from pixelis.evals.jsonl import read_jsonl

RED, BLUE = (40, 40, 240, 160), (420, 300, 520, 380)
COLORS = {RED: (200, 20, 30), BLUE: (30, 60, 200)}


def mask_of(box) -> np.ndarray:
    mask = np.zeros((480, 640), bool)
    mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


@pytest.fixture(scope="module")
def coco(tmp_path_factory) -> Path:
    """Two pictures with a large red sofa and a small blue cup each."""
    root = tmp_path_factory.mktemp("coco")
    (root / "val2017").mkdir()
    images, annotations = [], []
    for number in (1, 2):
        pixels = np.full((480, 640, 3), (235, 230, 220), np.uint8)
        for kind, (box, color) in enumerate(COLORS.items(), 1):
            pixels[mask_of(box)] = color
            counts = rle.pack(rle.encode(mask_of(box)))
            annotations.append(
                {"id": 10 * number + kind, "image_id": number, "category_id": kind, "iscrowd": 0,
                 "bbox": [box[0], box[1], box[2] - box[0], box[3] - box[1]],
                 "segmentation": {"size": [480, 640], "counts": counts}}
            )  # fmt: skip
        Image.fromarray(pixels).save(root / "val2017" / f"{number}.jpg", quality=95)
        images.append({"id": number, "file_name": f"{number}.jpg", "width": 640, "height": 480})
    names = [{"id": 1, "name": "sofa"}, {"id": 2, "name": "cup"}]
    value = {"images": images, "annotations": annotations, "categories": names}
    (root / "instances_val2017.json").write_text(json.dumps(value))
    return root


def made(source: str, root: Path, media: Path, imported: Imported, **options):
    return questions(read_records(source, root, Rejections()), media, imported, **options)


def test_questions_are_what_evaluation_reads(coco, tmp_path):
    out, imported = tmp_path / "q" / "coco.jsonl", Imported()
    write_questions(made("coco", coco, tmp_path / "m", imported, per_picture=9), out, imported)
    benchmark = read_jsonl(out)
    found = {question.text: question.gold for question in benchmark if "coco-1" in question.id}
    assert found == {
        "How many cups are there in the picture?": "1",
        "How many sofas are there in the picture?": "1",
        "Which covers more of the picture, the cup or the sofa?": "sofa",
        "What colour is the sofa?": "red",
        "What colour is the cup?": "blue",
    }
    assert all(question.media.is_file() for question in benchmark)
    assert imported.total == len(benchmark) == 10
    assert imported.records == 2


def test_tasks_say_where_to_look_and_where_they_come_from(coco, tmp_path):
    out, imported = tmp_path / "t.jsonl", Imported()
    found = made("coco", coco, tmp_path / "m", imported, per_picture=9)
    write_questions(found, out, imported, tasks=True, limit=5)
    tasks = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(tasks) == 5
    (larger,) = [task for task in tasks if task["kind"] == "larger"]
    assert larger["plan"]["kind"] == "compare"
    assert larger["truth"]["areas_px"] == [8000, 24_000]
    assert larger["split"] == "val"
    origin = larger["provenance"]
    assert origin["file"] == "instances_val2017.json"
    assert origin["parent"] == "coco-1"
    assert "CC BY 4.0" in origin["licence"]


def test_fewer_questions_are_drawn_and_the_same_for_the_same_seed(coco, tmp_path):
    def ids(seed):
        found = made("coco", coco, tmp_path, Imported(), per_picture=2, seed=seed)
        return [(one.id, one.asked.question) for one in found]

    assert len(ids(0)) == 4
    assert ids(0) == ids(0)
    assert any(ids(0) != ids(seed) for seed in range(1, 6))
    assert len({question for _, question in ids(0)[:2]}) == 2


def test_episodes_are_executed_and_right(coco, tmp_path):
    imported = Imported()
    found = made("coco", coco, tmp_path / "m", imported, per_picture=9)
    write_episodes(found, tmp_path / "out", imported)
    assert imported.total >= 8
    assert set(imported.written) == {
        "object_counting",
        "attribute_recognition",
        "geometric_comparison",
    }
    report = check(tmp_path / "out")
    bad = [f for f in report.first if f.check not in ("balance", "duplicate")]
    assert bad == []
    assert report.replayed == imported.total
    assert len(list((tmp_path / "out" / "media").iterdir())) <= 2


def test_pictures_inside_a_table_are_unpacked(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    image = tmp_path / "a.png"
    Image.new("RGB", (40, 30), "red").save(image)
    row = {"question": "Which colour?", "answer": "red", "image": {"bytes": image.read_bytes()}}
    (tmp_path / "d").mkdir()
    parquet.write_table(pyarrow.Table.from_pylist([row, row]), tmp_path / "d" / "x.parquet")
    out, imported = tmp_path / "q.jsonl", Imported()
    write_questions(made("huggingface", tmp_path / "d", tmp_path / "m", imported), out, imported)
    assert len(read_jsonl(out)) == 2
    (file,) = (tmp_path / "m").iterdir()
    assert file.read_bytes() == image.read_bytes()


def test_why_nothing_was_asked_is_told(tmp_path):
    root = tmp_path / "d"
    (root / "VG_100K_2").mkdir(parents=True)
    Image.new("RGB", (40, 30), "red").save(root / "VG_100K_2" / "1.jpg")
    entry = {"image": "VG_100K_2/1.jpg", "question": "How many?", "question_id": 1, "answer": 2}
    (root / "test.json").write_text(json.dumps([entry, entry, {**entry, "question_id": 2}]))
    out, imported = tmp_path / "q.jsonl", Imported()
    write_questions(made("tallyqa", root, tmp_path / "m", imported), out, imported)
    assert imported.total == 2
    assert imported.skipped == {"the same id again": 1}
    imported = Imported()
    write_episodes(made("tallyqa", root, tmp_path / "m", imported), tmp_path / "e", imported)
    assert imported.total == 0
    assert imported.skipped == {"no plan: the annotations do not say where to look": 3}


def test_a_journey_becomes_a_clip_and_is_followed(tmp_path):
    """A textured square crosses a textured ground; the truth is what was drawn."""
    folder = tmp_path / "train" / "MOT17-02-FRCNN"
    (folder / "img1").mkdir(parents=True)
    (folder / "gt").mkdir()
    rng = np.random.default_rng(4)
    ground = rng.integers(90, 130, (240, 320, 3)).astype(np.uint8)
    patch = np.kron(rng.integers(0, 2, (6, 6)), np.ones((8, 8)))[..., None] * (220, 60, 40)
    rows = []
    for number in range(1, 31):
        frame, left = ground.copy(), 20 + 6 * (number - 1)
        frame[90:138, left : left + 48] = patch
        Image.fromarray(frame).save(folder / "img1" / f"{number:06d}.jpg", quality=95)
        rows.append(f"{number},7,{left + 1},91,48,48,1,3,1")
    (folder / "gt" / "gt.txt").write_text("\n".join(rows))
    (folder / "seqinfo.ini").write_text(
        "[Sequence]\nname=x\nimDir=img1\nframeRate=30\nseqLength=30\n"
        "imWidth=320\nimHeight=240\nimExt=.jpg\n"
    )
    imported = Imported()
    found = list(made("mot17", tmp_path, tmp_path / "clips", imported))
    assert [(one.asked.answer, one.video) for one in found] == [(("right",), True)]
    write_episodes(found, tmp_path / "out", imported)
    assert imported.written == {"temporal_tracking": 1}
    (line,) = (tmp_path / "out" / "episodes.jsonl").read_text().splitlines()
    episode = json.loads(line)["episode"]
    assert episode["media"]["kind"] == "video"
    assert episode["media"]["frames"] == 24
    track = episode["steps"][0]["observation"]["data"]
    assert track["displacement"][0] == pytest.approx(23 * 6, abs=12)
    assert check(tmp_path / "out").clean
