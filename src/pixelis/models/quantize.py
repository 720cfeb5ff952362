"""Weights in 8 or 4 bits, by torchao through transformers; activations stay as they are.

`nf4` is bitsandbytes' 4-bit kind, for training adapters on top of it (QLoRA, arXiv 2305.14314).
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Literal, get_args

from pixelis.errors import ConfigError, MissingExtraError

Quantize = Literal["int8", "int4", "nf4"]
GROUP = 32  # weights that share a scale; divides the widths of the language models
GPU_GROUP = 128
# The head may be the embedding itself, and a coarse vision tower no longer sees details.
KEPT = {"int8": ["lm_head"], "int4": ["lm_head", "visual"], "nf4": ["lm_head", "visual"]}


def check(quantize: str | None) -> Quantize | None:
    """The word, if it is one; ConfigError otherwise."""
    if quantize is None:
        return None
    for known in get_args(Quantize):
        if quantize == known:
            return known
    raise ConfigError(f"quantize {quantize!r} is not known; give {' or '.join(get_args(Quantize))}")


def quantization(quantize: Quantize, device: str) -> Any:
    """What `from_pretrained(quantization_config=...)` takes; MissingExtraError without torchao.

    int8 has one scale for each row of a weight, int4 one for 32 (on a GPU 128) values of it. A CPU
    has no packed 4-bit kernels in torchao: there int4 takes a byte for each weight, like int8.
    """
    if quantize == "nf4":
        return _four_bits(device)
    try:
        from torchao.quantization import (
            Int4WeightOnlyConfig,
            Int8WeightOnlyConfig,
            IntxWeightOnlyConfig,
            PerGroup,
        )
    except ImportError as error:
        raise MissingExtraError("torchao", "quantize") from error
    import torch
    from transformers import TorchAoConfig

    if quantize == "int8":
        config = Int8WeightOnlyConfig()
    elif device.startswith("cuda"):
        config = Int4WeightOnlyConfig(group_size=GPU_GROUP, int4_packing_format="tile_packed_to_4d")
    else:
        bits: torch.dtype = torch.int4  # type: ignore[attr-defined]
        config = IntxWeightOnlyConfig(weight_dtype=bits, granularity=PerGroup(GROUP))
    return TorchAoConfig(config, modules_to_not_convert=KEPT[quantize])


def _four_bits(device: str) -> Any:
    """bitsandbytes' normal floats, the scales quantised again; ConfigError where they cannot be."""
    if find_spec("bitsandbytes") is None or not device.startswith("cuda"):
        raise ConfigError(
            "4-bit training (qlora) needs bitsandbytes and a CUDA GPU; run: pip install "
            "bitsandbytes, or take method lora"
        )
    import torch
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16,
        llm_int8_skip_modules=KEPT["nf4"],
    )


def weight_bytes(model: Any) -> int:
    """Bytes that the weights and buffers of a model take, those of quantised ones included."""
    storages: dict[int, int] = {}
    for value in [*model.parameters(), *model.buffers()]:
        for tensor in _plain(value):
            storage = tensor.untyped_storage()
            storages[storage.data_ptr()] = storage.nbytes()
    return sum(storages.values())


def _plain(tensor: Any) -> list[Any]:
    """The tensors that hold the values of one, which for a quantised one are several."""
    if not hasattr(tensor, "__tensor_flatten__"):
        return [tensor]
    return [getattr(tensor, name) for name in tensor.__tensor_flatten__()[0]]
