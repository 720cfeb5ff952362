"""nano's pre-training: (1) the vision tower alone, (2) language joined. Resumable at any time."""

from __future__ import annotations

import json
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file, save_file
from torch import nn
from transformers import PreTrainedTokenizerFast, Qwen3VLForConditionalGeneration

from pixelis.errors import CheckpointError
from pixelis.models.nano import new_nano
from pixelis.training import grow, lessons, pool
from pixelis.training.batch import Batch, Encoder, collate, dense_of, pixels_of
from pixelis.training.hardware import best_device, precision
from pixelis.training.lessons import Lesson
from pixelis.training.loss import DenseHead, DenseLoss, Forward, TokenLoss, dense_loss, forward
from pixelis.training.optimizer import Optimizers, Rates, optimizers
from pixelis.training.pool import Record
from pixelis.training.settings import PretrainConfig
from pixelis.training.vocabulary import make_tokenizer

GROUP = 4
TELLING = 8.0


class Library:
    """Records read from the pool's shards so far; waits until there are enough to begin."""

    def __init__(self, folder: Path, least: int) -> None:
        self.folder = folder
        self.records: list[Record] = []
        self._read: set[str] = set()
        while len(self.records) < least:
            self.refresh()
            if len(self.records) < least:
                time.sleep(2)
        self.refresh()

    def refresh(self) -> None:
        """Reads shards that are new."""
        for path in sorted(self.folder.glob("shard-?????.npz")):
            if path.name not in self._read:
                self._read.add(path.name)
                self.records.extend(pool.read_shard(path))

    def pick(self, rng: np.random.Generator) -> Record:
        return self.records[int(rng.integers(len(self.records)))]


