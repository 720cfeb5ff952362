"""What can be set about answering, remembering and learning online."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from pixelis.evolve import gate

if TYPE_CHECKING:
    from pixelis.memory.priority import Room


class EvolveConfig(BaseModel):
    """Settings of `pixelis evolve`; learning is off unless `learn` is set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = "nano"
    learn: bool = False
    seed: int = Field(default=0, ge=0)
    votes: int = Field(default=8, ge=1, le=256)
    temperature: float = Field(default=1.0, gt=0)
    strategy: Literal["majority", "confidence", "similarity"] = "majority"
    ahead: int = Field(default=1, ge=1, le=64)
    # memory
    recall: str = "neighbours"
    embedder: str = "plain"
    neighbours: int = Field(default=5, ge=0)
    room: int = Field(default=1_000_000, ge=1)
    room_bytes: int = Field(default=20 * 2**30, ge=1)
    redact: bool = True
    originals: bool = False
    # calibration and gate
    calibration: Path | None = Field(
        default=None, description="a file that `pixelis gauge` wrote: what confidence is worth"
    )
    low: float = Field(default=0.7, ge=0, le=1)
    high: float = Field(default=0.98, ge=0, le=1)
    doubt: float = Field(default=0.4, ge=0, le=1)
    cold: int = Field(default=100, ge=0)
    support: float = Field(default=0.5, ge=0, le=1)
    review: float = Field(default=0.02, ge=0, le=1)
    per_hour: int = Field(default=1000, ge=0)
    # learner
    lr: float = Field(default=1e-3, gt=0)
    rank: int = Field(default=8, ge=1)
    batch: int = Field(default=8, ge=1)
    rollouts: int = Field(default=8, ge=2)
    updates: int = Field(default=4, ge=1)
    replay: float = Field(default=0.25, ge=0, le=1)
    half_life: float = Field(default=2.0, ge=0)
    clip: float = Field(default=1.0, gt=0)
    cap: float = Field(default=2.0, gt=0)
    kl_target: float = Field(default=0.05, gt=0)
    behaviour: bool = True
    magnitude: bool = True
    time: bool = True
    canary: Path | None = Field(
        default=None, description="questions that must not get worse: exam:canary or FILE.jsonl"
    )
    canary_size: int = Field(default=200, ge=1)
    margin: float = Field(default=0.02, gt=0, lt=1)
    canaries: bool = True

    @property
    def gate(self) -> gate.Settings:
        """The gate's part."""
        return gate.Settings(
            low=self.low, high=self.high, doubt=self.doubt, support=self.support,
            cold=self.cold, per_hour=self.per_hour, review=self.review, base=self.lr,
            least=self.lr / 100, most=self.lr,
        )  # fmt: skip

    @property
    def space(self) -> Room:
        """How much the store may hold."""
        from pixelis.memory.priority import Room  # --help needs none of it

        return Room(self.room, self.room_bytes)
