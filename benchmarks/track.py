"""Following: ours, OpenCV's TrackerMIL, a template alone and flow alone, on the same clips.

    PYTHONPATH=src python benchmarks/track.py [--clips 3] [--seed 100]

Mean IoU is over the frames in which the target can be seen (a quarter of it or more), the first
left out, a frame called lost counting 0. Precision and recall are those of "lost": of the frames
called lost the share that were, of the lost frames the share called so. Frames per second are per
CPU second, learning of the scene included.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import cv2
import numpy as np
from clips import Clip, objects, pedestrians

from pixelis.geometry import Box
from pixelis.ops.follow import Track, follow

Follow = Callable[[Clip], Track]


def first_box(clip: Clip) -> Box:
    box = clip.boxes[0]
    assert box is not None
    return Box(*box)


def ours(clip: Clip) -> Track:
    at = np.unique(np.linspace(0, len(clip.frames) - 1, 25).round().astype(int))
    samples = [clip.frames[number] for number in at]
    return follow(enumerate(clip.frames), first_box(clip), samples)


def mil(clip: Clip) -> Track:
    """TrackerMIL, which has no notion of loss but its own `ok`."""
    cv2.setRNGSeed(0)
    tracker, box = cv2.TrackerMIL.create(), first_box(clip)
    size = round(box.x1), round(box.y1), round(box.width), round(box.height)
    tracker.init(clip.frames[0], size)
    track = Track({0: box}, {0: 1.0})
    for number, frame in enumerate(clip.frames[1:], start=1):
        ok, (x, y, wide, high) = tracker.update(frame)
        if ok:
            track.boxes[number] = Box(x, y, x + wide, y + high)
        else:
            track.lost.append(number)
    return track


def template(clip: Clip) -> Track:
    """Normalised cross-correlation of the first picture around the last place; lost below 0.5."""
    box = first_box(clip)
    x1, y1, x2, y2 = box.rounded()
    patch = clip.frames[0][y1:y2, x1:x2]
    track = Track({0: box}, {0: 1.0})
    for number, frame in enumerate(clip.frames[1:], start=1):
        left, top, right, bottom = box.pad(max(box.width, box.height)).rounded()
        left, top = max(left, 0), max(top, 0)
        part = frame[top : max(bottom, top + patch.shape[0]), left : max(right, left)]
        if part.shape[0] < patch.shape[0] or part.shape[1] < patch.shape[1]:
            track.lost.append(number)
            continue
        match = cv2.matchTemplate(part, patch, cv2.TM_CCOEFF_NORMED)
        _, best, _, (x, y) = cv2.minMaxLoc(match)
        if best < 0.5:
            track.lost.append(number)
            continue
        box = Box(left + x, top + y, left + x + patch.shape[1], top + y + patch.shape[0])
        track.boxes[number] = box
    return track


def flow(clip: Clip) -> Track:
    """Median Lucas-Kanade flow of corners in the box; lost when fewer than four can be traced."""
    box = first_box(clip)
    track = Track({0: box}, {0: 1.0})
    greys = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in clip.frames]
    for number in range(1, len(greys)):
        mask = np.zeros_like(greys[0])
        x1, y1, x2, y2 = (max(v, 0) for v in box.rounded())
        mask[y1:y2, x1:x2] = 255
        points = cv2.goodFeaturesToTrack(greys[number - 1], 60, 0.01, 3, mask=mask)
        if points is None or len(points) < 4:
            track.lost.append(number)
            continue
        ends, ok, _ = cv2.calcOpticalFlowPyrLK(greys[number - 1], greys[number], points, None)
        good = ok.ravel() == 1
        if good.sum() < 4:
            track.lost.append(number)
            continue
        dx, dy = np.median((ends - points)[good].reshape(-1, 2), axis=0)
        box = box.shift(float(dx), float(dy))
        track.boxes[number] = box
    return track


def ious(clip: Clip, track: Track) -> list[float]:
    """IoU with the truth in every later frame in which the target can be seen."""
    seen = [(n, Box(*box)) for n, box in enumerate(clip.boxes) if n and box is not None]
    return [track.boxes[n].iou(box) if n in track.boxes else 0.0 for n, box in seen]


def row(way: Follow, clips: list[Clip]) -> str:
    values, said, true, both, frames = [], 0, 0, 0, 0
    began = time.process_time()
    for clip in clips:
        track = way(clip)
        values.append(float(np.mean(ious(clip, track))))
        hidden = {n for n, box in enumerate(clip.boxes) if box is None}
        said, true = said + len(track.lost), true + len(hidden)
        both, frames = both + len(hidden & set(track.lost)), frames + len(clip.frames)
    speed = frames / (time.process_time() - began)
    precision = f"{both / said:5.2f}" if said else "    -"
    recall = f"{both / true:5.2f}" if true else "    -"
    return f"{np.mean(values):8.2f} {min(values):8.2f} {precision} {recall} {speed:8.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=3, help="clips of each kind")
    parser.add_argument("--seed", type=int, default=100)
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + options.clips)
    kinds: dict[str, list[Clip]] = {
        "pedestrian, 20 frames": [pedestrians(seed) for seed in seeds],
        "pedestrian leaves": [pedestrians(seed, leave=True) for seed in seeds],
        "object behind a bar": [objects(seed) for seed in seeds],
        "object, moving camera": [objects(seed, pan=True) for seed in seeds],
        "object leaves": [objects(seed, leave=True) for seed in seeds],
    }
    print(f"{'':24}{'':10}{'mean IoU':>9}{'worst':>9}  prec   rec      fps")
    ways = {"ours": ours, "MIL": mil, "template": template, "flow": flow}
    for kind, clips in kinds.items():
        for name, way in ways.items():
            print(f"{kind:24}{name:10}{row(way, clips)}", flush=True)


if __name__ == "__main__":
    main()
