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
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError(f"{path} cannot be read: {error}") from error
    return read_tokenizer(text, path)


def read_tokenizer(text: str, place: Path) -> Tokenizer:
    """The tokenizer in a JSON text from `place`; ModelError when it is not one of ours."""
    try:
        kind = json.loads(text)["model"]["type"]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{place} holds no tokenizer; give one that training wrote") from error
    if kind != "BPE":
        raise ModelError(f"{place} holds a {kind} tokenizer; Wheeler's own is BPE")
    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # named door: the library raises nothing narrower
        raise ModelError(f"{place} holds a broken tokenizer: {error}") from error
    tokenizer.encode_special_tokens = True  # written out in a text they are plain letters
    found = [tokenizer.token_to_id(name) for name in SPECIAL]
    if found != [PAD_ID, BOS_ID, EOS_ID]:
        raise ModelError(f"{place} lacks the special tokens {', '.join(SPECIAL)}")
    return tokenizer


def encode_text(tokenizer: Tokenizer, text: str) -> list[int]:
    """Ids of the text alone; special tokens written out in it are plain letters."""
    return tokenizer.encode(sound(text), add_special_tokens=False).ids


def sound(text: str) -> str:
    """The text with a question mark for every half of a letter that UTF-8 cannot hold."""
    return text.encode("utf-8", "replace").decode()


def decode_ids(tokenizer: Tokenizer, ids: Iterable[int]) -> str:
    """The text of ids; what is no valid UTF-8 becomes a replacement character."""
    return tokenizer.decode(list(ids), skip_special_tokens=True)
