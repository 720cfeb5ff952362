"""The contact sheet of a track: a few frames side by side with the box and the path so far."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from pixelis.geometry import Box, Size
from pixelis.media import Video
from pixelis.ops.follow import Track
from pixelis.ops.workspace import PixelBudget

TILES = 6
SEEN, LOST, PATH, INK = (0, 200, 80), (220, 40, 40), (255, 200, 0), (255, 255, 255)


def contact_sheet(
    video: Video, track: Track, frames: tuple[int, int], budget: PixelBudget
) -> Image.Image:
    """Up to TILES frames of the range, each cut to where the object went, of the budget's size.

    The box is green, the path so far yellow; frames in which the object is lost have a red edge.
    """
    region = _region(track, video.size)
    numbers = np.unique(np.linspace(*frames, TILES).round().astype(int)).tolist()
    columns, rows = _grid(len(numbers), region.width / region.height)
    wanted = Size(round(columns * region.width), round(rows * region.height))
    sheet = Image.new("RGB", budget.fit(wanted), (20, 20, 20))
    tile = Size(sheet.width // columns, sheet.height // rows)
    for place, number in enumerate(numbers):
        picture = _tile(video.frame(number), track, number, region, tile)
        sheet.paste(picture, (place % columns * tile.width, place // columns * tile.height))
    return sheet


def _region(track: Track, size: Size) -> Box:
    boxes = list(track.boxes.values())
    around = boxes[0]
    for box in boxes[1:]:
        around = around.union(box)
    side = max(boxes[0].width, boxes[0].height)
    return around.pad(0.5 * side).grow_to(2 * side, size).clip(size)


def _grid(count: int, aspect: float) -> tuple[int, int]:
    """Columns and rows that bring the sheet nearest to a square."""
    options = [(columns, -(-count // columns)) for columns in range(1, count + 1)]
    return min(options, key=lambda o: abs(np.log(o[0] * aspect / o[1])))


def _tile(frame: Image.Image, track: Track, number: int, region: Box, size: Size) -> Image.Image:
    corner = region.rounded()
    tile = frame.crop(corner).convert("RGB").resize(size, Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(tile)

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            (x - corner[0]) * size.width / (corner[2] - corner[0]),
            (y - corner[1]) * size.height / (corner[3] - corner[1]),
        )

    path = [at(*box.center) for n, box in sorted(track.boxes.items()) if n <= number]
    if len(path) > 1:
        draw.line(path, fill=PATH, width=max(1, size.width // 120))
    if number in track.boxes:
        box = track.boxes[number]
        draw.rectangle((*at(box.x1, box.y1), *at(box.x2, box.y2)), outline=SEEN, width=2)
    else:
        draw.rectangle((0, 0, size.width - 1, size.height - 1), outline=LOST, width=2)
    font = ImageFont.load_default(max(10, size.height // 12))
    draw.text((3, 1), str(number), fill=INK, font=font, stroke_width=1, stroke_fill=(0, 0, 0))
    return tile
