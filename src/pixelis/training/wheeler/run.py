"""A training run: prepare, learn step by step, validate, keep the best, finish."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, Sampler

from pixelis.errors import ConfigError
from pixelis.training.hardware import best_device, has_bf16
from pixelis.training.wheeler import state as states
from pixelis.training.wheeler.corpus import Source
from pixelis.training.wheeler.lessons import Lesson, Lessons
from pixelis.training.wheeler.loss import TICKS, losses
from pixelis.training.wheeler.settings import WheelerConfig
from pixelis.training.wheeler.sources import open_source, tokenizer_texts
from pixelis.training.wheeler.validate import Validation, validate
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.shape import Shape, shape_of, tile_for
from pixelis.wheeler.tokens import train_tokenizer

Report = Callable[[dict[str, Any]], None]
READING = ("reading", "tokens_right")
FLOOR = 0.02  # of the rate, at the end


@dataclass
class Run:
    """What a run holds; `step` is how many optimizer steps are done."""

    config: WheelerConfig
    model: WheelerTextAutoencoder
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    source: Source
    device: torch.device
    step: int = 0
    best: float = math.inf
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Optimizer steps of the whole run."""
        size = min(self.source.size, self.config.max_train_samples or self.source.size)
        each = self.config.batch_size * self.config.accumulation_steps
        return max(1, self.config.epochs * size // each)

    @property
    def folder(self) -> Path:
        return self.config.output_dir


def train(run: Run, report: Report) -> Run:
    """Goes to the end; leaves `best.pt`, `last.pt` and samples; `report` gets a dict a step."""
    config = run.config
    lessons = loader(run)
    for step, parts in enumerate(lessons, run.step):
        numbers = learn(run, step, parts)
        run.step = step + 1
        report({"stage": "wheeler", "step": step, **numbers})
        last = run.step == run.total
        if last or run.step % config.validate_every == 0:
            report({"stage": "validation", "step": step, **check(run)._asdict()})
        if last or run.step % config.save_every == 0:
            states.save(run, run.folder / "last.pt")
    return run


def prepare(config: WheelerConfig) -> Run:
    """Corpus, tokenizer, model and optimizer; goes on from `resume` or from the run's own last."""
    if config.threads:
        torch.set_num_threads(config.threads)
    torch.manual_seed(config.seed)
    source = open_source(config)
    device = chosen_device(config.device)
    config.output_dir.mkdir(parents=True, exist_ok=True)
    model = new_model(config, source).to(device)
    optimizer = torch.optim.AdamW(
        _groups(model, config), lr=config.lr, betas=(0.9, 0.95), fused=device.type == "cuda"
    )
    scaler = torch.amp.GradScaler(device.type, enabled=config.fp16)
    run = Run(config, model, optimizer, scaler, source, device)
    run.about = {"corpus": source.name, "preset": config.preset, "seed": config.seed}
    start = config.resume or _last_of(config.output_dir)
    if start is not None:
        states.load(run, start)
    model.train()
    if config.compile:  # in place, so that the names of the weights stay
        for part in (model.encoder, model.decoder):
            part.compile()
    return run


def new_model(config: WheelerConfig, source: Source) -> WheelerTextAutoencoder:
    """An untrained model with a tokenizer trained on the corpus."""
    shape = shape_for(config)
    tokenizer = train_tokenizer(tokenizer_texts(source, config.seed), shape.vocab_size)
    return WheelerTextAutoencoder(shape, tokenizer)


def shape_for(config: WheelerConfig) -> Shape:
    """The preset's sizes with those that were given."""
    given = {
        "grid": config.grid_size,
        "d_model": config.d_model,
        "heads": config.num_heads,
        "encoder_layers": config.encoder_layers,
        "decoder_layers": config.decoder_layers,
        "levels": config.levels,
        "key_cells": config.key_cells,
        "vocab_size": config.vocab_size,
        "dropout": config.dropout,
    }
    changes = {name: value for name, value in given.items() if value is not None}
    if config.max_seq_len is not None:
        grid = shape_of(config.preset, **changes).grid
        changes["tile_rows"], changes["tile_columns"] = tile_for(grid, config.max_seq_len)
    return shape_of(config.preset, **changes)


def learn(run: Run, step: int, parts: list[Lesson]) -> dict[str, float]:
    """One optimizer step over `accumulation_steps` lessons; gives the numbers to report."""
    config = run.config
    for group in run.optimizer.param_groups:
        group["lr"] = group["base"] * rate(step, run.total, config.warmup_steps)
    run.optimizer.zero_grad(set_to_none=True)
    torch.manual_seed(config.seed * 1_000_003 + step)  # dropout; the same after a resume
    noise = torch.Generator().manual_seed(config.seed * 1_000_033 + step)
    sums: dict[str, float] = {}
    loop_weight = config.loop_weight * ramp(step / run.total)
    for lesson in parts:
        with precision(run):
            ticks = TICKS if loop_weight else 0
            found = losses(run.model, lesson.to(run.device), config.noise, noise, ticks)
            key = config.key_weight * found.key + loop_weight * found.loop
            key = key + config.novel_weight * found.novel
            loss = (found.reading + key) / len(parts)
        run.scaler.scale(loss).backward()
        for name, value in found._asdict().items():
            if name not in READING or len(lesson.ids):
                sums[name] = sums.get(name, 0.0) + float(value.detach()) / len(parts)
    run.scaler.unscale_(run.optimizer)
    norms = [nn.utils.clip_grad_norm_(part, config.grad_clip) for part in halves(run.model)]
    run.scaler.step(run.optimizer)
    run.scaler.update()
    rates = {"lr": run.optimizer.param_groups[0]["lr"]}
    return {**sums, "norm": float(norms[0]), "key_norm": float(norms[1]), **rates}


def halves(model: WheelerTextAutoencoder) -> tuple[list[nn.Parameter], list[nn.Parameter]]:
    """Weights that read and write, and weights of the key; neither may drown the other's step."""
    key = [*model.votes.parameters(), model.log_metric]
    inside = {id(parameter) for parameter in key}
    return [p for p in model.parameters() if id(p) not in inside], key


def ramp(along: float) -> float:
    """Share of the loop's weight: none in the first half of a run, all in the last quarter.

    From the start it broke the key: among keys that mean nothing yet, settling only amplifies.
    """
    return min(1.0, max(0.0, (along - 0.5) * 4))


def check(run: Run) -> Validation:
    """Validates, and keeps the weights when they are the best so far."""
    found = validate(run.model, run.config, run.folder / "samples.jsonl", run.step)
    if found.loss < run.best:
        run.best = found.loss
        states.save(run, run.folder / "best.pt", whole=False)
    run.model.train()
    return found


def loader(run: Run) -> Iterator[list[Lesson]]:
    """The lessons of every remaining step, drawn ahead by `num_workers` processes."""
    config = run.config
    lessons = Lessons(
        run.source,
        run.model.tokenizer,
        run.model.shape,
        config.batch_size,
        config.pairs,
        config.seed,
        config.read_every,
    )
    each = config.accumulation_steps
    ahead: DataLoader[Any] = DataLoader(
        lessons,
        batch_size=None,
        sampler=_Steps(run.step * each, run.total * each),
        num_workers=config.num_workers,
        prefetch_factor=4 if config.num_workers else None,
    )
    parts: list[Lesson] = []
    for lesson in ahead:
        parts.append(lesson)
        if len(parts) == each:
            yield parts
            parts = []


class _Steps(Sampler[int]):
    def __init__(self, start: int, stop: int) -> None:
        self.steps = range(start, stop)

    def __iter__(self) -> Iterator[int]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)


