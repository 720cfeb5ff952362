"""The contract of frames and dynamics, C1 to C10, each measured on a model at hand."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import torch

from pixelis.data.stories import tell
from pixelis.errors import ConfigError
from pixelis.evals.wheeler.oracle import peaks_by_cell, smooth_by_cell
from pixelis.evals.wheeler.reading import SIDES, accuracy, drawn, flip, occlude, read_back
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.dynamics import WheelerMemoryCPU
from pixelis.wheeler.memory import WheelerMemory
from pixelis.wheeler.rules import LEGACY
from pixelis.wheeler.tokens import encode_text

MEMORIES, QUESTIONS = 1000, 200


class Line(NamedTuple):
    """One line of the contract: whether it holds, the figure behind it, and what it says."""

    ok: bool
    value: Any
    says: str


class Scene:
    """A model with stored texts, damaged frames and unseen texts, shared by all lines."""

    def __init__(
        self, model: WheelerTextAutoencoder, source: str, memories: int = MEMORIES
    ) -> None:
        self.model, self.source = model, source
        self.rng = np.random.default_rng([11, 37])
        self.texts = [
            str(text)
            for text in tell.distinct(lambda: tell.draw_memory(self.rng, "combinations"), memories)
        ]
        known = set(self.texts)
        more = tell.distinct(lambda: tell.draw_memory(self.rng, "combinations"), QUESTIONS)
        self.unseen = [str(text) for text in more if str(text) not in known]
        self.memory = WheelerMemory(model)
        self.memory.remember_all(self.texts)
        self.frames = self.memory.frames()
        count = min(QUESTIONS, memories)
        self.chosen = self.rng.choice(memories, count, replace=False)
        self.plain = WheelerMemoryCPU(model.shape.grid, model.shape.grid, memories=self.frames)


def check(scene: Scene) -> Iterator[tuple[str, Line]]:
    """Every line but C10, which needs the goals; in order."""
    for number, line in enumerate(LINES, 1):
        yield f"C{number}", line(scene)


def c1(scene: Scene) -> Line:
    model, texts = scene.model, [*scene.texts[:24], "", "a", "word " * 900]
    together = model.get_grid_as_image(model.encode(texts))
    alone = torch.cat([model.get_grid_as_image(model.encode(text)) for text in texts])
    gap = float((together - alone).abs().max())
    size = model.shape.grid
    ok = (
        together.dtype == torch.float32
        and together.shape == (len(texts), size, size)
        and bool(torch.isfinite(together).all())
        and float(together.abs().max()) <= 1
        and gap <= 1e-5
    )
    return Line(ok, gap, "a frame is float32, in [-1, 1], and does not depend on its batch mates")


def c2(scene: Scene) -> Line:
    spread = float(scene.frames.std((1, 2)).min())
    distinct = len({frame.tobytes() for frame in scene.frames}) / len(scene.frames)
    text = scene.texts[0]
    here = scene.model.frames(text).numpy().tobytes().hex()
    others = {_elsewhere(scene.source, text, seed, threads) for seed, threads in ((1, 1), (2, 2))}
    same = others == {here}
    value = {"least std": round(spread, 3), "distinct": distinct, "same elsewhere": same}
    return Line(
        spread >= 0.1 and distinct == 1 and same,
        value,
        "frames are not flat, not alike, and the same in every process, with any threads",
    )


def _elsewhere(source: str, text: str, seed: int, threads: int) -> str:
    """The text's frame as another process draws it, in hex."""
    code = (
        "import sys, torch; torch.set_num_threads(int(sys.argv[3]));"
        "from pixelis.wheeler import WheelerTextAutoencoder as W;"
        "m = W.load_from_checkpoint(sys.argv[1]);"
        "print(m.get_grid_as_image(m.encode(sys.argv[2])).numpy().tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, source, text, str(threads)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": str(seed), "OMP_NUM_THREADS": str(threads)},
    )
    return done.stdout.strip()


def c3(scene: Scene) -> Line:
    model, size = scene.model, scene.model.shape.grid
    noise = torch.from_numpy(scene.rng.uniform(-1, 1, (8, size, size)).astype(np.float32))
    wrong = float((model.get_grid_as_image(model.set_grid_from_image(noise)) - noise).abs().max())
    grid = model.encode(scene.texts[:16])
    again = model.set_grid_from_image(model.get_grid_as_image(grid))
    agree = model.decode(grid) == model.decode(again)
    return Line(
        wrong == 0 and agree,
        wrong,
        "picture -> grid -> picture changes nothing, and both read alike",
    )


def c4(scene: Scene) -> Line:
    wide = WheelerMemoryCPU(7, 5, memories=scene.rng.uniform(-1, 1, (3, 5, 7)))
    wrong = []
    for dtype in (np.float32, np.float64):
        frame = scene.rng.uniform(-1, 1, (5, 7)).astype(dtype)
        out = wide.run_dynamics(frame)
        if out.shape != (5, 7) or out.dtype != dtype or np.abs(out).max() > 1:
            wrong.append(str(dtype))
    if wide.run_dynamics(b"Hello").shape != (5, 7):
        wrong.append("bytes")
    for bad, word in ((np.full((5, 7), np.nan), "NaN"), (np.zeros((7, 5)), "(5, 7)")):
        try:
            wide.run_dynamics(bad)
            wrong.append(f"{word} accepted")
        except ConfigError as error:
            wrong += [] if word in str(error) else [f"{word} not named"]
    return Line(
        not wrong,
        wrong,
        "dynamics keep shape, dtype and range, and refuse NaN and wrong shapes by name",
    )


