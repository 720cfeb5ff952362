"""Peak memory and time of `pixelis ask` on a small page: the first process, warm ones, the loop."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from pixelis.evals.provenance import origin

QUESTION = "What does the text say?"
MIB = 2**20


def draw_sign(path: Path) -> Path:
    """A picture of 640 by 480 px with one word on it."""
    image = Image.new("RGB", (640, 480), (240, 236, 228))
    pen = ImageDraw.Draw(image)
    pen.rectangle((170, 160, 470, 300), fill=(20, 70, 140))
    pen.text((215, 200), "HARBOUR", "white", ImageFont.load_default(48))
    image.save(path)
    return path


def ask_once(picture: Path, model: str) -> tuple[float, float, dict]:
    """Wall seconds and peak resident MiB of one process, and what it answered."""
    words = [sys.executable, "-m", "pixelis", "ask", str(picture), QUESTION]
    with tempfile.TemporaryFile() as out:
        started = time.perf_counter()
        child = os.posix_spawn(
            sys.executable,
            [*words, "--model", model, "--json"],
            os.environ,
            file_actions=[(os.POSIX_SPAWN_DUP2, out.fileno(), 1)],
        )
        _, status, usage = os.wait4(child, 0)
        wall = time.perf_counter() - started
        out.seek(0)
        text = out.read()
    if os.waitstatus_to_exitcode(status) not in (0, 1) or not text:
        sys.exit("the command failed; run it by hand to see why")
    return wall, usage.ru_maxrss * 1024 / MIB, json.loads(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", default="nano")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        picture = draw_sign(Path(folder) / "sign.png")
        runs = [ask_once(picture, options.model) for _ in range(options.rounds + 1)]
    walls = [wall for wall, _, _ in runs]
    command = f"pixelis bench ask --model {options.model} --rounds {options.rounds}"
    found = {
        **origin(options.model, command),
        "first_s": round(walls[0], 2),
        "warm_s": round(statistics.median(walls[1:]), 2),
        "loop_s": round(statistics.median(told["seconds"] for _, _, told in runs), 2),
        "peak_mib": round(max(peak for _, peak, _ in runs)),
        "answer": runs[-1][2]["answer"],
        "ended": runs[-1][2]["ended"],
    }
    if options.json:
        print(json.dumps(found, indent=2))
        return
    print(f"first process   {found['first_s']:.2f} s")
    print(f"warm processes  median {found['warm_s']:.2f} s, n = {options.rounds}")
    print(f"the loop alone  median {found['loop_s']:.2f} s")
    print(f"peak memory     {found['peak_mib']} MiB")
    print(f"answer          {found['answer']!r}, ended {found['ended']}")


if __name__ == "__main__":
    main()
