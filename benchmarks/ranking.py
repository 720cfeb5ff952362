"""Fits the score that picks a mask among candidates, on generated scenes; writes `ranking.json`.

    python benchmarks/ranking.py --rounds 10        (about ten minutes on one core)

The scenes have seeds and background photographs that `benchmarks/segment.py` does not use.
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import torch
from scenes import Question, iou, questions

from pixelis.ops.candidates import Candidate, propose, windows
from pixelis.ops.ranking import MEASURES, measure

TARGET = Path(__file__).parents[1] / "src" / "pixelis" / "ops" / "ranking.json"
HIDDEN = (24, 12)
EPOCHS = 40
BATCH = 512


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--first", type=int, default=1000)
    parser.add_argument("--rows", type=Path, help="keep or reuse the measured rows here (.npz)")
    arguments = parser.parse_args()
    if arguments.rows and arguments.rows.exists():
        stored = np.load(arguments.rows)
        rows, truth = stored["rows"], stored["truth"]
    else:
        rows, truth = collect(arguments.first, arguments.rounds)
        if arguments.rows:
            np.savez(arguments.rows, rows=rows, truth=truth)
    record = fit(rows, truth)
    TARGET.write_text(json.dumps(record), encoding="utf-8")
    print(f"{len(rows)} candidates, {len(TARGET.read_bytes())} bytes in {TARGET.name}")


def collect(first: int, rounds: int) -> tuple[np.ndarray, np.ndarray]:
    """Measures of every candidate and its true IoU, over `rounds` rounds of questions."""
    rows, truth = [], []
    for question in questions(first, rounds, split="fit"):
        found = [c for window in windows(question.image, *question.point) for c in propose(window)]
        if found:
            rows.append(measure(found, question.mask.size))
            truth.append([iou(spread(candidate, question), question.mask) for candidate in found])
    return np.vstack(rows), np.concatenate(truth)


def spread(candidate: Candidate, question: Question) -> np.ndarray:
    """The candidate as a mask of the whole picture."""
    x1, y1, x2, y2 = candidate.window.box
    mask = np.zeros(question.mask.shape, bool)
    mask[y1:y2, x1:x2] = cv2.resize(candidate.mask.astype(np.float32), (x2 - x1, y2 - y1)) > 0.5
    return mask


def fit(rows: np.ndarray, truth: np.ndarray) -> dict:
    """A small perceptron from measures to IoU, as plain lists."""
    torch.manual_seed(0)
    mean, deviation = rows.mean(0), rows.std(0) + 1e-6
    inputs = torch.tensor(np.clip((rows - mean) / deviation, -4, 4), dtype=torch.float32)
    target = torch.tensor(truth, dtype=torch.float32)[:, None]
    sizes = (len(MEASURES), *HIDDEN)
    layers: list[torch.nn.Module] = []
    for before, after in pairwise(sizes):
        layers += [torch.nn.Linear(before, after), torch.nn.Tanh()]
    net = torch.nn.Sequential(*layers, torch.nn.Linear(sizes[-1], 1))
    train(net, inputs, target)
    linear = [layer for layer in net if isinstance(layer, torch.nn.Linear)]
    return {
        "measures": list(MEASURES),
        "mean": _rounded(mean),
        "deviation": _rounded(deviation),
        "layers": [
            [_rounded(layer.weight.detach().numpy().T), _rounded(layer.bias.detach().numpy())]
            for layer in linear
        ],
    }


def train(net: torch.nn.Module, inputs: torch.Tensor, target: torch.Tensor) -> None:
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=1e-2)
    steps = EPOCHS * -(-len(inputs) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 6e-3, total_steps=steps)
    random = torch.Generator().manual_seed(0)
    for _ in range(EPOCHS):
        for index in torch.randperm(len(inputs), generator=random).split(BATCH):
            guess = torch.sigmoid(net(inputs[index]))
            loss = (guess - target[index]).square().mean()
            loss = loss + 0.1 * torch.nn.functional.binary_cross_entropy(guess, target[index])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def _rounded(values: np.ndarray) -> list:
    return np.round(np.asarray(values, np.float64), 5).tolist()


if __name__ == "__main__":
    main()
