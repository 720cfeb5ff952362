"""Settings of `pixelis wheeler train`, apart from the code that needs torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

PRESET_RUNS: dict[str, dict[str, Any]] = {
    "tiny": {"samples": 24_000, "batch_size": 96, "epochs": 1, "lr": 1.5e-3, "warmup_steps": 20},
    "small": {
        "read_every": 4,
        "samples": 38_400,
        "batch_size": 48,
        "epochs": 1,
        "lr": 1e-3,
        "warmup_steps": 50,
    },
    "full": {},
}


class WheelerConfig(BaseModel):
    """Settings of a run.

    Sizes that are not given come from the preset, as do samples, batch size, epochs and rate.
    Reading is practised in every `read_every`-th step, the key in all.
    The key learns at `key_pace` times the rate `lr` of the rest.
    `dataset` is a file or folder of text (.txt, .jsonl, .parquet), `tinystories` (from the hub,
    with `allow_download`), or `generator`; `auto` is TinyStories where it is found, else the
    generator. `samples` is how many texts of the generator make an epoch.
    """

    model_config = ConfigDict(extra="forbid")

    preset: Literal["tiny", "small", "full"] = "full"
    grid_size: int | None = None
    d_model: int | None = None
    num_heads: int | None = None
    encoder_layers: int | None = None
    decoder_layers: int | None = None
    max_seq_len: int | None = None
    levels: int | None = None
    key_cells: int | None = None
    vocab_size: int | None = None
    dropout: float | None = None

    dataset: str = "auto"
    allow_download: bool = False
    max_train_samples: int | None = Field(None, ge=1)
    samples: int = Field(1_000_000, ge=64)
    batch_size: int = Field(32, ge=2)
    pairs: int = Field(256, ge=2)
    read_every: int = Field(1, ge=1)
    epochs: int = Field(10, ge=1)
    lr: float = Field(3e-4, gt=0)
    key_pace: float = Field(3.0, gt=0)
    weight_decay: float = Field(0.01, ge=0)
    warmup_steps: int = Field(1000, ge=0)
    grad_clip: float = Field(1.0, gt=0)
    accumulation_steps: int = Field(1, ge=1)
    noise: float = Field(0.06, ge=0, lt=0.5)
    key_weight: float = Field(1.0, ge=0)
    loop_weight: float = Field(0.25, ge=0)
    novel_weight: float = Field(0.3, ge=0)

    fp16: bool = False
    bf16: bool | None = None
    compile: bool = False
    device: str = "auto"
    threads: int = Field(0, ge=0)
    num_workers: int = Field(1, ge=0)
    seed: int = 20261121
    output_dir: Path = Path("runs/wheeler")
    save_every: int = Field(200, ge=1)
    validate_every: int = Field(200, ge=1)
    resume: Path | None = None


def with_preset(values: dict[str, Any]) -> dict[str, Any]:
    """The values that were given, over those that the preset brings along."""
    preset = values.get("preset", "full")
    return {**PRESET_RUNS.get(str(preset), {}), **values}
