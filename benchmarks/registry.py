"""What the registry adds to a call: `zoom_in` through it against the function called directly.

Prints one line of JSON with medians in milliseconds; `overhead_ms` should stay at or below 1.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from pixelis.episode import Call
from pixelis.media import open_media
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Workspace
from pixelis.ops.zoom import ZoomIn, zoom_in

ROUNDS = 500


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def measure(rounds: int = ROUNDS) -> dict[str, float]:
    """Medians over interleaved calls, so that a busy machine slows both sides alike."""
    pixels = np.random.default_rng(0).integers(0, 255, (480, 640, 3), np.uint8)
    workspace = Workspace(open_media(pixels))
    call = Call("zoom_in", {"bbox_2d": [100, 100, 150, 150]})
    arguments = ZoomIn.model_validate(call.arguments)
    mark = workspace.mark()
    direct, through, extra = [], [], []
    for _ in range(rounds):
        direct.append(milliseconds(lambda: zoom_in(workspace, arguments)))
        through.append(milliseconds(lambda: REGISTRY.run(call, workspace)))
        extra.append(through[-1] - direct[-1])
        workspace.rollback(mark)
    return {
        "rounds": rounds,
        "direct_ms": round(statistics.median(direct), 4),
        "registry_ms": round(statistics.median(through), 4),
        "overhead_ms": round(statistics.median(extra), 4),
    }


def main() -> None:
    print(json.dumps({"benchmark": "registry", **measure()}))


if __name__ == "__main__":
    main()
