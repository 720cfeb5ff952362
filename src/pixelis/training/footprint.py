"""What a fine-tuning run will take, reckoned before it starts.

    weights    4 bytes a parameter where all are learned, as loaded beneath adapters
    gradients  4 bytes a learned parameter
    AdamW      8 bytes a learned parameter
    kept       with checkpointing: layers * tokens * width * bytes, and one layer in full;
               without: every layer in full, tokens * (14 * width + 3 * intermediate) * bytes
    scores     attention without FlashAttention masks packed rows: tokens^2 bytes a row
    head       TRL's loss keeps no logits: 1,024 tokens * vocabulary * 4 bytes at a time

`tokens` are those of the longest pass. Nothing here is measured; allocators and libraries take
more.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from pixelis.models.estimate import BYTES
from pixelis.models.quantize import weight_bytes

GRADIENT, MOMENTS = 4, 8
HEAD_TOKENS = 1024


@dataclass(frozen=True)
class Footprint:
    """Bytes on each device."""

    weights: int
    learned: int
    activations: int
    scores: int
    head: int

    @property
    def peak(self) -> int:
        return self.weights + self.learned + self.activations + self.scores + self.head

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "peak": self.peak}


def reckon(
    model: Any,
    parameters: int,
    learned: int,
    tokens: int,
    *,
    half: bool,
    checkpointing: bool = False,
    packed: bool = False,
    flash: bool = False,
) -> Footprint:
    """The memory of a run.

    Args:
        model: its configuration and the sizes of its weights are looked at.
        learned: parameters that are learned, adapters included.
        tokens: of the longest pass.
        half: passes run in bf16.
        packed: rows hold several episodes.
        flash: FlashAttention computes attention.
    """
    text, vision = model.config.get_text_config(), model.config.vision_config
    size = BYTES["bfloat16" if half else "float32"]
    full = learned >= parameters
    kept = text.num_hidden_layers * tokens * text.hidden_size * size
    one = _layer(text, tokens, size)
    patches = tokens * vision.spatial_merge_size**2
    tower = vision.depth * _layer(vision, patches, size)
    whole = text.num_hidden_layers * one + tower
    spared = kept + one + vision.depth * patches * vision.hidden_size * size
    return Footprint(
        weights=parameters * BYTES["float32"] if full else weight_bytes(model),
        learned=learned * (GRADIENT + MOMENTS) + (0 if full else learned * 4),
        activations=spared if checkpointing else whole,
        scores=0 if flash or not packed else tokens**2,
        head=min(tokens, HEAD_TOKENS) * text.vocab_size * 4,
    )


def _layer(config: Any, tokens: int, size: int) -> int:
    return tokens * (14 * config.hidden_size + 3 * config.intermediate_size) * size