def start_drawing(config: PretrainConfig) -> list[multiprocessing.Process]:
    """Worker processes that fill the pool; they end by themselves."""
    shards = -(-config.records // pool.SHARD)
    context = multiprocessing.get_context("spawn")
    folder = config.out.parent / "pool"
    workers = [
        context.Process(
            target=pool.fill, args=(folder, config.seed, k, config.workers, shards), daemon=True
        )
        for k in range(config.workers)
    ]
    for worker in workers:
        worker.start()
    return workers  # type: ignore[return-value]


def draw_lesson(rng: np.random.Generator, library: Library, turns: int) -> Lesson:
    """A lesson of a random kind about a random picture."""
    while True:
        record = library.pick(rng)
        kind = rng.random()
        if record.kind == "crowd" and rng.random() < 0.8:
            continue  # crowds are for the tower; some let language learn to tell glyphs
        made = (
            lessons.look_lesson(rng, record, turns)
            if kind < 0.45 or record.kind == "crowd"
            else lessons.zoom_lesson(rng, record, turns)
            if kind < 0.68
            else lessons.episode_lesson(rng, record)
        )
        if made is not None:
            return made


def ahead(make: Callable[[int], Any], start: int, stop: int, depth: int = 6) -> Iterator[Any]:
    """make(start), make(start+1), ... computed in a thread `depth` steps ahead."""
    ready: queue.Queue[Any] = queue.Queue(depth)

    def work() -> None:
        try:
            for step in range(start, stop):
                ready.put(make(step))
            ready.put(None)
        except BaseException as error:
            ready.put(error)
            raise

    threading.Thread(target=work, daemon=True).start()
    while (item := ready.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


def by_length(
    encoder: Encoder, draw: Callable[[int], list[Lesson]], batch: int, dense: bool
) -> Callable[[int], Batch]:
    """Batches of lessons of like length: `GROUP` batches are drawn at once and sorted.

    Unsorted, a third of all tokens were padding.
    """
    held: dict[int, list[Batch]] = {}

    def make(step: int) -> Batch:
        group, place = divmod(step, GROUP)
        if group not in held:
            held.clear()
            drawn = sorted(draw(group), key=lambda lesson: len(encoder.lesson(lesson).ids))
            parts = [drawn[k : k + batch] for k in range(0, len(drawn), batch)]
            order = np.random.default_rng(group).permutation(len(parts))
            held[group] = [collate(encoder, parts[k], dense) for k in order]
        return held[group][place]

    return make


@dataclass
class Run:
    """What both stages share."""

    config: PretrainConfig
    model: Qwen3VLForConditionalGeneration
    tokenizer: PreTrainedTokenizerFast
    head: DenseHead
    report: Callable[[dict[str, Any]], None]
    device: torch.device

    def precision(self) -> AbstractContextManager[Any]:
        """Autocast to bf16 where that is faster."""
        return precision(self.device, self.config.precision)


def rate(step: int, total: int, warmup: int, decay_from: float = 0.5) -> float:
    """Learning-rate factor: linear warm-up, flat, linear decay to 2 % after `decay_from`."""
    if step < warmup:
        return (step + 1) / warmup
    fall = (step / total - decay_from) / (1 - decay_from)
    return 1.0 if fall <= 0 else max(0.02, 1 - fall)


def optimizers_of(
    run: Run, modules: Sequence[nn.Module], muon: float, tower: float = 1.0
) -> Optimizers:
    """Optimizers of the modules; the vision tower learns at `tower` times the rates."""
    rates = Rates(run.config.lr, muon, run.config.weight_decay)
    return optimizers(rates, modules, run.model.model.visual, tower)


def freeze_tower(model: Qwen3VLForConditionalGeneration) -> None:
    """The vision tower stops learning: a step costs a quarter less, and what it knows stays."""
    model.model.visual.requires_grad_(False)


# checkpoints
def save_checkpoint(run: Run, optimizer: Optimizers, stage: str, step: int) -> None:
    """Weights, head and optimizer of a stage after `step` steps, replaced atomically."""
    folder = run.config.out
    weights = {
        k: v.contiguous() for k, v in run.model.state_dict().items() if k != "lm_head.weight"
    }
    head = {f"head.{k}": v.contiguous() for k, v in run.head.state_dict().items()}
    save_file(weights | head, folder / "weights.part")
    torch.save(optimizer.state_dict(), folder / "optimizer.part")
    os.replace(folder / "optimizer.part", folder / "optimizer.pt")
    os.replace(folder / "weights.part", folder / "weights.safetensors")
    (folder / "state.json").write_text(json.dumps({"stage": stage, "step": step}))


def load_weights(run: Run, path: Path) -> None:
    """Weights and head from a checkpoint file; one with fewer layers is grown."""
    tensors = load_file(path)
    head = {k.removeprefix("head."): v for k, v in tensors.items() if k.startswith("head.")}
    body = {k: v for k, v in tensors.items() if not k.startswith("head.")}
    layers = run.model.config.text_config.num_hidden_layers
    if 0 < grow.depth(body) < layers:
        body = grow.grown(body, layers)
    missing, unexpected = run.model.load_state_dict(body, strict=False)
    if unexpected or set(missing) - {"lm_head.weight"}:
        raise CheckpointError(
            f"{path}: does not fit this nano (other version?); start a new folder"
        )
    fresh = run.head.state_dict()
    # the head is thrown away in the end; parts that an older one lacks start anew
    fits = {k: v for k, v in head.items() if k in fresh and fresh[k].shape == v.shape}
    run.head.load_state_dict(fresh | fits)


def start_of(path: Path) -> tuple[Path, Path]:
    """Weights file and tokenizer folder of a run's `weights.safetensors` or of a model folder.

    CheckpointError when one of them is not there.
    """
    parts = (
        (path / "model.safetensors", path) if path.is_dir() else (path, path.parent / "tokenizer")
    )
    for part in parts:
        if not part.exists():
            raise CheckpointError(
                f"{part} is not there; start from a run's weights.safetensors or a model folder"
            )
    return parts


def resume_point(run: Run) -> tuple[str, int]:
    """Where to go on: stage and step; ("vision", 0) for a fresh start."""
    state = run.config.out / "state.json"
    if not state.exists():
        if run.config.start_from is not None:
            load_weights(run, start_of(run.config.start_from)[0])
        return "vision", 0
    load_weights(run, run.config.out / "weights.safetensors")
    at = json.loads(state.read_text())
    return at["stage"], int(at["step"])


def load_optimizer(run: Run, optimizer: Optimizers, step: int) -> None:
    """Optimizer state of an interrupted stage."""
    path = run.config.out / "optimizer.pt"
    if step and path.exists():
        optimizer.load_state_dict(torch.load(path, weights_only=True, map_location=run.device))


# stages
def _seeing(seen: DenseLoss) -> dict[str, float]:
    values = {"dense": seen.loss.item(), "class": seen.classes, "glyph": seen.glyphs}
    return {**values, "color": seen.colors, "box": seen.box}


def vision_stage(run: Run, library: Library, start: int) -> None:
    """The tower alone on crowded canvases, overviews and zooms, with the dense loss."""
    config, tower = run.config, run.model.model.visual
    optimizer = optimizers_of(run, [tower, run.head], config.muon_lr)
    load_optimizer(run, optimizer, start)

    def make(step: int) -> tuple[Any, ...]:
        rng = np.random.default_rng([config.seed, 1, step])
        records = [library.pick(rng) for _ in range(config.vision_batch)]
        images = [record.views[int(rng.integers(len(record.views)))] for record in records]
        return (*pixels_of(images), dense_of(images))

    for step, (pixels, grid, truth) in enumerate(ahead(make, start, config.vision_steps), start):
        with run.precision():
            merged = tower(pixels.to(run.device), grid_thw=grid.to(run.device)).pooler_output
        seen = dense_loss(run.head, merged.float(), truth.to(run.device))
        norm = optimizer.update(seen.loss, rate(step, config.vision_steps, config.warmup, 0.3))
        run.report({"stage": "vision", "step": step, "norm": norm, **_seeing(seen)})
        _housekeeping(run, library, optimizer, "vision", step + 1)


def joint_stage(run: Run, library: Library, start: int) -> None:
    """Language joined: the mixture of lessons; the dense loss goes on where the tower learns."""
    config = run.config
    encoder = Encoder(run.tokenizer)
    vocabulary = run.model.config.text_config.vocab_size
    token_loss = TokenLoss(run.tokenizer, vocabulary).to(run.device)
    if config.tower_lr == 0:
        freeze_tower(run.model)
    modules = [run.model, run.head]
    optimizer = optimizers_of(run, modules, config.joint_muon_lr, config.tower_lr or 1.0)
    load_optimizer(run, optimizer, start)

    def draw(group: int) -> list[Lesson]:
        rng = np.random.default_rng([config.seed, 2, group])
        count = config.joint_batch * GROUP
        return [draw_lesson(rng, library, config.turns) for _ in range(count)]

    make = by_length(encoder, draw, config.joint_batch, config.tower_lr > 0)
    for step, batch in enumerate(ahead(make, start, config.joint_steps), start):
        with run.precision():
            passed = forward(run.model, run.head, batch.to(run.device))
        loss, values = combine(run, token_loss, passed, batch)
        norm = optimizer.update(loss, rate(step, config.joint_steps, config.warmup, 0.4))
        run.report({"stage": "joint", "step": step, "norm": norm, **values})
        _housekeeping(run, library, optimizer, "joint", step + 1)
    save_checkpoint(run, optimizer, "joint", config.joint_steps)


def combine(
    run: Run, token_loss: TokenLoss, passed: Forward, batch: Batch
) -> tuple[torch.Tensor, dict[str, float]]:
    """The whole loss of a batch and its parts as numbers.

    The dense loss counts only while the tower learns.
    """
    config = run.config
    language = token_loss(passed.logits, passed.labels)
    hit = (passed.logits.argmax(-1) == passed.labels).float().mean()
    loss = language + config.pointing_weight * (passed.astray + TELLING * passed.off)
    values = {"loss": language, "hit": hit, "astray": passed.astray, "off": passed.off}
    numbers = {key: float(value.detach()) for key, value in values.items()}
    if config.tower_lr > 0 and batch.dense is not None:
        seen = dense_loss(run.head, passed.merged.float(), batch.dense.to(run.device))
        loss = loss + config.dense_weight * seen.loss
        numbers |= _seeing(seen)
    return loss, numbers


def _housekeeping(run: Run, library: Library, optimizer: Optimizers, stage: str, done: int) -> None:
    if done % 50 == 0:
        library.refresh()
    if done % run.config.save_every == 0:
        save_checkpoint(run, optimizer, stage, done)


def new_run(config: PretrainConfig, report: Callable[[dict[str, Any]], None]) -> Run:
    """Fresh model, tokenizer and head; the tokenizer is kept beside the checkpoints."""
    config.out.mkdir(parents=True, exist_ok=True)
    folder = config.out / "tokenizer"
    if folder.exists():
        tokenizer = PreTrainedTokenizerFast.from_pretrained(str(folder))
    else:
        if config.start_from is None:
            tokenizer = make_tokenizer(config.seed)
        else:
            before = start_of(config.start_from)[1]
            tokenizer = PreTrainedTokenizerFast.from_pretrained(str(before))
        tokenizer.save_pretrained(str(folder))
    device = best_device()
    model = new_nano(tokenizer, config.seed)
    head = DenseHead(model.config.text_config.hidden_size)
    if device.type == "cpu":  # many short sequences: plain products beat the fused kernel's loop
        model.model.visual.config._attn_implementation = "eager"
    return Run(config, model.to(device), tokenizer, head.to(device), report, device)


def pretrain(config: PretrainConfig, report: Callable[[dict[str, Any]], None]) -> Run:
    """Runs or resumes both stages; `report` gets one dict of numbers a step."""
    torch.set_num_threads(config.threads)
    run = new_run(config, report)
    stage, step = resume_point(run)
    workers = start_drawing(config)
    library = Library(config.out.parent / "pool", min(config.records, 4 * pool.SHARD))
    if stage == "vision":
        vision_stage(run, library, step)
        save_checkpoint(run, Optimizers([]), "joint", 0)
        step = 0
    joint_stage(run, library, step)
    for worker in workers:
        worker.terminate()
    return run
