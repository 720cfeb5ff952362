"""The store beside what it is made of: search beside an exact scan, durable writes beside SQLite.

One line of JSON. Search and building are counted in processor time, so that what else the machine
does shows less; writes in wall time, as they wait for the disk. `recall_at_10` of the graph is
against the exact scan on the same vectors, drawn in clusters as embeddings of similar questions
are;
`writes_per_s` are single acknowledged experiences (with votes, no media), in turn with single
committed rows of the same size in a bare SQLite database with the same durability.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import tempfile
import time
from pathlib import Path

import numpy as np

from pixelis.memory import Experience, Memory, Vote
from pixelis.memory.index import Exact, Graph


def vectors(count: int, dims: int, seed: int) -> np.ndarray:
    """Unit vectors in clusters of about twenty, float32 (count, dims)."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(max(1, count // 20), dims))
    rng = np.random.default_rng(seed)
    rows = centres[rng.integers(len(centres), size=count)] + 0.7 * rng.normal(size=(count, dims))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def timed(engine: Exact | Graph, queries: np.ndarray) -> tuple[list[float], list[set[int]]]:
    """Milliseconds of processor time of each search, and what it found."""
    spent, found = [], []
    for query in queries:
        start = time.process_time()
        hits = engine.search(query, 10)
        spent.append((time.process_time() - start) * 1000)
        found.append({hit.seq for hit in hits})
    return spent, found


def search(count: int, dims: int, asked: int) -> dict[str, float]:
    rows, queries = vectors(count, dims, 1), vectors(asked, dims, 2)
    exact, graph = Exact(dims), Graph(dims)
    seqs = np.arange(1, count + 1)
    exact.add(seqs, rows)
    start = time.process_time()
    graph.add(seqs, rows)
    built = time.process_time() - start
    slow, wanted = timed(exact, queries)
    fast, got = timed(graph, queries)
    hits = [len(a & b) / 10 for a, b in zip(wanted, got, strict=True)]
    return {
        "build_cpu_s": round(built, 1),
        "recall_at_10": round(float(np.mean(hits)), 4),
        "exact_p50_cpu_ms": round(float(np.percentile(slow, 50)), 3),
        "exact_p95_cpu_ms": round(float(np.percentile(slow, 95)), 3),
        "graph_p50_cpu_ms": round(float(np.percentile(fast, 50)), 3),
        "graph_p95_cpu_ms": round(float(np.percentile(fast, 95)), 3),
    }


def plain(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, isolation_level=None)
    base.execute("PRAGMA journal_mode=WAL")
    base.execute("PRAGMA synchronous=FULL")
    base.execute("CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT, embedding BLOB)")
    return base


def writes(count: int, dims: int) -> dict[str, float]:
    """Both sides take turns, so that a busy machine slows them alike."""
    rows = vectors(count, dims, 3)
    spent = {"store": 0.0, "sqlite": 0.0}
    text = json.dumps({"steps": ["x" * 200] * 4})
    votes = [Vote("3", "3", 0.5, 1.0, "sampled")] * 8
    with tempfile.TemporaryDirectory() as folder:
        base = plain(Path(folder) / "plain.db")
        with Memory(Path(folder) / "store") as memory:
            for number, row in enumerate(rows):
                one = Experience(
                    f"question {number}", "3", episode={"text": text}, embedding=row, space="b"
                )
                start = time.perf_counter()
                memory.add(one, votes=votes)
                middle = time.perf_counter()
                base.execute("INSERT INTO rows VALUES (?, ?, ?)", (number, text, row.tobytes()))
                spent["store"] += middle - start
                spent["sqlite"] += time.perf_counter() - middle
        base.close()
    return {
        "writes_per_s": round(count / spent["store"], 1),
        "sqlite_writes_per_s": round(count / spent["sqlite"], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=100_000)
    parser.add_argument("--dims", type=int, default=384)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--writes", type=int, default=300)
    args = parser.parse_args()
    found = {
        "benchmark": "memory", "count": args.count, "dims": args.dims,
        **search(args.count, args.dims, args.queries), **writes(args.writes, args.dims),
    }  # fmt: skip
    print(json.dumps(found))


if __name__ == "__main__":
    main()
