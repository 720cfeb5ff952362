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

    preset: Literal["tiny", "small", "full"] = Field(
        "full", description="tiny (two minutes on two cores), small (four), full (for a GPU)"
    )
    grid_size: int | None = Field(
        None, description="cells along a side of the frame; else the preset's"
    )
    d_model: int | None = Field(
        None, description="width of the transformer layers; else the preset's"
    )
    num_heads: int | None = Field(None, description="attention heads; else the preset's")
    encoder_layers: int | None = Field(
        None, description="layers that write the frame; else the preset's"
    )
    decoder_layers: int | None = Field(None, description="layers that read it; else the preset's")
    max_seq_len: int | None = Field(
        None, description="most tokens of a text, a tile of the frame for each; else the preset's"
    )
    levels: int | None = Field(None, description="values that a cell can take; else the preset's")
    key_cells: int | None = Field(
        None, description="cells of a tile that belong to the key; else the preset's"
    )
    vocab_size: int | None = Field(None, description="tokens of the tokenizer; else the preset's")
    dropout: float | None = Field(
        None, description="share of activations left out; else the preset's"
    )

    dataset: str = Field(
        "auto", description="file or folder of text, tinystories, generator, or auto"
    )
    allow_download: bool = Field(False, description="fetch TinyStories from the hub")
    max_train_samples: int | None = Field(
        None, ge=1, description="most texts that are learned from"
    )
    samples: int = Field(1_000_000, ge=64, description="texts of the generator that make an epoch")
    batch_size: int = Field(32, ge=2, description="texts a step to be read")
    pairs: int = Field(256, ge=2, description="text pairs a step for the key")
    read_every: int = Field(
        1, ge=1, description="steps from one that practises reading to the next"
    )
    epochs: int = Field(10, ge=1, description="times through the samples")
    lr: float = Field(3e-4, gt=0, description="learning rate")
    key_pace: float = Field(3.0, gt=0, description="the rate of the key by that of the rest")
    weight_decay: float = Field(0.01, ge=0, description="of AdamW")
    warmup_steps: int = Field(1000, ge=0, description="steps until the full rate")
    grad_clip: float = Field(1.0, gt=0, description="largest norm of the gradients")
    accumulation_steps: int = Field(1, ge=1, description="batches a step")
    noise: float = Field(
        0.06, ge=0, lt=0.5, description="share of cells damaged while reading is practised"
    )
    key_weight: float = Field(1.0, ge=0, description="weight of telling texts apart by their key")
    loop_weight: float = Field(
        0.25, ge=0, description="weight of the same after two ticks of the dynamics"
    )
    novel_weight: float = Field(0.3, ge=0, description="weight of telling one changed word")

    fp16: bool = Field(False, description="half precision (CUDA)")
    bf16: bool | None = Field(None, description="bfloat16; else where the device has it")
    compile: bool = Field(False, description="compile the model first")
    device: str = Field("auto", description="cpu, cuda, mps, or auto")
    threads: int = Field(0, ge=0, description="of the CPU, 0 for all")
    num_workers: int = Field(1, ge=0, description="processes that make texts")
    seed: int = Field(20261121, description="of texts, noise and weights")
    output_dir: Path = Field(Path("runs/wheeler"), description="folder of the run")
    save_every: int = Field(200, ge=1, description="steps from one checkpoint to the next")
    validate_every: int = Field(200, ge=1, description="steps from one validation to the next")
    resume: Path | None = Field(None, description="checkpoint or folder of a run to go on with")


def with_preset(values: dict[str, Any]) -> dict[str, Any]:
    """The values that were given, over those that the preset brings along."""
    preset = values.get("preset", "full")
    return {**PRESET_RUNS.get(str(preset), {}), **values}
