"""Settings of the training commands, apart from the code that needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class PretrainConfig(BaseModel):
    """Settings of `pixelis train pretrain`.

    `vision_steps` and `joint_steps` are the two stages; `records` is how many pictures the pool
    holds (drawn by `workers` processes while training runs). Matrices learn at `muon_lr` (at
    `joint_muon_lr` once language joins), all else at `lr`; the vision tower at `tower_lr` times
    that once language joins (0 freezes it): at the full rate it loses what it has learned.
    `start_from` is the `weights.safetensors` of a run or a model folder, such as a bundled one;
    with `vision_steps` 0 its second stage goes on.
    """

    model_config = ConfigDict(extra="forbid")

    out: Path = Path("runs/nano")
    seed: int = 20261121
    records: int = Field(14_000, ge=128)
    workers: int = Field(1, ge=0)
    threads: int = Field(2, ge=1)
    vision_steps: int = Field(700, ge=0)
    vision_batch: int = Field(64, ge=1)
    joint_steps: int = Field(2600, ge=1)
    joint_batch: int = Field(24, ge=1)
    turns: int = Field(5, ge=1)
    lr: float = Field(1e-3, gt=0)
    muon_lr: float = Field(5e-3, gt=0)
    joint_muon_lr: float = Field(2e-3, gt=0)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    tower_lr: float = Field(0.0, ge=0)
    weight_decay: float = Field(0.01, ge=0)
    warmup: int = Field(100, ge=1)
    dense_weight: float = Field(1.0, ge=0)
    pointing_weight: float = Field(0.5, ge=0)
    save_every: int = Field(100, ge=1)
    start_from: Path | None = None


class SftConfig(PretrainConfig):
    """Settings of `pixelis train sft`.

    `direct` trains the twin; `lessons_share` is how much of a batch stays pre-training.
    """

    out: Path = Path("runs/nano-sft")
    start_from: Path | None = Path("runs/nano/weights.safetensors")
    episodes: int = Field(4000, ge=64)
    steps: int = Field(500, ge=1)
    batch: int = Field(24, ge=1)
    lessons_share: float = Field(0.4, ge=0, lt=1)
    direct: bool = False
    lr: float = Field(4e-4, gt=0)
    muon_lr: float = Field(2e-3, gt=0)
    warmup: int = Field(30, ge=1)
