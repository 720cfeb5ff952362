import json
import shutil

import pytest
from PIL import Image, ImageDraw

from pixelis.cli import data
from pixelis.data.asking import Asked, Way
from pixelis.data.episodes import Writer
from pixelis.data.exports.write import TRAINERS
from pixelis.data.readers import SOURCES
from pixelis.data.solving import solve
from pixelis.media import open_picture
from pixelis.ops.workspace import PixelBudget

BUDGET = PixelBudget(256 * 256, 256 * 256, 32)


def square(path, color, box):
    image = Image.new("RGB", (320, 240), (240, 238, 230))
    ImageDraw.Draw(image).rectangle(box, fill=color)
    image.save(path)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Four executed episodes about four coloured squares."""
    folder = tmp_path_factory.mktemp("episodes")
    colors = {
        "red": (200, 20, 30),
        "blue": (30, 60, 200),
        "green": (20, 140, 50),
        "black": (0,) * 3,
    }
    with Writer(folder) as writer:
        for number, (name, color) in enumerate(colors.items()):
            place = (40 + 30 * number, 30 + 20 * number)
            box = (*place, place[0] + 70, place[1] + 70)
            path = square(folder / f"{name}.png", color, box)
            center = (place[0] + 35.0, place[1] + 35.0)
            way = Way("measure", "the square", None, (center,), "color")
            asked = Asked(
                "attribute_recognition", "color", "What colour?", (name,), "color", way=way
            )
            with open_picture(path) as media:
                episode = solve(f"{name}-1", asked, way, media, BUDGET, 60)
                sha256 = media.sha256
            assert episode.answer.text == name
            writer.add(
                {
                    "episode": episode.to_dict(),
                    "gold": name,
                    "answer_type": "color",
                    "family": asked.family,
                    "split": "test" if number == 3 else "train",
                    "media": path.name,
                    "provenance": {"licence": "CC0", "media_sha256": sha256},
                }
            )
    return folder


@pytest.fixture
def coco(tmp_path):
    root = tmp_path / "coco"
    (root / "val2017").mkdir(parents=True)
    square(root / "val2017" / "1.png", (200, 20, 30), (40, 30, 199, 149))
    annotation = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [40, 30, 160, 120],
                  "iscrowd": 0, "segmentation": [[40, 30, 200, 30, 200, 150, 40, 150]]}  # fmt: skip
    images = [
        {"id": 1, "file_name": "1.png", "width": 320, "height": 240},
        {"id": 2, "file_name": "2.png", "width": 320, "height": 240},
    ]
    value = {
        "images": images,
        "annotations": [annotation],
        "categories": [{"id": 1, "name": "sofa"}],
    }
    (root / "instances_val2017.json").write_text(json.dumps(value))
    return root


def test_the_lists_of_the_help_are_those_of_the_code():
    assert tuple(SOURCES) == data.SOURCES
    assert TRAINERS == data.TRAINERS


def test_importing_tells_what_was_written_and_what_was_refused(inside, coco, tmp_path):
    out = tmp_path / "q.jsonl"
    done = inside("data", "import", "--from", "coco", coco, "--out", out)
    assert done.returncode == 0
    assert "wrote 2 from 1 records" in done.stdout
    assert "refused 1 records" in done.stdout
    assert "images[1]: file_name: '2.png' is not there" in done.stdout
    questions = [json.loads(line) for line in out.read_text().splitlines()]
    assert {q["question"]: q["answer"] for q in questions} == {
        "How many sofas are there in the picture?": "1",
        "What colour is the sofa?": "red",
    }


def test_imported_questions_can_be_asked(inside, coco, tmp_path, untrained):
    out = tmp_path / "q.jsonl"
    inside("data", "import", "--from", "coco", coco, "--out", out)
    model = f"hf:{untrained}"
    done = inside("eval", "jsonl", "--data", out, "--model", model, "--json", "--limit", 1)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["n"] == 1


def test_import_as_json(inside, coco, tmp_path):
    out = tmp_path / "t.jsonl"
    done = inside("data", "import", "--from", "coco", coco, "--out", out, "--tasks", "--json")
    report = json.loads(done.stdout)
    assert report["written"] == 2
    assert report["rejections"]["reasons"] == {"file_name: missing file": 1}
    assert all("plan" in json.loads(line) for line in out.read_text().splitlines())


def test_imported_episodes_are_clean(inside, coco, tmp_path):
    out = tmp_path / "e"
    done = inside("data", "import", "--from", "coco", coco, "--out", out, "--episodes")
    assert done.returncode == 0
    assert inside("data", "check", out).stdout.splitlines()[-1] == "clean"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["import", "x", "--from", "cocoa", "--out", "y.jsonl"], "did you mean coco?"),
        (["import", "none", "--from", "coco", "--out", "y.jsonl"], "neither a file nor a folder"),
        (["import", "x", "--from", "coco", "--out", "y", "--columns", "a"], "is not of the form"),
        (["export", "x", "--to", "trl2", "--out", "y"], "did you mean trl?"),
        (["check", "none"], "none: is neither a file nor a folder"),
        (["split", "none", "--out", "y", "--shares", "a=0"], "is not of the form train=0.9"),
        (["show", "none", "--out", "y.html"], "none: is neither a file"),
        (["chekc", "none"], "did you mean check?"),
    ],
)
def test_what_is_wrong_is_one_line_and_exit_2(inside, arguments, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = inside("data", *arguments)
    assert done.returncode == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_clean_folder_and_one_that_is_not(inside, made, tmp_path):
    done = inside("data", "check", made)
    assert done.returncode == 0
    assert "4 episodes, 4 executed again" in done.stdout
    spoiled = tmp_path / "spoiled"
    shutil.copytree(made, spoiled)
    path = spoiled / "episodes.jsonl"
    path.write_text(path.read_text().replace('"gold": "red"', '"gold": "pink"') + "nonsense\n")
    done = inside("data", "check", spoiled, "--replay", 0, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 1
    assert report["clean"] is False
    assert report["findings"]["gold"] == 1
    assert "answered 'red'; right is pink" in report["first"][0]["told"]
    assert report["rejections"]["reasons"] == {"not JSON": 1}
    assert report["replayed"] == 0


def test_figures_as_text_json_and_page(inside, made, tmp_path):
    page = tmp_path / "stats.html"
    done = inside("data", "stats", made, "--out", page)
    assert "4 episodes about 4 pictures" in done.stdout
    assert "attribute_recognition 4" in done.stdout
    assert "<svg" in page.read_text()
    figures = json.loads(inside("data", "stats", made, "--json").stdout)
    assert figures["ops"] == {"segment_object_at": 4, "get_properties": 4}


def test_a_sheet_of_some_episodes(inside, made, tmp_path):
    page = tmp_path / "show.html"
    done = inside("data", "show", made, "--out", page, "--count", 2)
    assert done.returncode == 0
    assert page.read_text().count("<article") == 2
    done = inside("data", "show", made, "--out", page, "--family", "none")
    assert done.returncode == 2
    assert "holds no such episodes" in done.stderr
    assert inside("data", "show", made, "--out", tmp_path / "a.txt").returncode == 2


def test_merge_split_and_refusal(inside, made, tmp_path):
    done = inside("data", "merge", made, made, "--out", tmp_path / "all")
    assert "episodes.jsonl  4 episodes" in done.stdout
    assert "4          duplicates left out" in done.stdout
    parts = tmp_path / "parts"
    done = inside(
        "data", "split", tmp_path / "all", "--out", parts, "--shares", "a=3,b=1", "--json"
    )
    assert json.loads(done.stdout)["rows"] == {"a.jsonl": 3, "b.jsonl": 1}
    changed = tmp_path / "changed"
    shutil.copytree(made, changed)
    text = (changed / "episodes.jsonl").read_text()
    text = text.replace('"train"', '"exam"').replace("What colour?", "Which colour?")
    (changed / "episodes.jsonl").write_text(text.replace('-1"', '-2"'))
    done = inside("data", "merge", made, changed, "--out", tmp_path / "leaky")
    assert done.returncode == 1
    assert "pictures would stand in two splits" in done.stderr


@pytest.mark.parametrize("trainer", TRAINERS)
def test_exports_name_their_files(inside, made, tmp_path, trainer):
    out = tmp_path / trainer
    done = inside("data", "export", made, "--to", trainer, "--out", out, "--json")
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert sum(report["rows"].values()) == 4
    assert {(out / name).is_file() for name in report["rows"]} == {True}


def test_help_is_quick(pixelis):
    done = pixelis("data", "import", "--help")
    assert done.returncode == 0
    assert "pixelreasoner" in done.stdout
