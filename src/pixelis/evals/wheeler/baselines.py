"""What a user would take instead: n-gram cosine, BM25, a classical Hopfield network.

Each is built of the same texts or frames as Wheeler's memory and asked the same questions.
"""

from __future__ import annotations

import math
import re
import zlib
from collections import Counter
from collections.abc import Sequence

import numpy as np

WORD = re.compile(r"[\w']+")
BUCKETS = 4096
K1, B = 1.2, 0.75


class Ngrams:
    """Cosine between hashed counts of runs of three and four letters; the nearest neighbour."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.rows = np.stack([self._vector(text) for text in texts])

    def best(self, text: str) -> int:
        return int((self.rows @ self._vector(text)).argmax())

    def likeness(self, text: str) -> float:
        return float((self.rows @ self._vector(text)).max())

    @staticmethod
    def _vector(text: str) -> np.ndarray:
        padded = f" {text.lower()} "
        runs = (padded[k : k + n] for n in (3, 4) for k in range(len(padded) - n + 1))
        places = np.array([zlib.crc32(run.encode()) % BUCKETS for run in runs], np.int64)
        counts = np.bincount(places, minlength=BUCKETS).astype(np.float32)
        return counts / max(float(np.linalg.norm(counts)), 1e-9)


class Bm25:
    """Okapi BM25 over lower-case words (Robertson & Zaragoza 2009), k1 1.2 and b 0.75."""

    def __init__(self, texts: Sequence[str]) -> None:
        bags = [Counter(words(text)) for text in texts]
        mean = sum(sum(bag.values()) for bag in bags) / max(len(bags), 1)
        self.places = {word: k for k, word in enumerate(dict.fromkeys(w for b in bags for w in b))}
        known = Counter(word for bag in bags for word in bag)
        self.scores = np.zeros((len(texts), len(self.places) + 1), np.float32)
        for row, bag in enumerate(bags):
            spread = K1 * (1 - B + B * sum(bag.values()) / mean)
            for word, count in bag.items():
                rare = math.log(1 + (len(texts) - known[word] + 0.5) / (known[word] + 0.5))
                gain = rare * count * (K1 + 1) / (count + spread)
                self.scores[row, self.places[word]] = gain

    def _totals(self, text: str) -> np.ndarray:
        columns = [self.places.get(word, len(self.places)) for word in words(text)]
        return self.scores[:, columns].sum(1)

    def best(self, text: str) -> int:
        return int(self._totals(text).argmax())

    def likeness(self, text: str) -> float:
        """Best score as a share of what the text would score if every word were found."""
        return float(self._totals(text).max() / max(len(words(text)), 1))


class Hopfield:
    """Hopfield 1982: Hebbian weights over signs of frames, all cells updated together."""

    def __init__(self, frames: np.ndarray) -> None:
        self.rows = np.where(frames.reshape(len(frames), -1) >= 0, 1.0, -1.0).astype(np.float32)
        self.weights = self.rows.T @ self.rows / self.rows.shape[1]
        np.fill_diagonal(self.weights, 0)

    def best(self, frames: np.ndarray, ticks: int = 20) -> np.ndarray:
        """Stored rows nearest to where frames (B, cells) end up."""
        state = np.where(frames.reshape(len(frames), -1) >= 0, 1.0, -1.0).astype(np.float32)
        for _ in range(ticks):
            then = np.where(state @ self.weights >= 0, 1.0, -1.0).astype(np.float32)
            if np.array_equal(then, state):
                break
            state = then
        return (state @ self.rows.T).argmax(1)

    def settles(self, frames: np.ndarray, wanted: np.ndarray, ticks: int = 20) -> np.ndarray:
        """Whether each frame ends with 99 % of the cells of the row it is meant for."""
        state = np.where(frames.reshape(len(frames), -1) >= 0, 1.0, -1.0).astype(np.float32)
        for _ in range(ticks):
            state = np.where(state @ self.weights >= 0, 1.0, -1.0).astype(np.float32)
        return (state == self.rows[wanted]).mean(1) >= 0.99


def ceiling(texts: Sequence[str], asked: Sequence[str], wanted: Sequence[int]) -> np.ndarray:
    """Chance of the best possible guess when words were only lost: one of all texts that hold
    every word of the question, in its number. Nobody can do better without knowing more."""
    bags = [Counter(words(text)) for text in texts]
    holders: dict[str, set[int]] = {}
    for row, bag in enumerate(bags):
        for word in bag:
            holders.setdefault(word, set()).add(row)
    chances = []
    for text, right in zip(asked, wanted, strict=True):
        bag = Counter(words(text))
        rows = set.intersection(*(holders.get(word, set()) for word in bag)) if bag else set()
        fit = [row for row in rows if all(bags[row][word] >= n for word, n in bag.items())]
        chances.append(1 / len(fit) if right in fit else 0.0)
    return np.array(chances)


def words(text: str) -> list[str]:
    return WORD.findall(text.lower())