def rate(step: int, total: int, warmup: int) -> float:
    """Share of the full rate: linear warm-up, then a cosine down to 2 %."""
    warmup = min(warmup, max(1, total // 10))
    if step < warmup:
        return (step + 1) / warmup
    along = (step - warmup) / max(1, total - warmup)
    return FLOOR + (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * along))


def precision(run: Run) -> AbstractContextManager[Any]:
    """Autocast to 16 bits: fp16 when asked for, bf16 where it is faster; weights stay in fp32."""
    if run.config.fp16:
        return torch.autocast(run.device.type, torch.float16)
    wanted = run.config.bf16
    if wanted or (wanted is None and run.device.type != "mps" and has_bf16(run.device)):
        return torch.autocast(run.device.type, torch.bfloat16)
    return nullcontext()


def chosen_device(name: str) -> torch.device:
    """`auto` is the best there is; ConfigError for a device that is not there."""
    if name == "auto":
        found = best_device()
        return torch.device("mps") if found.type == "cpu" and _has_mps() else found
    try:
        device = torch.device(name)
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(f"device {name!r} cannot be used: {reason}") from error
    return device


def _has_mps() -> bool:
    return torch.backends.mps.is_available()


def _groups(model: WheelerTextAutoencoder, config: WheelerConfig) -> list[dict[str, Any]]:
    """Reading at its rate, the key at its own; matrices decay, norms, biases and metric do not."""
    groups = []
    for half, full in zip(halves(model), (config.lr, config.lr * config.key_pace), strict=True):
        for decay, chosen in (
            (config.weight_decay, [p for p in half if p.ndim > 1]),
            (0.0, [p for p in half if p.ndim <= 1]),
        ):
            groups.append({"params": chosen, "weight_decay": decay, "base": full, "lr": full})
    return groups


def _last_of(folder: Path) -> Path | None:
    path = folder / "last.pt"
    return path if path.exists() else None
