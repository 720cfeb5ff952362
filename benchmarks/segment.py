"""Mean IoU of segmentation from one click, against simpler methods, in one run.

    python benchmarks/segment.py --rounds 4 [--json FILE] [--sheet FILE.png]

Generated objects on five kinds of background, glossy candies on a white table, clicks on empty
background (an object must not be claimed), and hand-outlined things in scikit-image's pictures.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw
from scenes import click, iou, photographs, questions

from pixelis.geometry import Point
from pixelis.ops.candidates import around, color_distance, filled, grabcut
from pixelis.ops.regions import Classic, Region
from pixelis.ops.segment import CLEAR

Method = Callable[[np.ndarray, tuple[int, int]], Region]


def flood(rgb: np.ndarray, point: tuple[int, int]) -> Region:
    """Region growing: everything connected within a fixed Lab distance of the clicked colour."""
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    lab = cv2.GaussianBlur(lab, (0, 0), 1.0)
    mask = around(color_distance(lab, lab[point[1], point[0]].copy()) < 16, point)
    return Region(filled(mask) if mask is not None else np.zeros(rgb.shape[:2], bool), 1.0)


def seeded(rgb: np.ndarray, point: tuple[int, int]) -> Region:
    """GrabCut from a box of a third of the picture's short side around the click."""
    height, width = rgb.shape[:2]
    side = min(height, width) // 6
    x, y = point
    labels = np.full((height, width), cv2.GC_BGD, np.uint8)
    labels[max(y - side, 0) : y + side, max(x - side, 0) : x + side] = cv2.GC_PR_FGD
    labels[max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3] = cv2.GC_FGD
    mask = grabcut(rgb, labels, 3)
    part = around(mask, point) if mask is not None else None
    return Region(filled(part) if part is not None else np.zeros((height, width), bool), 1.0)


def chosen(rgb: np.ndarray, point: tuple[int, int]) -> Region:
    """What `segment_object_at` uses."""
    region = Classic().segment(rgb, Point(*point))
    return region or Region(np.zeros(rgb.shape[:2], bool), 0.0)


METHODS: dict[str, Method] = {"flood in Lab": flood, "grabcut from a box": seeded, "chosen": chosen}


def measure(rounds: int, first: int, names: list[str]) -> dict:
    """IoU per tag and method, confidence and false claims of the chosen method, seconds."""
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    sure: dict[str, list[float]] = {"object": [], "nothing": []}
    seconds: dict[str, list[float]] = defaultdict(list)
    poor = []
    for question in questions(first, rounds):
        for name in names:
            if question.thing is None and name != "chosen":
                continue
            start = time.perf_counter()
            region = METHODS[name](question.image, question.point)
            seconds[name].append(time.perf_counter() - start)
            if question.thing is None:
                sure["nothing"].append(region.confidence)
                continue
            value = iou(region.mask, question.mask)
            scores[question.tag][name].append(value)
            if name == "chosen":
                sure["object"].append(region.confidence)
                poor.append((value, question, region))
    return {"scores": scores, "sure": sure, "seconds": seconds, "poor": poor}


def photos(names: list[str]) -> tuple[dict[str, dict[str, list[float]]], list]:
    """IoU on photographs; two clicks each, one near the middle, one anywhere well inside."""
    random = np.random.default_rng(3)
    scores: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    shown = []
    for thing in photographs():
        for depth in (0.95, 0.4):
            point = click(thing.mask, random, depth)
            label = "photo coins" if thing.file == "coins.png" else "photo others"
            for name in names:
                region = METHODS[name](thing.image, point)
                value = iou(region.mask, thing.mask)
                scores[label][name].append(value)
                if name == "chosen":
                    sure = region.confidence >= CLEAR
                    scores[f"{label}, claimed"][name] += [value] if sure else []
                    shown.append((value, thing, point, region))
    return scores, shown


