"""Parquet rows for verl, from files of episodes or drawn from the worlds.

python recipes/verl/rows.py --count 2000 --out runs/verl/train.parquet
python recipes/verl/rows.py --data runs/data --count 2000 --out runs/verl/train.parquet
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

FAMILIES = (
    *("text_extraction", "attribute_recognition", "object_counting", "geometric_comparison"),
    *("spatial_reasoning", "relationship_detection"),
)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=20261121)
    parser.add_argument("--split", default="train")
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def main() -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    from pixelis.training.material import read
    from pixelis.training.questions import Drawn, Questions, Recorded
    from pixelis.training.verl import row

    args = parse()
    source: Questions = Drawn(args.seed, FAMILIES)
    if args.data:
        source = Recorded(read(args.data), args.seed)
    rows: list[dict[str, Any]] = [
        row(question, index, args.split) for index, question in enumerate(source.at(0, args.count))
    ]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), args.out)
    print(f"{len(rows)} rows in {args.out}")


if __name__ == "__main__":
    main()
