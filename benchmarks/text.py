"""Reading by letter height: RapidOCR as it comes, enlarged twice and three times, and ours.

    PYTHONPATH=src python benchmarks/text.py [--pages 2] [--seed 0]

Every reader sees the same rendered pictures (seeded) in the same run. CER is jiwer's character
error rate over whole pages, white space collapsed. CPU seconds are given beside wall seconds
because other work on the machine stretches the latter.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import jiwer
import numpy as np
import skimage.data
from pages import HEIGHTS, SIGNS, Page, columns, page, sign
from PIL import Image
from rapidocr import RapidOCR

from pixelis.ops.ocr import DEFAULT_THREADS, Reader

GOLD = Path(__file__).parents[1] / "tests" / "ops" / "data" / "page.txt"
Read = Callable[[np.ndarray], str]


def library() -> RapidOCR:
    """RapidOCR with its own settings, but the same number of threads as ours."""
    name = "EngineConfig.onnxruntime.intra_op_num_threads"
    return RapidOCR(params={"Global.log_level": "critical", name: DEFAULT_THREADS})


def readers() -> dict[str, Read]:
    """Each way to read by name: RGB pixels to text."""
    engine, ours = library(), Reader(DEFAULT_THREADS)

    def enlarged(factor: int) -> Read:
        def read(pixels: np.ndarray) -> str:
            bgr = np.ascontiguousarray(pixels[:, :, ::-1])
            if factor > 1:
                bgr = cv2.resize(bgr, None, fx=factor, fy=factor, interpolation=cv2.INTER_LANCZOS4)
            return " ".join(engine(bgr).txts or ())

        return read

    def adaptive(pixels: np.ndarray) -> str:
        return " ".join(line.text for line in ours.read(pixels))

    return {"as-is": enlarged(1), "2x": enlarged(2), "3x": enlarged(3), "adaptive": adaptive}


def errors(truth: str, said: str) -> tuple[float, int]:
    """Wrong characters and characters of the truth."""
    truth, said = " ".join(truth.split()), " ".join(said.split())
    return (jiwer.cer(truth, said) if said else 1.0) * len(truth), len(truth)


def measure(read: Read, pages: list[Page]) -> tuple[float, float, float]:
    """CER, wall seconds and CPU seconds per page."""
    wall, cpu = time.perf_counter(), time.process_time()
    counts = [errors(p.text, read(np.asarray(p.image))) for p in pages]
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    wrong, total = np.sum(counts, axis=0)
    return wrong / total, wall / len(pages), cpu / len(pages)


def cases(seed: int, count: int) -> dict[str, list[Page]]:
    """Named groups of pictures, the same for the same seed."""
    groups = {}
    for height in HEIGHTS:
        rng = np.random.default_rng([seed, height])
        groups[f"page {height} px"] = [page(rng, height) for _ in range(count)]
    rng = np.random.default_rng([seed, 1000])
    angles = [float(angle) for angle in rng.uniform(-6, 6, 4)]
    groups["tilted"] = [page(rng, h, angle=a) for h, a in zip((8, 12, 20, 40), angles, strict=True)]
    groups["columns"] = [columns(rng, height) for height in (8, 14, 24)]
    for height in (8, 16, 32, 60):
        groups[f"signs {height} px"] = [sign(rng, text, height) for text in SIGNS]
    scan = Image.fromarray(skimage.data.page()).convert("RGB")
    groups["scanned page"] = [Page(scan, tuple(GOLD.read_text().splitlines()), (), 10)]
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=2, help="pages of each letter height")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    ways = readers()
    for read in ways.values():
        read(np.asarray(page(np.random.default_rng(0), 16, 1).image))  # loads the networks
    print("CER in % (CPU seconds per picture)")
    print(f"{'case':16}" + "".join(f"{name:>18}" for name in ways))
    for name, pages in cases(options.seed, options.pages).items():
        row = [measure(read, pages) for read in ways.values()]
        print(f"{name:16}" + "".join(f"{100 * c:9.2f} ({cpu:5.2f})" for c, _, cpu in row))
    line = np.asarray(page(np.random.default_rng(1), 16, 1).image)
    for name, read in ways.items():
        times = [(time.perf_counter(), time.process_time(), read(line)) for _ in range(5)]
        times.append((time.perf_counter(), time.process_time(), ""))
        walls, cpus = np.diff([t[0] for t in times]), np.diff([t[1] for t in times])
        wall, cpu = 1000 * np.median(walls), 1000 * np.median(cpus)
        print(f"one line {line.shape[1]}x{line.shape[0]}, {name}: {wall:.0f} ms, {cpu:.0f} ms CPU")


if __name__ == "__main__":
    main()
