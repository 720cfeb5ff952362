"""Time of `pixelis --help`, a process each; the bar is half a second."""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time

BAR_S = 0.5


def seconds(words: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(words, capture_output=True, check=True)
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "pixelis --help": [sys.executable, "-m", "pixelis", "--help"],
        "pixelis ask --help": [sys.executable, "-m", "pixelis", "ask", "--help"],
    }
    for name, words in commands.items():
        times = [seconds(words) for _ in range(rounds)]
        median, worst = statistics.median(times), max(times)
        print(f"{name:20s} median {median:.3f} s, worst {worst:.3f} s, n = {rounds}")
    print(f"bar {BAR_S} s: {'kept' if median <= BAR_S else 'missed'} by the median")


if __name__ == "__main__":
    main()
