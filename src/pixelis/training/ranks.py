"""LoRA ranks from what a short full fine-tune changes: singular values of each layer's ΔW.

For every linear layer the smallest rank that holds `energy` (90 %) of ‖ΔW‖²_F, the norm being that
of the whole matrix and not of the values computed; then clipped, rounded up to a power of two above
16, and drawn towards its kind: 0.8 of the mean rank of all layers of that type, 0.2 of its own.
Matrices with more than 1,000 columns get a randomised SVD (Halko, Martinsson and Tropp 2011,
doi:10.1137/090771806, algorithm 4.4 with two power iterations).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from matplotlib.figure import Figure
from safetensors import SafetensorError, safe_open

from pixelis.errors import DataError
from pixelis.training.adapters import pattern

LARGE_COLUMNS = 1000
OVER = 10  # columns sampled beyond those wanted
ROUNDED = 16  # above this, ranks are powers of two
OF_KIND = 0.8
KEPT = 256  # singular values stored for each layer
LEFT_OUT = ("embed", "norm", "lm_head")
NUMBER = re.compile(r"\.\d+\.")


@dataclass(frozen=True)
class Spectrum:
    """Singular values of a layer's change.

    Attributes:
        layer: full name of the module.
        shape: outputs, inputs.
        values: largest first; all of them, or as many as a randomised SVD gave.
        total: squared Frobenius norm of the whole matrix.
    """

    layer: str
    shape: tuple[int, int]
    values: tuple[float, ...]
    total: float

    @property
    def kind(self) -> str:
        """The layer's name without its numbers: layers of one kind share most of their rank."""
        return NUMBER.sub(".N.", self.layer)

    def held(self, rank: int) -> float:
        """Share of the whole squared norm in the first `rank` values; 1 when nothing changed."""
        if self.total <= 0:
            return 1.0
        return float(np.square(self.values[:rank]).sum() / self.total)

    def rank(self, energy: float) -> int | None:
        """The smallest rank that holds `energy`; None when the computed values do not reach it."""
        if self.total <= 0:
            return 0
        shares = np.cumsum(np.square(self.values)) / self.total
        reached = np.flatnonzero(shares >= energy - 1e-9)
        return int(reached[0]) + 1 if len(reached) else None


def spectrum(layer: str, change: torch.Tensor, most: int, seed: int = 0) -> Spectrum:
    """Of ΔW, shape (outputs, inputs); `most` values are needed when it is large."""
    change = change.detach().to("cpu", torch.float32)
    outputs, inputs = change.shape
    total = float(change.double().square().sum())
    if min(outputs, inputs) > most + OVER and inputs > LARGE_COLUMNS:
        values = _randomised(change, most + OVER, seed)[:most]
    else:
        values = torch.linalg.svdvals(change)
    return Spectrum(layer, (outputs, inputs), tuple(map(float, values)), total)


def _randomised(matrix: torch.Tensor, count: int, seed: int) -> torch.Tensor:
    """The largest `count` singular values, from a random sketch of the range."""
    generator = torch.Generator().manual_seed(seed)
    sketch = matrix @ torch.randn(matrix.shape[1], count, generator=generator)
    base, _ = torch.linalg.qr(sketch)
    for _ in range(2):
        base, _ = torch.linalg.qr(matrix.T @ base)
        base, _ = torch.linalg.qr(matrix @ base)
    return torch.linalg.svdvals(base.T @ matrix)


def changes(
    before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]
) -> Iterator[tuple[str, torch.Tensor]]:
    """Name and ΔW of every linear layer; biases, norms, embeddings and heads are left out.

    DataError when a layer has another shape in the two.
    """
    for name in before:
        layer, _, last = name.rpartition(".")
        if last != "weight" or any(word in layer for word in LEFT_OUT) or name not in after:
            continue
        was, now = before[name], after[name]
        if was.shape != now.shape:
            raise DataError(
                f"{layer}: {tuple(was.shape)} before and {tuple(now.shape)} after; give the same "
                "model twice"
            )
        if was.ndim == 2:
            yield layer, now.to("cpu", torch.float32) - was.to("cpu", torch.float32)


class Weights(Mapping[str, torch.Tensor]):
    """Tensors of a checkpoint folder, one or many safetensors files, read when they are asked for.

    DataError when there are none, or a file is broken.
    """

    def __init__(self, folder: Path) -> None:
        self._stack = ExitStack()
        self._files: dict[str, Any] = {}
        paths = sorted(folder.glob("*.safetensors"))
        if not paths:
            raise DataError(f"{folder} holds no .safetensors weights; give a checkpoint folder")
        for path in paths:
            try:
                file = self._stack.enter_context(safe_open(path, framework="pt"))
            except (OSError, SafetensorError) as error:
                raise DataError(f"{path} cannot be read: {error}") from error
            for name in file.keys():  # noqa: SIM118 (it is no dict)
                self._files[module_name(name)] = (file, name)

    def __getitem__(self, name: str) -> torch.Tensor:
        file, there = self._files[name]
        return file.get_tensor(there)

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)

    def close(self) -> None:
        self._stack.close()


