"""Ticks a second of Wheeler's dynamics: NumPy reference, batched torch, the fast path, the bound.

python benchmarks/wheeler.py --side 64 --sizes 1000 10000 100000

The bound is what reading the stored frames twice a tick (once for likeness, once for the pull)
allows at the speed with which this machine sums memory. Frames are random, of two levels.
"""

from __future__ import annotations

import argparse
import json

import torch

from pixelis.evals.wheeler.speed import bandwidth, row_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1000, 10_000, 100_000])
    parser.add_argument("--threads", type=int, default=None)
    given = parser.parse_args()
    if given.threads:
        torch.set_num_threads(given.threads)
    copied = bandwidth()
    report = {
        "benchmark": "wheeler",
        "side": given.side,
        "threads": torch.get_num_threads(),
        "memory read, GB/s": round(copied / 1e9, 1),
        "memories": {str(size): row_of(size, given.side, copied) for size in given.sizes},
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
