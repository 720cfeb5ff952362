"""Settings of the training commands, apart from the code that needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


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


class RunConfig(BaseModel):
    """What every run on any model's weights is told, however it learns.

    `model` is `nano` or `hf:PATH`. `method` is `full`, `lora`, `qlora` (4-bit weights, needs
    bitsandbytes and a GPU), or `auto`: full below 100 M parameters, else LoRA. `rank` and `alpha`
    hold for every layer unless `ranks` names a file of `pixelis train ranks`; `targets` are the
    linear layers of the language side or of `all`. `balance` is how many times more often a family
    may be drawn than the rarest, 0 for any. Every `eval_every` steps the model answers `held_out`
    questions by the agent loop. `checkpointing` and FlashAttention-2 are on for more than a billion
    parameters where they are to be had. `report_to` sends the numbers to wandb, trackio or
    tensorboard as well.
    """

    model_config = ConfigDict(extra="forbid")

    data: list[Path] = Field(default_factory=list)
    out: Path = Path("runs/tuned")
    model: str = "nano"
    seed: int = 20261121
    method: Literal["auto", "full", "lora", "qlora"] = "auto"
    rank: int = Field(16, ge=1)
    alpha: int | None = Field(None, ge=1)
    dropout: float = Field(0.0, ge=0, lt=1)
    targets: Literal["language", "all"] = "language"
    ranks: Path | None = None
    lr: float | None = Field(None, gt=0)
    schedule: Literal["cosine", "linear", "constant"] = "cosine"
    warmup: int = Field(20, ge=0)
    weight_decay: float = Field(0.0, ge=0)
    clip: float = Field(1.0, ge=0)
    batch: int = Field(4, ge=1)
    balance: float = Field(3.0, ge=0)
    min_pixels: int | None = Field(None, ge=1)
    max_pixels: int | None = Field(None, ge=1)
    precision: Literal["auto", "bf16", "fp32"] = "auto"
    device: str = "auto"
    threads: int | None = Field(None, ge=1)
    checkpointing: bool | None = None
    eval_every: int = Field(100, ge=0)
    held_out: int = Field(64, ge=0)
    sample_every: int = Field(100, ge=0)
    save_every: int = Field(100, ge=1)
    keep: int = Field(2, ge=1)
    report_to: Literal["none", "wandb", "trackio", "tensorboard"] = "none"
    merge: bool = False
    dry_run: bool = False
    allow_download: bool = False


class TuneConfig(RunConfig):
    """Settings of `pixelis train sft --data …`: any model on files of episodes.

    `lr` None takes 1e-4 for adapters and 2e-5 for full weights. A step learns from `batch` ×
    `accumulate` episodes on each device; with `packing` its rows hold several. `steps` None makes
    `epochs` passes. `room` is the most tokens of one episode (None: the model's context). With
    `curriculum` the held-out answers move the mixture.
    """

    data: list[Path] = Field(min_length=1)
    out: Path = Path("runs/sft")
    weight_decay: float = Field(0.01, ge=0)
    epochs: float = Field(1.0, gt=0)
    steps: int | None = Field(None, ge=1)
    accumulate: int = Field(1, ge=1)
    packing: bool = False
    room: int | None = Field(None, ge=32)
    skip_long: bool = False
    curriculum: bool = False
    goal: float = Field(0.7, gt=0, le=1)
    patience: int = Field(4, ge=0)


class RanksConfig(BaseModel):
    """Settings of `pixelis train ranks`: LoRA ranks from what a short full fine-tune changes.

    Either `before` and `after`, two folders with the same weights (or shards), or `data`: then the
    model is fine-tuned in full for `steps` steps first. `energy` is the share of the squared
    Frobenius norm to be kept; ranks are clipped to `least` and `most`.
    """

    model_config = ConfigDict(extra="forbid")

    out: Path = Path("runs/ranks")
    model: str = "nano"
    data: list[Path] = Field(default_factory=list)
    before: Path | None = None
    after: Path | None = None
    steps: int = Field(150, ge=1)
    batch: int = Field(8, ge=1)
    lr: float = Field(1e-4, gt=0)
    seed: int = 20261121
    energy: float = Field(0.9, gt=0, le=1)
    least: int = Field(4, ge=1)
    most: int = Field(128, ge=1)
    alpha: float = Field(2.0, gt=0)
    targets: Literal["language", "all"] = "language"
    device: str = "auto"
    threads: int | None = Field(None, ge=1)


class RftConfig(RunConfig):
    """Settings of `pixelis train rft`: learning by trying, from rewards.

    Questions come from files of episodes (`data`), or without any are drawn from the worlds
    (`families`, `difficulty`). A step plays `group` episodes about each of `questions` questions on
    every device and learns from them `iterations` times, `batch` episodes a pass. `lr` None takes
    1e-5 for adapters and 5e-6 for full weights. `beta` weighs the distance to the model before
    training (0 needs no second model). Advantages are rewards less the group's mean, with `scale`
    group over its spread as well. `replay` is how many informative groups are kept to fill the
    places of those that teach nothing (0: they are left out). `curiosity`, `coherence` and `misuse`
    weigh the reward's terms; `stage` is the first of task, coherence, full, and the next begins
    when `goal` of the answers of `patience` steps are right. `surprise` is what a forward model's
    error counts within curiosity (0 trains none). With `exact` a run that was killed goes on with
    the weights it would have had; without it operations run beside the model. `turns` and
    `max_new_tokens` limit an episode.
    """

    families: list[str] = Field(default_factory=list)
    difficulty: Literal["easy", "medium", "hard"] | None = None
    out: Path = Path("runs/rft")
    schedule: Literal["cosine", "linear", "constant"] = "constant"
    warmup: int = Field(5, ge=0)
    steps: int = Field(200, ge=1)
    questions: int = Field(4, ge=1)
    group: int = Field(8, ge=2)
    batch: int = Field(8, ge=1)
    iterations: int = Field(1, ge=1)
    temperature: float = Field(1.0, gt=0)
    turns: int = Field(8, ge=1)
    max_new_tokens: int | None = Field(None, ge=1)
    beta: float = Field(0.0, ge=0)
    epsilon: float = Field(0.2, gt=0)
    epsilon_high: float = Field(0.28, gt=0)
    loss: Literal["dapo", "grpo", "dr_grpo", "bnpo"] = "dapo"
    scale: Literal["none", "group"] = "none"
    curiosity: float = Field(0.05, ge=0)
    coherence: float = Field(0.1, ge=0)
    misuse: float = Field(0.1, ge=0)
    surprise: float = Field(0.1, ge=0)
    consolation: float = Field(0.25, ge=0, le=1)
    stage: Literal["task", "coherence", "full"] = "task"
    goal: float = Field(0.5, ge=0, le=1)
    patience: int = Field(10, ge=1)
    replay: int = Field(32, ge=0)
    exact: bool = True
    max_batch: int = Field(64, ge=1)
    workers: int = Field(2, ge=1)
    eval_every: int = Field(50, ge=0)
    sample_every: int = Field(50, ge=0)
    save_every: int = Field(50, ge=1)

    @model_validator(mode="after")
    def _fits(self) -> RftConfig:
        rows = self.questions * self.group
        if rows % self.batch:
            raise ValueError(f"batch must divide questions x group, {rows}")
        if self.exact and self.max_batch < rows:
            raise ValueError(f"exact needs max_batch of at least questions x group, {rows}")
        if self.save_every % self.iterations:
            raise ValueError(f"save_every must be a multiple of iterations, {self.iterations}")
        return self

    @property
    def accumulate(self) -> int:
        """Passes in an optimizer step."""
        return self.questions * self.group // self.batch