def module_name(name: str) -> str:
    """The module's name in transformers of a tensor's name on disk, which older Qwen-VL
    checkpoints write without `language_model`."""
    bare = name.removeprefix("model.")
    if bare.startswith("visual."):
        return f"model.{bare}"
    bare = bare.removeprefix("language_model.").removeprefix("model.")
    return f"model.language_model.{bare}" if bare.startswith("layers.") else name


def allotted(spectra: Sequence[Spectrum], energy: float, least: int, most: int) -> dict[str, int]:
    """The rank of each layer; see the module."""
    own = {one.layer: _rounded(one.rank(energy), least, most) for one in spectra}
    by_kind: dict[str, list[int]] = {}
    for one in spectra:
        by_kind.setdefault(one.kind, []).append(own[one.layer])
    given = {}
    for one in spectra:
        mean = float(np.mean(by_kind[one.kind]))
        smooth = OF_KIND * mean + (1 - OF_KIND) * own[one.layer]
        given[one.layer] = min(max(round(smooth), least), most, min(one.shape))
    return given


def _rounded(rank: int | None, least: int, most: int) -> int:
    rank = most if rank is None else min(max(rank, least), most)
    return rank if rank <= ROUNDED else min(2 ** math.ceil(math.log2(rank)), most)


def uniform_rank(spectra: Sequence[Spectrum], ranks: Mapping[str, int]) -> float:
    """The rank that, the same in every layer, takes as many parameters."""
    return cost(spectra, ranks) / sum(sum(one.shape) for one in spectra)


def cost(spectra: Sequence[Spectrum], ranks: Mapping[str, int]) -> int:
    """Parameters of adapters with these ranks: rank × (inputs + outputs) a layer."""
    return sum(ranks[one.layer] * sum(one.shape) for one in spectra)


def to_record(
    spectra: Sequence[Spectrum], energy: float, least: int, most: int, alpha: float
) -> dict[str, Any]:
    """What `pixelis train ranks` writes and `train sft --ranks` reads.

    `alpha` is what each layer's alpha is, relative to its rank.
    """
    ranks = allotted(spectra, energy, least, most)
    layers = {
        one.layer: {
            "shape": list(one.shape),
            "rank": ranks[one.layer],
            "needed": one.rank(energy),
            "held": round(one.held(ranks[one.layer]), 4),
            "squared_norm": one.total,
            "values": [float(f"{value:.4g}") for value in one.values[:KEPT]],
        }
        for one in spectra
    }
    return {
        "energy": energy,
        "parameters": cost(spectra, ranks),
        "uniform_rank": round(uniform_rank(spectra, ranks), 2),
        "rank_pattern": {pattern(layer): rank for layer, rank in ranks.items()},
        "alpha_pattern": {pattern(layer): round(alpha * rank) for layer, rank in ranks.items()},
        "layers": layers,
    }


def measure(
    before: Mapping[str, torch.Tensor],
    after: Mapping[str, torch.Tensor],
    most: int,
    only: str = "",
) -> list[Spectrum]:
    """The spectra of every linear layer whose name contains `only`; DataError without any."""
    found = [
        spectrum(layer, change, most) for layer, change in changes(before, after) if only in layer
    ]
    if not found:
        raise DataError("the two sets of weights share no linear layers; give the same model twice")
    return found


def figure(record: Mapping[str, Any]) -> Figure:
    """Left the share of the change that a rank holds, a line a layer; right the ranks given."""
    drawn = Figure(figsize=(11, 4.2), layout="constrained")
    left, right = drawn.subplots(1, 2)
    layers = record["layers"]
    kinds = sorted({NUMBER.sub(".N.", name).rpartition(".")[2] for name in layers})
    palette = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")
    colors = {kind: palette[place % len(palette)] for place, kind in enumerate(kinds)}
    marked: set[str] = set()
    for place, (name, layer) in enumerate(layers.items()):
        kind = name.rpartition(".")[2]
        shares = np.cumsum(np.square(layer["values"])) / max(layer["squared_norm"], 1e-30)
        told = None if kind in marked else kind
        marked.add(kind)
        left.plot(np.arange(1, len(shares) + 1), shares, color=colors[kind], lw=1, label=told)
        right.bar(place, layer["rank"], color=colors[kind])
    left.axhline(record["energy"], color="#999999", lw=1, ls="--")
    left.set(xscale="log", xlabel="rank", ylabel="share of ‖ΔW‖² held", ylim=(0, 1.02))
    left.legend(fontsize=7)
    right.set(xlabel="layer, in the model's order", ylabel="rank given")
    drawn.suptitle(
        f"{len(layers)} layers, {record['parameters']:,} parameters, as many as uniform rank "
        f"{record['uniform_rank']:g}",
        fontsize=9,
    )
    return drawn


def write(record: Mapping[str, Any], out: Path) -> tuple[Path, Path]:
    """`ranks.json` and `ranks.png` in the folder."""
    out.mkdir(parents=True, exist_ok=True)
    told, drawn = out / "ranks.json", out / "ranks.png"
    told.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    figure(record).savefig(drawn, dpi=110)
    return told, drawn
