"""nano's own tokenizer: byte-level BPE, Qwen3-VL's special tokens, one token per coordinate.

Numbers are cut into groups of at most three digits (1000 stays whole), so every coordinate in
0..1000 is one token. The fixed parts of a call (`{"name": "zoom_in", "arguments": {`) are one token
each, which keeps an episode short without leaving the chat format of the large models.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
MARKS = (
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<think>",
    "</think>",
)
# Pieces that are never split; the first alternative that matches wins.
_PIECES = (
    r'\{"name": "[a-z_]+", "arguments": \{',
    r'"[a-z_0-9]+": \["',
    r'"[a-z_0-9]+": [\["]?',
    r'"?\]?\}\}',
    r"\{[a-z]+_1\.[a-z]+\}",
    r"\{[a-z]+_1\}",
    r" \[[a-z]+_1\]",
    r"1000|[0-9]{1,3}",
    r" ?[A-Za-z']+",
    r", |: ",
    r" ?[^\sA-Za-z0-9]",
    r"\n+|\s",
)


def scaffold(operations: Iterable[str], fields: Iterable[str], handles: Iterable[str]) -> list[str]:
    """The fixed strings of calls and references that get a token of their own."""
    names = [f'{{"name": "{name}", "arguments": {{' for name in operations]
    keys = [f'"{field}": {tail}' for field in fields for tail in ("[", '"', '["')]
    refs = [f"{{{handle}_1}}" for handle in handles] + [f" [{handle}_1]" for handle in handles]
    refs += [f"{{mask_1.{field}}}" for field in ("color", "shape", "size", "position")]
    words = ("system", "user", "assistant", "tool_response", " [crop_1]")
    return [*names, *keys, *refs, *words, "]}}", '"}}', "}}", '"]}}', ", ", ": "]


def _pre_tokenizer() -> pre_tokenizers.PreTokenizer:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex("|".join(_PIECES)), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def _byte_form(text: str) -> str:
    """The text in byte-level BPE's printable alphabet."""
    level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    return "".join(piece for piece, _ in level.pre_tokenize_str(text))


def train_tokenizer(
    texts: Iterable[str], whole: Iterable[str], vocab_size: int = 2560
) -> PreTrainedTokenizerFast:
    """Trains on `texts`; strings in `whole` and the numbers 0..1000 become single tokens."""
    raw = Tokenizer(models.BPE())
    raw.pre_tokenizer = _pre_tokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        min_frequency=2,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    raw.train_from_iterator(texts, trainer)
    state = json.loads(raw.to_str())["model"]
    vocab = dict(state["vocab"])
    for piece in [*map(str, range(1001)), *whole]:
        vocab.setdefault(_byte_form(piece), len(vocab))
    merges = [tuple(pair) for pair in state["merges"]]
    final = Tokenizer(models.BPE(vocab=vocab, merges=merges, ignore_merges=True))
    final.pre_tokenizer = _pre_tokenizer()
    final.decoder = decoders.ByteLevel()
    final.add_special_tokens(list(SPECIAL))
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=final,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=list(SPECIAL[1:]),
        model_max_length=4096,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.add_tokens(list(MARKS))
    return tokenizer


def number_ids(tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """Token ids of the numbers 0..1000, in order."""
    return [tokenizer.convert_tokens_to_ids(str(number)) for number in range(1001)]
