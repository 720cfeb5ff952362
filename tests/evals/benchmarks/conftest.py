"""Every published benchmark in small, in its true layout; each builder gives the folder."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image


def jpeg(color: str = "red", size=(64, 48)) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, color).save(buffer, "JPEG")
    return buffer.getvalue()


def lay(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    path.write_bytes(data)
    return path


def clip(path: Path, frames: int = 16) -> Path:
    """Two seconds at 8 frames a second, darker with every frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=8)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for number in range(frames):
            pixels = np.full((48, 64, 3), 255 - 12 * number, np.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path


def table(path: Path, rows: list[dict]) -> Path:
    import pyarrow
    from pyarrow import parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


def vstar(root: Path) -> None:
    lines = []
    for number, color in enumerate(("red", "green")):
        lay(root / f"direct_attributes/sa_{number}.jpg", jpeg(color))
        text = (
            "What is the color of the glove?\n(A) red\n(B) green\nAnswer with the option's letter"
        )
        lines.append(
            {
                "image": f"direct_attributes/sa_{number}.jpg",
                "text": f"{text} from the given choices directly.",
                "category": "direct_attributes",
                "label": "AB"[number],
                "question_id": number,
            }
        )
    lay(root / "test_questions.jsonl", "".join(json.dumps(line) + "\n" for line in lines))


def hrbench(root: Path, size: str = "4k", ending: str = "parquet") -> None:
    rows = []
    options = ["red", "green", "blue", "white"]
    for cycle in range(4):
        turned = options[cycle:] + options[:cycle]
        rows.append(
            {
                "index": cycle,
                "question": "What colour is the sign?",
                "answer": "ABCD"[turned.index("green")],
                "category": "single",
                **dict(zip("ABCD", turned, strict=True)),
                "cycle_category": str(cycle),
                "image": base64.b64encode(jpeg("green")).decode(),
            }
        )
    if ending == "tsv":
        lines = ["\t".join(map(str, row.values())) for row in rows]
        lay(root / f"hr_bench_{size}.tsv", "\n".join(["\t".join(rows[0]), *lines]) + "\n")
    else:
        table(root / f"hr_bench_{size}.parquet", rows)


def tallyqa(root: Path) -> None:
    lay(root / "VG_100K_2/1.jpg", jpeg())
    base = {"image": "VG_100K_2/1.jpg", "image_id": 1, "data_source": "imported_genome"}
    questions = [
        {**base, "question": "How many dogs?", "answer": 2, "question_id": 1, "issimple": True},
        {
            **base,
            "question": "How many dogs sit?",
            "answer": 1,
            "question_id": 2,
            "issimple": False,
        },
    ]
    lay(root / "test.json", json.dumps(questions))


def infographicsvqa(root: Path) -> None:
    lay(root / "infographicsvqa_images/20471.jpeg", jpeg())
    data = [
        {
            "questionId": 1,
            "question": "Which share?",
            "image_local_name": "20471.jpeg",
            "ocr_output_file": "20471.json",
            "answers": ["12%", "12 percent"],
            "data_split": "val",
        }
    ]
    lay(root / "infographicsVQA_val_v1.0_withQT.json", json.dumps({"data": data}))


def mvbench(root: Path) -> None:
    clip(root / "video/star/Charades_v1_480/ZS9XR.mp4")
    entry = {
        "video": "ZS9XR.mp4",
        "question": "What happened after?",
        "candidates": ["Ate.", "Tidied up."],
        "answer": "Tidied up.",
    }
    cut = {**entry, "start": 0.5, "end": 1.0}
    lay(root / "json/action_sequence.json", json.dumps([entry, cut]))


def mmmu(root: Path) -> None:
    picture = {"bytes": jpeg(), "path": "1.png"}
    base = {
        "id": "validation_Accounting_1",
        "question": "<image 1> Which is $x$?",
        "options": "['$6', '$7']",
        "explanation": "",
        "image_1": picture,
        "image_2": None,
        "img_type": "['Tables']",
        "answer": "B",
        "topic_difficulty": "Easy",
        "question_type": "multiple-choice",
        "subfield": "Managerial Accounting",
    }
    two = {**base, "id": "validation_Accounting_2", "image_2": {"bytes": jpeg("blue"), "path": "2"}}
    free = {**base, "id": "validation_Accounting_3", "options": "[]", "answer": "12.5"}
    table(root / "Accounting/validation-00000-of-00001.parquet", [base, two, free])


def mmvet(root: Path) -> None:
    lay(root / "images/v1_0.png", jpeg())
    entry = {
        "imagename": "v1_0.png",
        "question": "What is x in the equation?",
        "answer": "-1<AND>-5",
        "imagesource": "here",
        "capability": ["ocr", "math"],
    }
    lay(root / "mm-vet.json", json.dumps({"v1_0": entry}))


def mathvista(root: Path) -> None:
    base = {
        "pid": "1",
        "question": "How many?",
        "image": "images/1.jpg",
        "decoded_image": {"bytes": jpeg(), "path": "1.jpg"},
        "choices": None,
        "unit": None,
        "precision": 1.0,
        "answer": "1.2",
        "question_type": "free_form",
        "answer_type": "float",
        "metadata": {"task": "figure question answering"},
        "query": "",
    }
    choice = {**base, "pid": "2", "choices": ["Yes", "No"], "answer": "No", "answer_type": "text"}
    table(root / "data/testmini-00000-of-00001-abc.parquet", [base, choice])


def virl39k(root: Path) -> None:
    lay(root / "images/a/1.png", jpeg())
    row = {
        "question": "<image>What is the angle?",
        "answer": "\\boxed{17^{\\circ}}",
        "PassRate_32BTrained": 0.75,
        "PassRate_7BBase": 0.1,
        "category": "Geometry",
        "source": "MMMath",
        "qid": "MMMath-1",
        "image": ["images/a/1.png"],
    }
    table(root / "39Krelease.parquet", [row])


def reasonrft(root: Path) -> None:
    for name in ("c.png", "a.png", "b.png"):
        lay(root / "image" / name, jpeg("red" if name == "a.png" else "blue"))
    count = {"image": "c.png", "problem": "How many?", "solution": "3", "level": "add"}
    lay(root / "visual_counting/clevr_math.json", json.dumps([count]))
    lay(root / "visual_counting/super_clevr.json", json.dumps([count]))
    shape = {"image": "c.png", "problem": "Find x.", "solution": "B", "type": "CHOICE"}
    lay(root / "structure_perception/geomath.json", json.dumps([shape]))
    other = {**shape, "solution": "long", "answer": "8\\sqrt{2}"}
    lay(root / "structure_perception/geometry3k.json", json.dumps([other]))
    change = {
        "image": ["a.png", "b.png"],
        "problem": "[(0, 'cube', 'small', 'red', 'metal')]",
        "solution": "change_color(0, 'blue')",
        "type": "1",
    }
    lay(root / "spatial_transformation/trance.json", json.dumps([change]))


BUILDERS: dict[str, Callable[[Path], None]] = {
    "vstar": vstar,
    "hrbench4k": hrbench,
    "hrbench8k": lambda root: hrbench(root, "8k"),
    "tallyqa": tallyqa,
    "infographicsvqa": infographicsvqa,
    "mvbench": mvbench,
    "mmmu": mmmu,
    "mmvet": mmvet,
    "mathvista": mathvista,
    "virl39k": virl39k,
    "reasonrft-counting": reasonrft,
    "reasonrft-geometry": reasonrft,
    "reasonrft-transform": reasonrft,
}


@pytest.fixture
def builders():
    return BUILDERS


@pytest.fixture
def published(tmp_path):
    """Builds a benchmark's folder and gives it."""

    def build(name: str) -> Path:
        root = tmp_path / "data"
        BUILDERS[name](root)
        return root

    return build
