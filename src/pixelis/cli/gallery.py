"""The page of `pixelis ops gallery`: every operation run on a real picture, and what it saw."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from pixelis.episode import Call, Observation
from pixelis.errors import ConfigError, JobError
from pixelis.geometry import Box
from pixelis.media import Picture, Video, open_media
from pixelis.ops.registry import REGISTRY
from pixelis.ops.workspace import Workspace
from pixelis.trace.marks import as_box, track_boxes

HEAD = """# Operations at work

Every operation on a real picture, with the command that does the same. The pictures come with
scikit-image; the clip is a coin of one of them moved across another. Made by
`pixelis ops gallery --out docs/gallery`.
"""
INK = (214, 39, 90)
SIDE_PX = 420
GAP_PX = 12
CLIP = "clip.mp4"


class Example(NamedTuple):
    """A call in 0..1000 units on a picture of scikit-image, or on the clip."""

    media: str
    arguments: Mapping[str, Any]


EXAMPLES = {
    "zoom_in": Example("astronaut.png", {"bbox_2d": [240, 660, 430, 850]}),
    "segment_object_at": Example("coins.png", {"point_2d": [262, 187]}),
    "get_properties": Example("coffee.png", {"bbox_2d": [100, 40, 840, 960]}),
    "read_text": Example("page.png", {}),
    "track_object": Example(
        CLIP, {"bbox_2d": [56, 408, 194, 592], "start_frame": 0, "end_frame": 39}
    ),
    "select_frames": Example(CLIP, {"from": 0, "to": 39, "count": 4}),
}


def draw(out: Path) -> Path:
    """Writes `README.md` and one picture per operation into `out`; gives the page's path."""
    try:
        out.mkdir(parents=True, exist_ok=True)
        page = out / "README.md"
        with TemporaryDirectory() as scratch:
            sections = [_section(op, out, Path(scratch)) for op in _wanted()]
        page.write_text("\n".join([HEAD, *sections]), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out: {out} cannot be written: {error.strerror}") from error
    return page


def _wanted() -> Iterator[str]:
    for operation in REGISTRY:
        if operation.name in EXAMPLES:  # plugins bring no example
            yield operation.name


def _section(op: str, out: Path, scratch: Path) -> str:
    example = EXAMPLES[op]
    with open_media(_path(example.media, scratch)) as media:
        workspace = Workspace(media)
        seen = REGISTRY.run(Call(op, example.arguments), workspace)
        if seen.error is not None:
            raise JobError(f"the example of {op} failed: {seen.error}")
        picture = _picture(media, workspace, seen)
    picture.save(out / f"{op}.jpg", quality=86, optimize=True)
    command = f"pixelis ops run {op} {example.media} --args '{json.dumps(example.arguments)}'"
    alt = f"{op} on {example.media}"
    return (
        f"## {op}\n\n{REGISTRY.get(op).summary}\n\n```\n{command}\n```\n\n![{alt}]({op}.jpg)\n\n"
        f"```\n{seen.text}\n```\n"
    )


def _picture(media: Picture | Video, workspace: Workspace, seen: Observation) -> Image.Image:
    """The source with what was found drawn in, and beside it the images that were made."""
    handle = workspace.handles.get(seen.handle or "")
    source = workspace.frame(None if isinstance(media, Picture) else 0).convert("RGB")
    if handle is not None and handle.mask is not None:
        source = _tinted(source, handle.mask)
    pen = ImageDraw.Draw(source)
    width = max(2, round(max(source.size) / 200))
    for box in _boxes(seen):
        pen.rectangle(box.rounded(), outline=INK, width=width)
    way = [box.center for box in track_boxes(seen.data).values()]
    if len(way) > 1:
        pen.line(way, fill=INK, width=width)
    return _beside([source, *workspace.images[1:]])


def _boxes(seen: Observation) -> list[Box]:
    found = track_boxes(seen.data)
    if found:
        return [found[min(found)], found[max(found)]]
    lines = [as_box(line["box"]) for line in seen.data.get("lines", ())]
    return [box for box in lines if box] or ([seen.box] if seen.box else [])


def _tinted(image: Image.Image, mask: np.ndarray) -> Image.Image:
    pixels = np.asarray(image).astype(np.float32)
    pixels[mask] = 0.55 * pixels[mask] + 0.45 * np.array(INK)
    return Image.fromarray(pixels.astype(np.uint8))


def _beside(images: list[Image.Image]) -> Image.Image:
    """The first image on the left, the others on the right in up to two columns."""
    first, *rest = (_fitted(image, SIDE_PX) for image in images)
    small = rest if len(rest) < 2 else [_fitted(image, (SIDE_PX - GAP_PX) // 2) for image in rest]
    places, x0, y = [(first, 0, 0)], first.width + GAP_PX, 0
    for start in range(0, len(small), 2):
        row = small[start : start + 2]
        places += [(image, x0 + i * (image.width + GAP_PX), y) for i, image in enumerate(row)]
        y += max(image.height for image in row) + GAP_PX
    width = max(x + image.width for image, x, _ in places)
    height = max(top + image.height for image, _, top in places)
    canvas = Image.new("RGB", (width, height), "white")
    for image, x, top in places:
        canvas.paste(image, (x, top))
    return canvas


def _fitted(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _path(name: str, scratch: Path) -> Path:
    if name == CLIP:
        return _clip(scratch / CLIP)
    spec = find_spec("skimage")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / "data" / name


def _clip(path: Path) -> Path:
    """Forty frames of a coin that rolls along an arc over gravel, 320 by 240 px, 20 a second."""
    if path.exists():
        return path
    import av

    ground = np.asarray(Image.open(_path("gravel.png", path.parent)).convert("RGB"))[:240, :320]
    coin = np.asarray(Image.open(_path("coins.png", path.parent)).convert("RGB"))[32:76, 22:66]
    y, x = np.mgrid[: coin.shape[0], : coin.shape[1]]
    inside = np.hypot(x - 21.5, y - 21.5) < 20.5
    bronze = (coin * np.array([1.0, 0.72, 0.38])).astype(np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=20)
        stream.width, stream.height, stream.pix_fmt = 320, 240, "yuv420p"
        stream.bit_rate = 4_000_000
        for number in range(40):
            frame = ground.copy()
            left, top = 18 + 6 * number, 98 - round(70 * np.sin(number / 39 * np.pi))
            frame[top : top + 44, left : left + 44][inside] = bronze[inside]
            for packet in stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return path