def c5(scene: Scene) -> Line:
    worst_next = worst_later = 0.0
    for dtype in (np.float32, np.float64):
        for place in scene.chosen[:4]:
            hurt = flip(scene.rng, scene.frames[place], 0.3).astype(dtype)
            rest = scene.plain.run_dynamics(hurt)
            now = scene.plain.rule.tick(rest).astype(dtype)
            worst_next = max(worst_next, float(np.abs(now - rest).max()))
            for _ in range(1000):
                now = scene.plain.rule.tick(now).astype(dtype)
            worst_later = max(worst_later, float(np.abs(now - rest).max()))
    ok = worst_next <= 1e-6 and worst_later <= 1e-5
    value = {"next tick": worst_next, "1000 ticks later": worst_later}
    return Line(ok, value, "a settled frame stays settled, in float32 and float64")


def c6(scene: Scene) -> Line:
    gaps, fixed = [], []
    for place in scene.chosen[:50]:
        once = scene.plain.run_dynamics(flip(scene.rng, scene.frames[place], 0.3))
        gaps.append(float(np.abs(scene.plain.run_dynamics(once) - once).max()))
    for frame in scene.frames:
        found = scene.memory.recall_frame(frame, gist=False)
        stays = np.abs(found.frame - frame).max() <= 1e-3
        fixed.append(bool(stays or found.state == "MIXED"))
    value = {"twice against once": max(gaps), "fixed points": float(np.mean(fixed))}
    return Line(
        max(gaps) <= 1e-5 and value["fixed points"] >= 0.99,
        value,
        "settling twice is settling once, and memories are fixed points or told as MIXED",
    )


def c7(scene: Scene) -> Line:
    keys: dict[str, list[bool]] = {"30 % flipped": [], "half occluded": []}
    for place in scene.chosen:
        frame = scene.frames[place]
        key = scene.memory.recall_frame(frame, gist=False).key
        side = SIDES[int(scene.rng.integers(len(SIDES)))]
        hurt = {"30 % flipped": flip(scene.rng, frame, 0.3), "half occluded": occlude(frame, side)}
        for name, picture in hurt.items():
            keys[name].append(scene.memory.recall_frame(picture, gist=False).key == key)
    value = {name: float(np.mean(same)) for name, same in keys.items()}
    return Line(
        min(value.values()) >= 0.99,
        value,
        f"a damaged frame gets the same key among {len(scene.texts)} memories",
    )


def c8(scene: Scene) -> Line:
    model = scene.model
    stored = scene.frames[scene.chosen]
    settled = np.stack([scene.memory.recall_frame(f, gist=False).frame for f in stored])
    before, after = rows_of(model, stored), rows_of(model, settled)
    agree = float(np.mean([a == b for a, b in zip(before, after, strict=True)]))
    wanted = [encode_text(model.tokenizer, text) for text in scene.unseen]
    fresh = drawn(model, scene.unseen)
    empty = WheelerMemoryCPU(model.shape.grid, model.shape.grid)
    alone = np.stack([empty.run_dynamics(frame) for frame in fresh.numpy()])
    among = np.stack([scene.memory.recall(text, gist=False).frame for text in scene.unseen])
    base = float(np.mean(accuracy(wanted, read_back(model, fresh))))
    costs = {
        "stored, same text": agree,
        "unseen, cost without memories": base - _accuracy(model, wanted, alone),
        "unseen, cost among memories": base - _accuracy(model, wanted, among),
    }
    ok = agree >= 0.99 and max(list(costs.values())[1:]) <= 0.01
    return Line(
        ok,
        {k: round(v, 4) for k, v in costs.items()},
        "settling leaves what stored frames say, and costs an unseen text a point at most",
    )


def c9(scene: Scene) -> Line:
    worst = 0.0
    oracles = {"peaks": peaks_by_cell, "smooth": smooth_by_cell}
    for name, rule in LEGACY.items():
        for shape in ((6, 9), (8, 8)):
            frame = scene.rng.uniform(-1, 1, shape)
            frame[0, :2] = frame[0, 2]  # a flat spot
            moved = rule().tick(frame)
            worst = max(worst, float(np.abs(moved - oracles[name](frame)).max()))
            turned = rule().tick(np.rot90(frame))
            worst = max(worst, float(np.abs(turned - np.rot90(moved)).max()))
    return Line(
        worst <= 1e-12,
        worst,
        "legacy rules equal a cell-by-cell oracle and do not mind a quarter turn",
    )


def c10(goals: Mapping[str, Mapping[str, Any]]) -> Line:
    """Every goal is printed beside the arm without dynamics and the plain baselines."""
    lacking = [
        name for name, goal in goals.items() if goal["target"] and not stands(goal["baselines"])
    ]
    return Line(
        bool(goals) and not lacking,
        lacking,
        "every goal stands beside the arm without dynamics and the baselines",
    )


def stands(arms: Mapping[str, Any]) -> bool:
    """Whether the arm without dynamics, some k-NN, BM25 and a classical Hopfield network are told,
    each with a figure or as what cannot do it at all."""
    return {"dynamics off", "BM25", "classical Hopfield"} <= set(arms) and any(
        "k-NN" in arm for arm in arms
    )


LINES: tuple[Callable[[Scene], Line], ...] = (c1, c2, c3, c4, c5, c6, c7, c8, c9)


def rows_of(model: WheelerTextAutoencoder, frames: np.ndarray) -> list[list[int]]:
    return read_back(model, torch.from_numpy(frames.clip(-1, 1).astype(np.float32)))


def _accuracy(model: WheelerTextAutoencoder, wanted: list[list[int]], frames: np.ndarray) -> float:
    return float(np.mean(accuracy(wanted, rows_of(model, frames))))
