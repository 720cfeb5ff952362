"""Reading frames back: unseen texts, damaged frames of stored ones, and what the rate is worth."""

from __future__ import annotations

import math
import zlib
from collections.abc import Sequence

import numpy as np
import torch

from pixelis.data.stories import tell
from pixelis.data.stories.tell import Split
from pixelis.evals.wheeler.baselines import Hopfield
from pixelis.evals.wheeler.figures import Figure, share
from pixelis.wheeler.autoencoder import WheelerTextAutoencoder
from pixelis.wheeler.memory import WheelerMemory
from pixelis.wheeler.tokens import decode_ids, encode_text

TEXTS, BATCH = 500, 50
OCCLUDED = 0.5
SIDES = ("upper", "right", "lower", "left")
DICTIONARY = 32_000  # letters of training text that zlib may know beforehand


def full_texts(
    model: WheelerTextAutoencoder, rng: np.random.Generator, split: Split, count: int
) -> list[str]:
    """Unseen texts of exactly as many tokens as there are tiles."""
    most = model.shape.max_tokens
    found: list[str] = []
    while len(found) < count:
        ids = encode_text(model.tokenizer, str(tell.draw_text(rng, split, 2 + most // 10)))
        text = decode_ids(model.tokenizer, ids[:most])
        if len(encode_text(model.tokenizer, text)) == most:
            found.append(text)
    return found


def nonsense(model: WheelerTextAutoencoder, rng: np.random.Generator, count: int) -> list[str]:
    """Random printable bytes, as many tokens as there are tiles: nothing to know beforehand."""
    most = model.shape.max_tokens
    found: list[str] = []
    while len(found) < count:
        text = "".join(chr(c) for c in rng.integers(33, 127, 3 * most))
        text = decode_ids(model.tokenizer, encode_text(model.tokenizer, text)[:most])
        if len(encode_text(model.tokenizer, text)) == most:
            found.append(text)
    return found


def read_back(model: WheelerTextAutoencoder, frames: torch.Tensor) -> list[list[int]]:
    """Greedy tokens of frames, some at a time."""
    rows: list[list[int]] = []
    with torch.no_grad():
        for start in range(0, len(frames), BATCH):
            grids = model.set_grid_from_image(frames[start : start + BATCH])
            rows += model.decode_ids(grids)
    return rows


def drawn(model: WheelerTextAutoencoder, texts: Sequence[str]) -> torch.Tensor:
    """Frames of many texts."""
    parts = [model.frames(texts[k : k + BATCH]) for k in range(0, len(texts), BATCH)]
    return torch.cat(parts)


def accuracy(wanted: Sequence[list[int]], told: Sequence[list[int]]) -> list[float]:
    """Share of each text's tokens that are right, place by place; what is missing is wrong."""
    return [
        sum(a == b for a, b in zip(right, row, strict=False)) / max(len(right), 1)
        for right, row in zip(wanted, told, strict=True)
    ]


def reading_figures(model: WheelerTextAutoencoder, count: int = TEXTS) -> list[Figure]:
    """Token accuracy and exact texts of unseen full texts, with the rate and what it is to beat."""
    rng = np.random.default_rng([5, 23])
    bits = model.shape.cells * math.log2(model.shape.levels) / model.shape.max_tokens
    sets = {
        "combinations": full_texts(model, rng, "combinations", count),
        "words": full_texts(model, rng, "words", count),
        "random bytes": nonsense(model, rng, count // 5),
    }
    figures = []
    for name, texts in sets.items():
        wanted = [encode_text(model.tokenizer, text) for text in texts]
        right = accuracy(wanted, read_back(model, drawn(model, texts)))
        how = (
            f"greedy, {count} unseen texts of {model.shape.max_tokens} tokens ({name}), "
            f"{bits:g} bits a token, key included"
        )
        goal = name == "combinations"
        more = {"bits a token": bits, **rates(model, rng)} if goal else {"bits a token": bits}
        # without the dynamics: they have no part in reading an undamaged frame of an unseen text
        arms = {"dynamics off": right}
        figures.append(
            share(f"reading, tokens ({name})", right, 0.99 if goal else 0, arms, how, **more)
        )
        whole = [float(value == 1) for value in right]
        figures.append(
            share(
                f"reading, exact ({name})",
                whole,
                0.80 if goal else 0,
                {"dynamics off": whole},
                how,
            )
        )
    return figures


def rates(model: WheelerTextAutoencoder, rng: np.random.Generator, count: int = 400) -> dict:
    """Bits a token of other ways to write the same texts.

    The generator's own entropy is an upper bound (several drawings may give one text).
    """
    drawn_texts = [tell.draw_text(rng, "combinations", 5) for _ in range(count)]
    texts = [str(text) for text in drawn_texts]
    tokens = sum(len(encode_text(model.tokenizer, text)) for text in texts)
    known = " ".join(str(tell.draw_text(rng, "train", 5)) for _ in range(200)).encode()
    squeezed = 0
    for text in texts:
        packer = zlib.compressobj(9, zlib.DEFLATED, -15, zdict=known[-DICTIONARY:])
        squeezed += len(packer.compress(text.encode()) + packer.flush())
    return {
        "bits a token, generator's entropy": round(sum(t.bits for t in drawn_texts) / tokens, 2),
        "bits a token, token numbers": round(math.log2(model.tokenizer.get_vocab_size()), 2),
        "bits a token, zlib with a dictionary": round(8 * squeezed / tokens, 2),
    }


def occlusion_figures(
    model: WheelerTextAutoencoder, memories: int = 1000, count: int = 300
) -> list[Figure]:
    """Exact text from half-occluded frames of stored texts, with the dynamics and without."""
    rng = np.random.default_rng([6, 29])
    texts = [
        str(text) for text in tell.distinct(lambda: tell.draw_memory(rng, "combinations"), memories)
    ]
    memory = WheelerMemory(model)
    memory.remember_all(texts)
    chosen = rng.choice(memories, count, replace=False)
    asked = [texts[k] for k in chosen]
    frames = drawn(model, asked).numpy()
    hurt = np.stack([occlude(frame) for frame in frames])

    def settled(pictures: np.ndarray) -> np.ndarray:
        return np.stack([memory.recall_frame(each, gist=False).frame for each in pictures])

    stored = memory.frames().reshape(memories, -1)
    classical = stored[Hopfield(stored).best(hurt)].reshape(hurt.shape)
    wanted = [encode_text(model.tokenizer, text) for text in asked]

    def exact(pictures: np.ndarray) -> list[float]:
        rows = read_back(model, torch.from_numpy(pictures.clip(-1, 1).astype(np.float32)))
        return [float(a == b) for a, b in zip(wanted, rows, strict=True)]

    nearest = stored[(hurt.reshape(count, -1) @ stored.T).argmax(1)].reshape(hurt.shape)
    arms = {
        "dynamics off": exact(hurt),
        "k-NN on frames": exact(nearest),
        "classical Hopfield": exact(classical),
    }
    others = {}
    for side in SIDES[1:]:
        spoilt = np.stack([occlude(frame, side) for frame in frames])
        on, off = exact(settled(spoilt)), exact(spoilt)
        others[side] = {"exact": float(np.mean(on)), "dynamics off": float(np.mean(off))}
    how = (
        f"upper half of the frame blotted out, which holds the tokens; {memories} stored texts, "
        f"{count} asked for; k-NN and Hopfield read the stored frame that they come nearest to"
    )
    name = "text from a half-occluded frame, exact"
    return [share(name, exact(settled(hurt)), 0.90, arms, how, **{"other halves": others})]


def occlude(frame: np.ndarray, side: str = "upper", part: float = OCCLUDED) -> np.ndarray:
    """The frame with one part of it blotted out (0).

    The upper part is the worst: it holds the tokens, and all of those of a short text.
    """
    turned = np.rot90(frame.copy(), SIDES.index(side))
    turned[: round(len(turned) * part)] = 0
    return np.rot90(turned, -SIDES.index(side))


def flip(rng: np.random.Generator, frame: np.ndarray, part: float) -> np.ndarray:
    """The frame with every cell's sign turned with this probability."""
    return np.where(rng.random(frame.shape) < part, -frame, frame)
