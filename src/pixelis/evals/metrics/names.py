"""Named properties: which of those told are right, which of the true ones were told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Named(NamedTuple):
    """Counts over many things: properties told, true ones, and those that agree."""

    told: int = 0
    true: int = 0
    agreed: int = 0

    @property
    def precision(self) -> float | None:
        """Of the properties told, the share that is right; None when none was told."""
        return self.agreed / self.told if self.told else None

    @property
    def recall(self) -> float | None:
        """Of the true properties, the share that was told; None when there are none."""
        return self.agreed / self.true if self.true else None


def named(pairs: Iterable[tuple[Mapping[str, str], Mapping[str, str]]]) -> Named:
    """Counts over pairs of told and true properties by name.

    A property that the truth does not speak of counts neither for nor against.
    """
    told = true = agreed = 0
    for said, truth in pairs:
        spoken = {name: value for name, value in said.items() if name in truth}
        told += len(spoken)
        true += len(truth)
        agreed += sum(truth[name] == value for name, value in spoken.items())
    return Named(told, true, agreed)
