"""Accuracy of colour, shape and pattern names on drawn things, with true masks and found ones.

    python benchmarks/properties.py --rounds 4 [--json FILE]

Shapes by size against a simpler way (polygon corners and Hu moments), colours on flat, shaded,
outlined and glossy things in all eleven terms, patterns by fill; the same on masks from
`segment_object_at`'s engine; colour names also against the xkcd survey (in matplotlib).
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path

import cv2
import matplotlib.colors
import numpy as np
from scenes import NAMES, PALETTE, SHAPES, candies, coverage, fill, questions

from pixelis.geometry import Point
from pixelis.ops.colors import color_name, dominant
from pixelis.ops.outline import shape_of
from pixelis.ops.properties import part_of
from pixelis.ops.regions import Classic
from pixelis.ops.texture import texture_of

PATTERNS = ("striped", "dotted", "checkered")  # either of the two colours is right for these
SIDES = (12, 16, 24, 32, 48, 96)


def corners(mask: np.ndarray) -> str:
    """The simpler way: Hu moments of clean drawings for curves, polygon corners for the rest."""
    padded = np.pad(mask, 1).astype(np.uint8)
    found, _ = cv2.findContours(padded, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    outer = max(found, key=cv2.contourArea)
    if len(found) > 1:
        return "ring"
    area, length = cv2.contourArea(outer), cv2.arcLength(outer, True)
    solidity = area / max(cv2.contourArea(cv2.convexHull(outer)), 1)
    count = len(cv2.approxPolyDP(outer, 0.04 * length, True))
    (_, (width, height), _) = cv2.minAreaRect(outer)
    aspect = max(width, height) / max(min(width, height), 1)
    if solidity > 0.9 and 4 * np.pi * area / length**2 > 0.82:
        return "circle" if aspect < 1.15 else "ellipse"
    if solidity > 0.9:
        box = "square" if aspect < 1.15 else "rectangle"
        return {3: "triangle", 4: box, 5: "pentagon", 6: "hexagon"}.get(count, "irregular")
    return {10: "star", 12: "cross", 7: "arrow"}.get(count, "irregular")


def shapes(rounds: int) -> dict:
    """Share of right shape names by size, for exact masks of turned, shifted shapes."""
    random = np.random.default_rng(5)
    right: dict[str, dict[int, list[bool]]] = {"templates": {}, "corners": {}}
    mixed: Counter[tuple[str, str]] = Counter()
    for side in SIDES:
        for name, make in SHAPES.items():
            for _ in range(rounds * 5):
                half = side * 0.75 + 4
                centre = (half + random.uniform(-0.5, 0.5), half + random.uniform(-0.5, 0.5))
                size = (int(2 * half) + 1, int(2 * half) + 1)
                mask = coverage(make(random), side, random.uniform(0, 6.28), centre, size) >= 0.5
                found = shape_of(mask).name
                right["templates"].setdefault(side, []).append(found == name)
                right["corners"].setdefault(side, []).append(corners(mask) == name)
                if found != name:
                    mixed[name, found] += 1
    shares = {way: {s: _mean(v) for s, v in sides.items()} for way, sides in right.items()}
    return {"by size": shares, "mixed up": [[*k, v] for k, v in mixed.most_common(8)]}


def survey() -> float:
    """Share of right names on colours people gave a basic term with an adjective."""
    right = []
    for key, code in matplotlib.colors.XKCD_COLORS.items():
        words = key.removeprefix("xkcd:").replace("gray", "grey").split()
        terms = [word for word in words if word in NAMES]
        others = [word for word in words if word not in NAMES]
        mixed = any(word.endswith("ish") or word[:-1] in NAMES or "/" in word for word in others)
        if len(terms) == 1 and words[-1] == terms[0] and not mixed:
            red, green, blue = (round(value * 255) for value in matplotlib.colors.to_rgb(code))
            right.append(color_name((red, green, blue)) == terms[0])
    return _mean(right)


def found_things(rounds: int, first: int) -> dict:
    """Colour, shape and pattern on true masks and on masks found from a click."""
    tally: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    wrong: list[str] = []
    for question in questions(first, rounds):
        thing = question.thing
        if thing is None:
            continue
        region = Classic().segment(question.image, Point(*question.point))
        masks = {"true mask": thing.mask}
        if region is not None and region.mask.any():
            masks["found mask"] = region.mask
        for way, mask in masks.items():
            part = part_of(question.image, mask)
            colors = [color.name for color in dominant(part.rgb, part.mask)]
            color = colors[0]
            shape, texture = shape_of(part.mask), texture_of(part.rgb, part.mask)
            glossy = thing.fill == "glossy"
            named = colors[:2] if thing.fill in PATTERNS else colors[:1]
            tally[f"color, {thing.fill}"][way].append(thing.color in named)
            if not glossy:
                side = np.sqrt(thing.mask.sum())
                size = "under 24 px" if side < 24 else "24 px and more"
                tally[f"shape, {size}"][way].append(shape.name == thing.shape)
            if not glossy and thing.mask.sum() > 900:
                plain = thing.fill in ("solid", "shaded", "outlined")
                wanted = "plain" if plain else thing.fill
                tally[f"pattern, {thing.fill}"][way].append(texture.name == wanted)
            if color != thing.color and thing.fill in ("solid", "shaded", "glossy"):
                wrong.append(f"{way}: {thing.color} {thing.fill} called {color}")
    shares = {k: {way: _mean(v) for way, v in ways.items()} for k, ways in sorted(tally.items())}
    counts = {key: len(ways["true mask"]) for key, ways in tally.items()}
    return {"shares": shares, "n": counts, "wrong colors": Counter(wrong).most_common(10)}


def all_terms(rounds: int) -> dict[str, float]:
    """Colour of each of the eleven terms on a shaded disc and on candies."""
    random = np.random.default_rng(9)
    right: dict[str, list[bool]] = defaultdict(list)
    for name, shades in PALETTE.items():
        for _ in range(rounds * 4):
            alpha = coverage(SHAPES["circle"](random), 50, 0, (40, 40), (80, 80))
            surface = fill("shaded", random.choice(shades), (0, 0, 0), alpha, 50, random)
            ground = random.uniform(0, 255, 3)
            image = ground * (1 - alpha[..., None]) + surface * alpha[..., None]
            image = np.clip(image + random.normal(0, 3, image.shape), 0, 255).astype(np.uint8)
            right[name].append(dominant(image, alpha >= 0.5)[0].name == name)
    for seed in range(rounds):
        scene = candies(500_000 + seed)
        for thing in scene.things:
            if thing.mask.sum() > 400:
                found = dominant(scene.image, thing.mask)[0].name
                right[thing.color].append(found == thing.color)
    return {name: _mean(values) for name, values in right.items()}


def _mean(values: list[bool]) -> float:
    return round(float(np.mean(values)), 3)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--first", type=int, default=920_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    record = {
        "shapes on true masks": shapes(arguments.rounds),
        "color names, xkcd survey": survey(),
        "colors by term, shaded and glossy": all_terms(arguments.rounds),
        "things in scenes": found_things(arguments.rounds, arguments.first),
    }
    ways = record["shapes on true masks"]["by size"]
    print(f"{'shape names':16}" + "".join(f"{side:>7} px" for side in SIDES))
    for way, sides in ways.items():
        print(f"{way:16}" + "".join(f"{sides[side]:10.3f}" for side in SIDES))
    things = record["things in scenes"]
    print(f"\n{'':26}{'true mask':>12}{'found mask':>12}{'n':>6}")
    for key, row in things["shares"].items():
        cells = "".join(f"{row.get(way, 0.0):12.3f}" for way in ("true mask", "found mask"))
        print(f"{key:26}{cells}{things['n'][key]:6}")
    print(json.dumps(record))
    if arguments.json:
        arguments.json.write_text(json.dumps(record), encoding="utf-8")


if __name__ == "__main__":
    main()
