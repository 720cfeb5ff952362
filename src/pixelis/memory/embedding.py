"""What is compared in a memory: a picture's part and a question's part, side by side in one vector.

The parts are unit vectors, scaled so that the cosine of two embeddings is 0.7 times the cosine of
the pictures plus 0.3 times that of the questions.
"""

from __future__ import annotations

import hashlib
import re
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from PIL import Image

from pixelis.errors import ConfigError, ModelError

if TYPE_CHECKING:
    from pixelis.models.local import LocalPolicy
    from pixelis.models.policy import Policy

VISUAL_SHARE = 0.7
GRID, TURNS = 8, 4  # cells a side; directions of edges told apart
WORDS = 192  # numbers that a question's pieces are hashed into
_TOKEN = re.compile(r"\w+")


class Embedder(Protocol):
    """Turns question and picture into a vector of unit length.

    Attributes:
        space: names what its vectors can be compared with.
    """

    space: str

    def embed(self, question: str, image: Image.Image | None = None) -> np.ndarray:
        """float32 (dims,), unit length; without a picture its part is all 0."""
        ...


def hybrid(visual: np.ndarray | None, text: np.ndarray | None, sizes: tuple[int, int],
           share: float = VISUAL_SHARE) -> np.ndarray:  # fmt: skip
    """Both parts in one unit vector, float32; a part that is missing or all 0 counts for nothing.

    Args:
        sizes: length of the visual and of the text part.
        share: weight of the picture, in [0, 1].
    """
    parts = [np.zeros(size, np.float32) for size in sizes]
    for place, (part, weight) in enumerate(((visual, share), (text, 1 - share))):
        length = 0.0 if part is None else float(np.linalg.norm(part))
        if part is not None and length > 0:
            parts[place] = np.asarray(part, np.float32) * np.float32(weight**0.5 / length)
    whole = np.concatenate(parts)
    length = float(np.linalg.norm(whole))
    if length == 0:  # nothing to compare: a direction of its own, so that it is a vector at all
        whole[-1] = length = 1.0
    return whole / np.float32(length)


class PlainEmbedder:
    """Needs no model: colours and edges of an 8 x 8 grid, hashed words and letters."""

    space = "plain-1"

    def embed(self, question: str, image: Image.Image | None = None) -> np.ndarray:
        visual = None if image is None else looks(image)
        return hybrid(visual, words(question), (GRID * GRID * (3 + TURNS), WORDS))


def looks(image: Image.Image) -> np.ndarray:
    """Mean colours and edge directions of a grid of cells, each kind centred and unit length."""
    small = image.convert("RGB").resize((4 * GRID, 4 * GRID), Image.Resampling.BOX)
    pixels = np.asarray(small, np.float32) / 255
    colors = pixels.reshape(GRID, 4, GRID, 4, 3).mean((1, 3))
    dy, dx = np.gradient(pixels.mean(2))
    strength = np.hypot(dx, dy)
    turn = ((np.arctan2(dy, dx) % np.pi) / np.pi * TURNS).astype(int) % TURNS
    edges = np.zeros((GRID, GRID, TURNS), np.float32)
    rows, columns = np.indices(strength.shape) // 4
    np.add.at(edges, (rows, columns, turn), strength)
    parts = [colors - colors.mean((0, 1)), edges]
    flat = [part.ravel() / (float(np.linalg.norm(part)) or 1.0) for part in parts]
    return np.concatenate(flat).astype(np.float32)


def words(text: str) -> np.ndarray:
    """Words, pairs of words and three-letter pieces, hashed with signs; float32 (192,)."""
    tokens = _TOKEN.findall(text.casefold())
    pieces = [*tokens, *(f"{a} {b}" for a, b in pairwise(tokens))]
    pieces += [f"#{t[i : i + 3]}" for t in (f" {t} " for t in tokens) for i in range(len(t) - 2)]
    counts = np.zeros(WORDS, np.float32)
    for piece in pieces:
        value = int.from_bytes(hashlib.blake2b(piece.encode(), digest_size=4).digest(), "big")
        counts[value % WORDS] += 1.0 if value >> 31 else -1.0
    return counts


class PooledEmbedder:
    """The policy's own states, pooled: its vision tower's tokens and its words' embeddings.

    Neither goes through the language model, so a turn being written at the same time is not
    disturbed, and adapters on the language model do not change what old vectors mean.
    """

    def __init__(self, policy: LocalPolicy) -> None:
        self._model, self._processor = policy.model, policy.processor
        self._sizes = _sizes(policy.model)
        self.space = f"pooled-1:{policy.name}:{_weights_name(policy.model)}"

    def embed(self, question: str, image: Image.Image | None = None) -> np.ndarray:
        import torch

        with torch.inference_mode():
            visual = None if image is None else self._seen(image)
            return hybrid(visual, self._read(question), self._sizes)

    def _seen(self, image: Image.Image) -> np.ndarray:
        inputs = self._processor.pixels([image])  # type: ignore[union-attr]
        device = self._model.device
        tower = self._model.model.visual
        pixels = inputs["pixel_values"].to(device, tower.dtype)
        found: Any = tower(pixels, grid_thw=inputs["image_grid_thw"].to(device))
        tokens = found.pooler_output if hasattr(found, "pooler_output") else found[0]
        return _pooled(tokens)

    def _read(self, question: str) -> np.ndarray:
        ids = self._processor.tokenizer(question, return_tensors="pt", add_special_tokens=False)
        rows = self._model.get_input_embeddings()(ids["input_ids"].to(self._model.device))
        return _pooled(rows[0]) if rows.shape[1] else np.zeros(self._sizes[1], np.float32)


def _pooled(tokens: Any) -> np.ndarray:
    """Mean and spread of tokens (count, width), each centred; float32 (2 width,)."""
    values = tokens.float().cpu().numpy()
    mean, spread = values.mean(0), values.std(0)
    return np.concatenate([mean - mean.mean(), spread - spread.mean()]).astype(np.float32)


def _sizes(model: Any) -> tuple[int, int]:
    width = int(model.config.get_text_config().hidden_size)
    return 2 * width, 2 * width


def _weights_name(model: Any) -> str:
    """Eight letters that other weights do not have: the embedding table decides."""
    table = model.get_input_embeddings().weight.detach().float().cpu().numpy()
    return hashlib.sha256(table.tobytes()).hexdigest()[:8]


def embedder_for(policy: Policy | None, name: str = "plain") -> Embedder:
    """The embedder of a service.

    Args:
        policy: the model that answers; None when there is none at hand.
        name: `plain`, or `pooled` for the policy's own states.

    Raises:
        ConfigError: an unknown name; ModelError: `pooled` for a model that is not here.
    """
    if name == "plain":
        return PlainEmbedder()
    if name != "pooled":
        raise ConfigError(f"memory.embedder = {name!r}; allowed are plain, pooled")
    inner = getattr(getattr(policy, "model", None), "model", None)
    if not hasattr(policy, "processor") or not hasattr(inner, "visual"):
        raise ModelError("memory.embedder = 'pooled' needs a model that sees and runs here")
    return PooledEmbedder(policy)  # type: ignore[arg-type]
