"""Settling: a frame changes by a rule, tick after tick, until it moves no more."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from pixelis.errors import ConfigError
from pixelis.wheeler.rules import BETA, ETA, Anchored, Rule, legacy_rule

State = Literal["CONVERGED", "CYCLE", "MAX_TICKS", "DEGENERATE"]
STILL = 5e-7  # the largest move of a cell in a tick that counts as standing still
MOST_TICKS = 2000
LONGEST_CYCLE = 8
FLAT = 1e-3  # standard deviation of a frame that shows nothing any more


class Settling(NamedTuple):
    """How a frame settled.

    Attributes:
        frame: where it came to rest, in the shape and dtype of what was given.
        ticks: how many were made; `moved` is the largest move of a cell in the last one.
        state: CONVERGED; CYCLE (it repeats itself); MAX_TICKS; DEGENERATE (nothing is left to see).
        history: the frames from first to last, when asked for.
    """

    frame: np.ndarray
    ticks: int
    state: State
    moved: float
    history: tuple[np.ndarray, ...] = ()


class WheelerMemoryCPU:
    """The dynamics of frames of one size.

    Args:
        rule: `anchored`, or the legacy `peaks` and `smooth`, which hold no memory.
        memories: stored frames (N, height, width) of the anchored rule.
        metric: weights (height, width) of cells in its cosine; None lets all count alike.

    ConfigError for an unknown rule and for frames of another size.
    """

    def __init__(
        self,
        width: int,
        height: int,
        rule: str = "anchored",
        memories: np.ndarray | Sequence[np.ndarray] | None = None,
        beta: float = BETA,
        eta: float = ETA,
        metric: np.ndarray | None = None,
    ) -> None:
        self.width, self.height = width, height
        if width < 1 or height < 1:
            raise ConfigError(f"a frame has at least one cell; came {width} x {height}")
        given = [] if memories is None else list(memories)
        kept = [self.checked(frame) for frame in given]
        if metric is not None and np.shape(metric) != (height, width):
            raise ConfigError(
                f"metric is {np.shape(metric)}; it needs a weight a cell, ({height}, {width})"
            )
        self.rule: Rule
        if rule == "anchored":
            stored = np.stack(kept) if kept else np.zeros((0, height, width), np.float32)
            self.rule = Anchored(stored, beta, eta, metric)
        elif kept:
            raise ConfigError(f"rule {rule!r} holds no memories; use anchored")
        else:
            self.rule = legacy_rule(rule)

    def run_dynamics(
        self, frame: Any, max_ticks: int = MOST_TICKS, tolerance: float = STILL
    ) -> np.ndarray:
        """The settled frame, in the shape and dtype of `frame`; see `settle`."""
        return self.settle(frame, max_ticks, tolerance).frame

    def settle(
        self,
        frame: Any,
        max_ticks: int = MOST_TICKS,
        tolerance: float = STILL,
        keep_history: bool = False,
    ) -> Settling:
        """Ticks until no cell moves by more than `tolerance`.

        Args:
            frame: (height, width) in [-1, 1]: an array, anything that becomes one (a tensor), or
                bytes, which stand for a frame drawn from their SHA-256. Whole numbers become
                float32.

        ConfigError names the fault for another shape, NaN or values outside [-1, 1].
        """
        now = self.checked(frame)
        dtype = now.dtype
        history = [now] if keep_history else []
        recent: list[np.ndarray] = []
        moved, state, ticks = 0.0, "MAX_TICKS", 0
        while ticks < max_ticks:
            then = self.rule.tick(now).astype(dtype, copy=False)
            ticks += 1
            moved = float(np.abs(then - now).max())
            now = then
            if keep_history:
                history.append(now)
            if moved <= tolerance:
                state = "CONVERGED"
                break
            if any(np.array_equal(now, before) for before in recent):
                state = "CYCLE"
                break
            recent = [*recent[-LONGEST_CYCLE:], now]
        if float(now.std()) < FLAT:
            state = "DEGENERATE"
        return Settling(now, ticks, state, moved, tuple(history))  # type: ignore[arg-type]

    def checked(self, frame: Any) -> np.ndarray:
        """The frame as an array of floats; ConfigError when it is none."""
        if isinstance(frame, bytes | bytearray | memoryview):
            return seeded(bytes(frame), self.height, self.width)
        try:
            found = np.asarray(frame.detach().cpu() if hasattr(frame, "detach") else frame)
        except ValueError as error:  # rows of different lengths
            raise ConfigError(f"a frame is ({self.height}, {self.width}); came {error}") from error
        if found.dtype.kind not in "fiub":
            raise ConfigError(f"a frame holds numbers; came {found.dtype}")
        if found.shape != (self.height, self.width):
            raise ConfigError(
                f"a frame here is ({self.height}, {self.width}); came {tuple(found.shape)}"
            )
        if found.dtype.kind != "f":
            found = found.astype(np.float32)
        if np.isnan(found).any():
            raise ConfigError("the frame holds NaN; every cell must be a number from -1 to 1")
        if np.abs(found).max() > 1:
            raise ConfigError(f"cells go from -1 to 1; came {float(np.abs(found).max()):.4g}")
        return found


def seeded(data: bytes, height: int, width: int) -> np.ndarray:
    """A frame of even noise in [-1, 1], float32, the same for the same bytes everywhere."""
    seed = int.from_bytes(hashlib.sha256(data).digest()[:8], "big")
    noise = np.random.Generator(np.random.PCG64(seed)).random((height, width), np.float32)
    return noise * 2 - 1
