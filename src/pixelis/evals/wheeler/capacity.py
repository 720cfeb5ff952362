"""How many memories it holds, how fast it finds one, and whether the fast way finds the same."""

from __future__ import annotations

import statistics
import time

import numpy as np
import torch

from pixelis.data.stories import damage, tell
from pixelis.evals.wheeler.baselines import BUCKETS, Hopfield
from pixelis.evals.wheeler.figures import Figure, beside, share
from pixelis.evals.wheeler.reading import flip
from pixelis.wheeler import batch
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.memory import WheelerMemory

SIZES = (1000, 10_000, 100_000)
QUESTIONS, FLIPPED, CHECKED = 500, 0.3, 200


def capacity_figures(
    model: WheelerTextAutoencoder, sizes: tuple[int, ...] = SIZES, questions: int = QUESTIONS
) -> list[Figure]:
    """Recall@1 and time of a question at growing size, and the agreement with full settling."""
    rng = np.random.default_rng([7, 31])
    drawn = tell.distinct(lambda: tell.draw_memory(rng, "combinations"), max(sizes))
    texts = [str(text) for text in drawn]
    memory, rows = WheelerMemory(model, room=max(sizes)), []
    for size in sizes:
        memory.remember_all(texts[len(memory) : size], 512)
        rows.append(_at(memory, texts[:size], rng, questions))
    last = rows[-1]
    stored = memory._shelf.frames()
    agreed, untouched = _agreement(memory, torch.from_numpy(stored), last["hurt"][:CHECKED])
    flat = last["hurt"].reshape(len(last["hurt"]), -1).astype(np.float32)
    arms = {
        "dynamics off": last["off"],
        "k-NN on frames": (stored @ flat.T).argmax(0) == last["rows"],
        "classical Hopfield": Hopfield(stored).best(flat) == last["rows"],
    }
    table = {str(row["size"]): {k: row[k] for k in _TOLD} for row in rows}
    more = {"by size": table, "classical Hopfield, frames mended": _hopfield(stored, rng)}
    how = (
        f"{sizes[-1]} stored texts, {FLIPPED:.0%} of the cells of their frames flipped, "
        f"{questions} asked for; milliseconds are medians of one question at a time, "
        "by the clock on the wall"
    )
    found = share("capacity, recall@1", last["hits"], 0.95, arms, how, **more)
    searched = {"dynamics off": last["search ms"], "k-NN on frames": _brute_ms(stored, flat)}
    return [
        found,
        Figure(
            "capacity, ms a question",
            last["ms"],
            20.0,
            last["ms"] <= 20,
            n=questions,
            how=how + "; a frame in, its memory out, without reading it as text",
            baselines=beside(searched),
        ),
        _bytes(memory, stored),
        share(
            "capacity, same end as full settling",
            agreed,
            0.999,
            {"dynamics off": untouched},
            f"{CHECKED} damaged frames among {sizes[-1]}, settled among all of them in torch",
        ),
    ]


def _bytes(memory: WheelerMemory, stored: np.ndarray) -> Figure:
    """Bytes a key; the classical network's are its weights shared by all that was stored."""
    each, cells = memory._shelf.bytes_each, stored.shape[1]
    arms = {
        "dynamics off": each,
        "k-NN on frames": 4 * cells,
        "n-gram k-NN": 4 * BUCKETS,
        "classical Hopfield": round(4 * cells * cells / len(stored), 1),
    }
    how = "in memory while it is searched; the file keeps the text as well"
    return Figure(
        "capacity, bytes a key",
        float(each),
        1024.0,
        each <= 1024,
        baselines=beside(arms),
        n=len(stored),
        how=how,
    )


def _brute_ms(stored: np.ndarray, asked: np.ndarray) -> float:
    """Milliseconds of one question by comparing float frames with all, the median of 20."""
    spent = []
    for frame in asked[:20]:
        start = time.perf_counter()
        (stored @ frame).argmax()
        spent.append(time.perf_counter() - start)
    return round(1000 * statistics.median(spent), 2)


_TOLD = ("recall", "text recall", "ms", "ms, 95 of 100", "CPU ms", "text ms")


def _at(memory: WheelerMemory, texts: list[str], rng: np.random.Generator, questions: int) -> dict:
    """Recall and times with the memories there are now."""
    chosen = rng.choice(len(texts), min(questions, len(texts)), replace=False)
    ids = [row + 1 for row in chosen]  # ids count from 1 in order of adding
    frames = memory._shelf.frames(chosen).reshape(-1, *[memory.model.shape.grid] * 2)
    hurt = [flip(rng, frame, FLIPPED) for frame in frames]
    hits, off, spent, worked = [], [], [], []
    for number, frame in zip(ids, hurt, strict=True):
        start, busy = time.perf_counter(), time.process_time()
        found = memory.recall_frame(frame, gist=False)
        spent.append(time.perf_counter() - start)
        worked.append(time.process_time() - busy)
        hits.append(float(found.matches[0].id == number))
        off.append(float(memory.nearest(frame)[0] == number))
    searched = []
    for frame in hurt[:100]:
        start = time.perf_counter()
        memory._shelf.nearest(frame)
        searched.append(time.perf_counter() - start)
    words, took = [], []
    for number, row in zip(ids[:200], chosen[:200], strict=True):
        asked = damage.drop_words(rng, texts[row], 0.4)
        start = time.perf_counter()
        found = memory.recall(asked, gist=False)
        took.append(time.perf_counter() - start)
        words.append(float(bool(found.matches) and found.matches[0].id == number))
    return {
        "size": len(texts),
        "hits": hits,
        "off": off,
        "rows": chosen,
        "hurt": np.stack(hurt),
        "recall": round(float(np.mean(hits)), 4),
        "text recall": round(float(np.mean(words)), 4),
        "ms": round(1000 * statistics.median(spent), 2),
        "ms, 95 of 100": round(1000 * float(np.quantile(spent, 0.95)), 2),
        "CPU ms": round(1000 * statistics.median(worked), 2),
        "text ms": round(1000 * statistics.median(took), 2),
        "search ms": round(1000 * statistics.median(searched), 2),
    }


def _agreement(
    memory: WheelerMemory, stored: torch.Tensor, hurt: np.ndarray
) -> tuple[list[float], list[float]]:
    """Whether the fast way ends where settling among all memories ends, for each frame;
    and whether the damaged frame was there before."""
    same, before = [], []
    for start in range(0, len(hurt), 50):
        part = hurt[start : start + 50]
        whole = batch.settle(torch.from_numpy(part.reshape(len(part), -1)), stored)
        for frame, end in zip(part, whole.frames.numpy(), strict=True):
            fast = memory.recall_frame(frame, gist=False).frame.ravel()
            same.append(float(np.abs(fast - end).max() < 1e-3))
            before.append(float(np.abs(frame.ravel() - end).max() < 1e-3))
    return same, before


def _hopfield(stored: np.ndarray, rng: np.random.Generator) -> dict[str, float]:
    """Share of damaged frames that a classical network of N memories mends to 99 % of cells."""
    found = {}
    for size in (n for n in (10, 25, 50, 100) if n <= len(stored)):
        rows = stored[:size]
        hurt = np.stack([flip(rng, row, FLIPPED) for row in rows])
        found[str(size)] = round(float(Hopfield(rows).settles(hurt, np.arange(size)).mean()), 4)
    return found
