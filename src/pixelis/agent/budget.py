"""How much one episode may use, and the sentences that tell the model so."""

from __future__ import annotations

import math
from dataclasses import dataclass

from pixelis.episode import Ended
from pixelis.errors import ConfigError

NOTICE = "Notice: "
ANSWER_NOW = "no calls are left; answer now."
REPEATED = "this is the same call as before; do something else or answer."


@dataclass(frozen=True)
class Budget:
    """Limits of one episode.

    Attributes:
        steps: turns of the model, the answer included.
        calls: operations run.
        images: images shown, the original included.
        new_tokens: tokens of one turn; None takes the profile's.
        image_tokens: tokens of all images shown; None takes the profile's.
        seconds: wall time from the first turn on.
    """

    steps: int = 6
    calls: int = 12
    images: int = 16
    new_tokens: int | None = None
    image_tokens: int | None = None
    seconds: float = 300.0

    def __post_init__(self) -> None:
        least = {"steps": 1, "calls": 0, "images": 1, "new_tokens": 1, "image_tokens": 1}
        for name, low in least.items():
            value = getattr(self, name)
            if value is not None and value < low:
                raise ConfigError(f"budget {name} = {value} is not allowed; give {low} or more")
        if not (self.seconds > 0 and not math.isnan(self.seconds)):
            raise ConfigError(f"budget seconds = {self.seconds} is not allowed; give more than 0")

    def spent(self, steps: int, calls: int, images: int) -> Ended | None:
        """The limit that leaves room for an answer only, None while calls are still possible."""
        if steps >= self.steps - 1:
            return "steps"
        if calls >= self.calls:
            return "calls"
        return "images" if images >= self.images else None


def notice(*reasons: str) -> str | None:
    """The line the loop adds below an observation; None without reasons."""
    return NOTICE + " ".join(reasons) if reasons else None
