"""The perception gate: can it see, measured by free-running greedy decoding on fresh scenes."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from pixelis.data.worlds import layouts
from pixelis.data.worlds.scene import Scene
from pixelis.geometry import whole
from pixelis.models.nano import SYSTEM
from pixelis.models.policy import Policy, Request, Sampling
from pixelis.training import lessons
from pixelis.training.pool import BUDGET, zoom_box
from pixelis.training.views import Seen, see

TOLERANCE = 30  # of 1000: three hundredths of the side
BATCH = 64
BARS = {"box": 0.95, "glyph": 0.95, "shape": 0.95, "color": 0.98}


class Probe(NamedTuple):
    """One question about one view with the wanted reply."""

    kind: str
    seen: Seen
    question: str
    wanted: str


def draw_probes(seed: int, count: int) -> list[Probe]:
    """`count` probes of each kind on scenes of the training domains, never seen in training."""
    rng = np.random.default_rng([seed, 909])
    found: dict[str, list[Probe]] = {kind: [] for kind in ("box", "at", "glyph")}
    while min(len(probes) for probes in found.values()) < count:
        scene = layouts.draw_scene(rng, layouts.draw_domain(rng))
        for kind, seen, ask in _views(rng, scene):
            made = ask(rng, seen)
            if made is not None and len(found[kind]) < count:
                found[kind].append(Probe(kind, seen, *made))
    return [probe for probes in found.values() for probe in probes]


Ask = Callable[[np.random.Generator, Seen], tuple[str, str] | None]


def _views(rng: np.random.Generator, scene: Scene) -> list[tuple[str, Seen, Ask]]:
    overview = see(scene, whole(scene.size), BUDGET)
    views: list[tuple[str, Seen, Ask]] = [("box", overview, lessons.ask_where)]
    if not any(item.kind == "card" for item in scene.items):
        views.append(("at", overview, lessons.ask_at))
    for index, item in enumerate(scene.items):
        inside = scene.children(index)
        if item.kind == "card" and inside:
            zoom = see(scene, zoom_box(rng, item.box, scene.size), BUDGET, index)
            views += [("at", zoom, lessons.ask_at), ("glyph", zoom, lessons.ask_glyph)]
    return views


def replies(policy: Policy, probes: list[Probe]) -> list[str]:
    """What the policy writes, greedily."""
    written: list[str] = []
    for start in range(0, len(probes), BATCH):
        requests = [
            Request(
                [
                    {"role": "system", "content": SYSTEM},
                    {
                        "role": "user",
                        "content": [{"type": "image"}, {"type": "text", "text": probe.question}],
                    },
                ],
                [Image.fromarray(probe.seen.pixels)],
            )
            for probe in probes[start : start + BATCH]
        ]
        written += [turn.text for turn in policy.generate(requests, Sampling(max_new_tokens=24))]
    return written


def _numbers(text: str) -> list[int]:
    return [int(value) for value in re.findall(r"\d+", text)]


def measure(policy: Policy, seed: int, count: int) -> dict[str, Any]:
    """Shares right and the bars they are held against; `passed` when every bar is reached."""
    probes = draw_probes(seed, count)
    hits: dict[str, list[bool]] = {name: [] for name in BARS}
    errors = []
    for probe, reply in zip(probes, replies(policy, probes), strict=True):
        if probe.kind == "box":
            got, want = _numbers(reply), _numbers(probe.wanted)
            off = max((abs(a - b) for a, b in zip(got, want, strict=False)), default=1000)
            hits["box"].append(len(got) == 4 and off <= TOLERANCE)
            errors.append(off if len(got) == 4 else 1000)
        elif probe.kind == "glyph":
            hits["glyph"].append(reply.strip() == probe.wanted)
        else:
            color, _, shape = probe.wanted.partition(" ")
            said = reply.strip().partition(" ")
            hits["color"].append(said[0] == color)
            hits["shape"].append(said[2] == shape)
    shares = {name: sum(values) / len(values) for name, values in hits.items()}
    passed = all(shares[name] >= bar for name, bar in BARS.items())
    worst = float(np.median(errors))
    return {**shares, "median_corner_error": worst, "n": count, "bars": BARS, "passed": passed}