def grouped(scores: dict[str, dict[str, list[float]]]) -> dict[str, dict[str, list[float]]]:
    """The same values joined by background, by fill, and over all generated objects."""
    groups: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for tag, methods in scores.items():
        ground, _, kind = tag.partition("/")
        table = ground.startswith("table")
        labels = [ground] if table else [f"on {ground}", kind, "all objects"]
        for label in labels:
            for name, values in methods.items():
                groups[label][name] += values
    return groups


def table(groups: dict[str, dict[str, list[float]]], names: list[str]) -> str:
    lines = [f"{'mean IoU':24}" + "".join(f"{name:>20}" for name in names) + f"{'n':>6}"]
    for label in sorted(groups):
        row = groups[label]
        cells = "".join(f"{np.mean(row[name]):20.3f}" if row[name] else " " * 20 for name in names)
        lines.append(f"{label:24}{cells}{len(row['chosen']):6}")
    return "\n".join(lines)


def sheet(entries: list[tuple[np.ndarray, np.ndarray, np.ndarray, tuple[int, int], str]]) -> Image:
    """Pictures with the true outline (green), the found one (magenta) and the click."""
    tile, across = 260, 6
    rows = -(-len(entries) // across)
    page = Image.new("RGB", (across * tile, rows * (tile + 14)), "white")
    for index, (image, truth, found, point, label) in enumerate(entries):
        ys, xs = np.nonzero(truth | found)
        side = int(max(np.ptp(xs), np.ptp(ys)) * 0.75 + 12)
        cx, cy = (int(xs.min() + xs.max()) // 2, int(ys.min() + ys.max()) // 2)
        cut = slice(max(cy - side, 0), cy + side), slice(max(cx - side, 0), cx + side)
        part = image[cut].copy()
        scale = (tile - 4) / max(part.shape[:2])
        part = cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_NEAREST)
        for mask, color in ((truth, (0, 220, 0)), (found, (255, 0, 255))):
            big = cv2.resize(mask[cut].astype(np.uint8), part.shape[1::-1])
            lines = cv2.findContours(big, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)[0]
            cv2.drawContours(part, lines, -1, color, 1)
        spot = [int((p - c.start) * scale) for p, c in zip(point, reversed(cut), strict=True)]
        cv2.drawMarker(part, spot, (0, 255, 255), cv2.MARKER_CROSS, 9, 2)
        x, y = index % across * tile, index // across * (tile + 14)
        page.paste(Image.fromarray(part), (x, y + 14))
        ImageDraw.Draw(page).text((x + 2, y + 1), label, fill="black")
    return page


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--first", type=int, default=910_000)
    parser.add_argument("--only", action="store_true", help="leave the other methods out")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--sheet", type=Path, help="the worst results as a picture")
    arguments = parser.parse_args()
    names = ["chosen"] if arguments.only else list(METHODS)
    result = measure(arguments.rounds, arguments.first, names)
    groups = grouped(result["scores"])
    real, shown = photos(names)
    groups.update(real)
    print(table(groups, names))
    sure = {key: np.array(values) for key, values in result["sure"].items()}
    claims = {
        "objects claimed": float((sure["object"] >= CLEAR).mean()),
        "empty spots claimed": float((sure["nothing"] >= CLEAR).mean()),
        "median seconds": {k: round(float(np.median(v)), 3) for k, v in result["seconds"].items()},
    }
    means = {
        label: {name: round(float(np.mean(v)), 4) for name, v in row.items() if v}
        for label, row in groups.items()
    }
    print(json.dumps({"iou": means, **claims}, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps({"iou": means, **claims}), encoding="utf-8")
    if arguments.sheet:
        poor = sorted(result["poor"], key=lambda entry: entry[0])[:24]
        entries = [
            (q.image, q.mask, r.mask, q.point, f"{v:.2f} c{r.confidence:.2f} {q.tag}")
            for v, q, r in poor
        ]
        odd = [entry for entry in shown if entry[1].file != "coins.png"]
        entries += [
            (t.image, t.mask, r.mask, p, f"{v:.2f} c{r.confidence:.2f} {t.name}")
            for v, t, p, r in odd
        ]
        sheet(entries).save(arguments.sheet)


if __name__ == "__main__":
    main()
