"""A small forward model: what will the next observation look like? Its error is surprise.

State, call and observation become fixed vectors by a random projection that never learns (of the
picture in coarse pixels and of the words, hashed): a moving target, such as the vision tower of the
model in training, would never become familiar. A two-layer network predicts the observation from
state and call; what it has seen often it predicts well, and the error falls. So curiosity about a
place wears off. (After Pathak et al. 2017, arXiv 1705.05363, with fixed random features as Burda et
al. 2018, arXiv 1808.04355, found to do nearly as well.)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from pixelis.agent import Rollout
from pixelis.episode import Call, Episode, Observation
from pixelis.errors import CheckpointError
from pixelis.geometry import Box
from pixelis.rewards import telling

SIDE = 8  # coarse pixels of an image, squared
WORDS = 128  # places that words are hashed to
WIDTH = 64  # numbers in an embedding
HIDDEN = 128
FILE = "surprise.safetensors"


class Transition(NamedTuple):
    """Fixed embeddings: state (2 x 64), call (64), next observation (64)."""

    state: np.ndarray
    call: np.ndarray
    seen: np.ndarray


def transitions(rollout: Rollout) -> list[Transition]:
    """One for every call of the episode that told something new."""
    episode = rollout.episode
    made: list[Transition] = []
    marks = iter(telling(episode))
    last = _image(rollout, 0)
    words = _words(episode.question)
    for step in episode.steps:
        seen = step.observation
        if seen is None or not next(marks) or step.call is None:
            continue
        shown = _image(rollout, seen.image) if seen.image is not None else None
        outcome = _project("seen", np.concatenate([_coarse(shown), _words(seen.text)]))
        state = np.concatenate([_project("state", _coarse(last)), _project("words", words)])
        made.append(Transition(state, _call(step.call, seen, episode), outcome))
        last = shown or last
    return made


class Forward:
    """The network, its optimizer and how far targets spread; the same seed gives the same one.

    Args:
        rate: learning rate of Adam.
        passes: updates on each batch.
    """

    def __init__(self, seed: int = 0, rate: float = 2e-3, passes: int = 4) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.net = nn.Sequential(
            nn.Linear(3 * WIDTH, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, HIDDEN), nn.Tanh()
        )
        self.head = nn.Linear(HIDDEN, WIDTH)
        with torch.no_grad():
            for layer in [*self.net, self.head]:
                if isinstance(layer, nn.Linear):
                    bound = layer.in_features**-0.5
                    layer.weight.uniform_(-bound, bound, generator=generator)
                    layer.bias.zero_()
        self.parameters = [*self.net.parameters(), *self.head.parameters()]
        self.optimizer = torch.optim.Adam(self.parameters, rate)
        self.passes = passes

    def errors(self, batch: Sequence[Transition]) -> list[float]:
        """Squared error of each over the squared length of what came, in [0, about 1]; the network
        does not learn. Predicting nothing at all gives 1."""
        if not batch:
            return []
        with torch.no_grad():
            inputs, wanted = _stacked(batch)
            missed = (self._predict(inputs) - wanted).square().sum(1)
            return (missed / wanted.square().sum(1).clamp(min=1e-6)).tolist()

    def learn(self, batch: Sequence[Transition]) -> float:
        """A few updates on the batch; gives the loss before them, 0 without transitions."""
        if not batch:
            return 0.0
        inputs, wanted = _stacked(batch)
        first = 0.0
        with torch.enable_grad():
            for number in range(self.passes):
                loss = (self._predict(inputs) - wanted).square().sum(1).mean()
                first = float(loss.detach()) if number == 0 else first
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
        return first

    def _predict(self, inputs: torch.Tensor) -> torch.Tensor:
        return self.head(self.net(inputs))

    def save(self, folder: Path) -> None:
        """Weights and the optimizer's moments into a checkpoint."""
        save_file(self._tensors(), folder / FILE)

    def load(self, folder: Path) -> None:
        """As it was saved; CheckpointError when it cannot be read."""
        try:
            stored = load_file(folder / FILE)
            with torch.no_grad():
                for number, parameter in enumerate(self.parameters):
                    parameter.copy_(stored[f"weight.{number}"])
                    if f"step.{number}" in stored:
                        self.optimizer.state[parameter] = {
                            name: stored[f"{name}.{number}"].clone()
                            for name in ("step", "exp_avg", "exp_avg_sq")
                        }
        except (OSError, KeyError, RuntimeError, SafetensorError) as error:
            raise CheckpointError(f"{folder / FILE} cannot be read: {error}") from error

    def _tensors(self) -> dict[str, torch.Tensor]:
        told = {}
        for number, parameter in enumerate(self.parameters):
            told[f"weight.{number}"] = parameter.detach().clone()
            for name, value in self.optimizer.state.get(parameter, {}).items():
                told[f"{name}.{number}"] = value.detach().clone()
        return told


# embeddings ---------------------------------------------------------------------------------------
def _stacked(batch: Sequence[Transition]) -> tuple[torch.Tensor, torch.Tensor]:
    inputs = np.stack([np.concatenate([one.state, one.call]) for one in batch])
    wanted = np.stack([one.seen for one in batch])
    return torch.from_numpy(inputs).float(), torch.from_numpy(wanted).float()


def _project(name: str, values: np.ndarray) -> np.ndarray:
    """A fixed random projection to 64 numbers of length 1 (0 for nothing), one for each name."""
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4])
    matrix = np.random.default_rng(seed).standard_normal((WIDTH, len(values)))
    made = matrix @ values
    length = np.linalg.norm(made)
    return made / length if length > 0 else made


def _image(rollout: Rollout, index: int) -> Image.Image | None:
    return rollout.images[index] if index < len(rollout.images) else None


def _coarse(image: Image.Image | None) -> np.ndarray:
    """Coarse pixels in [-1, 1], flat; zeros without an image."""
    if image is None:
        return np.zeros(SIDE * SIDE * 3)
    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.asarray(small, np.float64).reshape(-1) / 127.5 - 1


def _words(text: str) -> np.ndarray:
    """Words hashed to places, each with a sign of its own."""
    made = np.zeros(WORDS)
    for word in re.findall(r"[a-z]+|\d+", text.lower()):
        digest = hashlib.sha256(word.encode()).digest()
        made[digest[0] % WORDS] += 1 if digest[1] & 1 else -1
    return made


def _call(call: Call, seen: Observation, episode: Episode) -> np.ndarray:
    """The operation and where it looked, as shares of the source."""
    place = seen.box or Box(0, 0, 0, 0)
    width, height = episode.media.size
    where = np.array([place.x1 / width, place.y1 / height, place.x2 / width, place.y2 / height])
    return _project("call", np.concatenate([_words(call.op) * 2, where * 4]))
