"""Supervised fine-tuning of nano on executed episodes, or of its twin that answers directly.

Half of every batch goes on being lessons of pre-training: on episodes alone locating fades. The
twin gets the same pictures, questions and steps, but learns to answer at once.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from pixelis.answers.types import CANNOT
from pixelis.data import phrases, synthesis
from pixelis.data.synthesis import Golden
from pixelis.geometry import Size, View, whole
from pixelis.models.dialects.qwen3 import Qwen3
from pixelis.models.nano import SYSTEM, TEXT_LIMIT
from pixelis.models.template import VISION, segments
from pixelis.training import lessons, pool
from pixelis.training.batch import Encoder
from pixelis.training.lessons import Lesson
from pixelis.training.loss import TokenLoss, forward
from pixelis.training.pretrain import (
    GROUP,
    Library,
    Run,
    ahead,
    by_length,
    combine,
    draw_lesson,
    freeze_tower,
    load_optimizer,
    new_run,
    optimizers_of,
    rate,
    resume_point,
    save_checkpoint,
)
from pixelis.training.settings import SftConfig
from pixelis.training.views import NOTHING, Seen


def start_executing(config: SftConfig) -> list[multiprocessing.process.BaseProcess]:
    """Worker processes that execute golden episodes into the episode folder."""
    shards = -(-config.episodes // synthesis.SHARD)
    context = multiprocessing.get_context("spawn")
    folder = config.out.parent / "episodes"
    arguments = (shards, pool.BUDGET, TEXT_LIMIT)
    workers = [
        context.Process(
            target=synthesis.fill,
            args=(folder, config.seed, k, config.workers, *arguments),
            daemon=True,
        )
        for k in range(config.workers)
    ]
    for worker in workers:
        worker.start()
    return list(workers)


class Shelf:
    """Golden episodes read so far; waits for the first ones."""

    def __init__(self, folder: Path, least: int) -> None:
        self.folder = folder
        self.items: list[Golden] = []
        self._read: set[str] = set()
        while len(self.items) < least:
            self.refresh()
            if len(self.items) < least:
                time.sleep(2)

    def refresh(self) -> None:
        for path in sorted(self.folder.glob("episodes-?????.jsonl")):
            if path.name not in self._read:
                self._read.add(path.name)
                self.items.extend(synthesis.read_shard(path))


def as_seen(image: np.ndarray) -> Seen:
    """An image of an episode, its dense truth unknown."""
    size = Size(image.shape[1], image.shape[0])
    cover = np.full((size.height // 16, size.width // 16), NOTHING, np.uint8)
    return Seen(image, View(whole(size), size), cover, (), known=False)


def episode_lesson(golden: Golden) -> Lesson:
    """An executed episode as a training sequence; only what the model wrote is learned.

    Calls that went wrong on purpose are read, not imitated.
    """
    parts = segments(Qwen3().messages(golden.episode, SYSTEM))
    parts = [part._replace(written=part.written and part.learned) for part in parts]
    return Lesson(tuple(parts), tuple(as_seen(image) for image in golden.images))


def direct_lesson(golden: Golden) -> Lesson:
    """The same question answered at once."""
    answer = golden.gold or CANNOT
    messages = [
        {"role": "system", "content": SYSTEM},
        {"role": "user", "content": VISION + golden.episode.question},
        {"role": "assistant", "content": answer},
    ]
    return Lesson(tuple(segments(messages)), (as_seen(golden.images[0]),))


def direct_drawn(rng: np.random.Generator, library: Library) -> Lesson:
    """Several questions of all families about one picture of the pool, answered at once."""
    while True:
        record = library.pick(rng)
        if not record.queries:
            continue
        found = []
        for _ in range(4):
            if rng.random() < 0.1:
                found.append(lessons.ask_unknown(rng, record.views[0]))
                continue
            query = lessons.balanced(rng, record.queries)
            found.append((phrases.ask(rng, query.kind, query.slots), query.answer))
        return lessons.about(record.views[0], found)


def draw_group(config: SftConfig, shelf: Shelf, library: Library, group: int) -> list[Lesson]:
    """Executed episodes and lessons, mixed, for `GROUP` batches."""
    rng = np.random.default_rng([config.seed, 3, group])
    count = config.batch * GROUP
    kept = round(count * config.lessons_share)
    chosen = [shelf.items[int(rng.integers(len(shelf.items)))] for _ in range(count - kept)]
    if config.direct:
        made = [direct_lesson(golden) for golden in chosen]
        return made + [direct_drawn(rng, library) for _ in range(kept)]
    made = [episode_lesson(golden) for golden in chosen]
    return made + [draw_lesson(rng, library, config.turns) for _ in range(kept)]


def sft(
    config: SftConfig, report: Callable[[dict[str, Any]], None], least: int = synthesis.SHARD
) -> Run:
    """Runs or resumes fine-tuning; `report` gets one dict of numbers a step.

    Begins as soon as `least` golden episodes are there.
    """
    import torch

    torch.set_num_threads(config.threads)
    run = new_run(config, report)
    _, start = resume_point(run)
    workers = start_executing(config)
    shelf = Shelf(config.out.parent / "episodes", least)
    library = Library(config.out.parent / "pool", 1)
    encoder = Encoder(run.tokenizer)
    vocabulary = run.model.config.text_config.vocab_size
    token_loss = TokenLoss(run.tokenizer, vocabulary).to(run.device)
    if config.tower_lr == 0:
        freeze_tower(run.model)
    optimizer = optimizers_of(run, [run.model, run.head], config.muon_lr, config.tower_lr or 1.0)
    load_optimizer(run, optimizer, start)

    def draw(group: int) -> list[Lesson]:
        return draw_group(config, shelf, library, group)

    make = by_length(encoder, draw, config.batch, config.tower_lr > 0)
    for step, batch in enumerate(ahead(make, start, config.steps), start):
        with run.precision():
            passed = forward(run.model, run.head, batch.to(run.device))
        loss, values = combine(run, token_loss, passed, batch)
        norm = optimizer.update(loss, rate(step, config.steps, config.warmup, 0.1))
        run.report({"stage": "sft", "step": step, "norm": norm, **values})
        if (step + 1) % config.save_every == 0 or step + 1 == config.steps:
            save_checkpoint(run, optimizer, "sft", step + 1)
            shelf.refresh()
    for worker in workers:
        worker.terminate()
    return run
