"""The autoencoder's own tokens: byte-level BPE trained on the corpus, so that any text has some."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from pixelis.errors import ModelError

PAD, BOS, EOS = "<pad>", "<bos>", "<eos>"
SPECIAL = (PAD, BOS, EOS)
PAD_ID, BOS_ID, EOS_ID = range(3)
_PIECES = r" ?[A-Za-z']+| ?[0-9]{1,3}| ?[^\sA-Za-z0-9]+|\s+"


def train_tokenizer(texts: Iterable[str], vocab_size: int) -> Tokenizer:
    """Learns at most `vocab_size` tokens; ids are ordered: special ones, bytes, then merges."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(_PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=list(SPECIAL),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.encode_special_tokens = True
    return tokenizer


def load_tokenizer(path: Path) -> Tokenizer:
    """Reads tokenizer.json; ModelError when it is not one of ours."""
    try:
        text = path.read_text(encoding="utf-8")
        kind = json.loads(text)["model"]["type"]
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is no tokenizer file; give one that training wrote") from error
    if kind != "BPE":
        raise ModelError(f"{path} holds a {kind} tokenizer; Wheeler's own is BPE")
    tokenizer = Tokenizer.from_str(text)
    tokenizer.encode_special_tokens = True  # written out in a text they are plain letters
    found = [tokenizer.token_to_id(name) for name in SPECIAL]
    if found != [PAD_ID, BOS_ID, EOS_ID]:
        raise ModelError(f"{path} lacks the special tokens {', '.join(SPECIAL)}")
    return tokenizer


def encode_text(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of the text alone; special tokens written out in it are plain letters."""
    return tokenizer.encode(text, add_special_tokens=False).ids


def decode_ids(tokenizer: Tokenizer, ids: Iterable[int]) -> str:
    """The text of ids; what is no valid UTF-8 becomes a replacement character."""
    return tokenizer.decode(list(ids), skip_special_tokens=True)
