"""`pixelis ops`: the visual operations, listed, run by hand, and shown on example pictures."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.cli.output import Printer, emit_json
from pixelis.errors import ConfigError, OpError

if TYPE_CHECKING:
    from pixelis.episode import Observation
    from pixelis.ops.registry import Operation, Registry
    from pixelis.ops.workspace import Workspace

ToUnits = Callable[[Sequence[float]], list[float]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)

    about = "Print every operation, what it does and its arguments."
    listing = actions.add_parser("list", help=about, description=about)
    listing.add_argument("--json", action="store_true", help="print the schemas the model is shown")
    listing.set_defaults(run=run_list)

    about = "Run one operation on a picture or video and print its observation."
    running = actions.add_parser("run", help=about, description=about)
    running.add_argument("op", metavar="OP", help="name of the operation, see 'pixelis ops list'")
    running.add_argument("media", metavar="MEDIA", help="file of a picture or a video")
    running.add_argument(
        "--args", metavar="JSON", default="{}", help='arguments, {"bbox_2d": [0, 0, 500, 500]}'
    )
    running.add_argument(
        "--units",
        choices=("rel", "px"),
        default="rel",
        help="boxes and points, given and printed: rel is 0..1000 along each side, as models write "
        "them; px is source pixels (default: rel)",
    )
    running.add_argument(
        "--out", metavar="DIR", help="folder for masks and images (default: a fresh temporary one)"
    )
    running.add_argument("--json", action="store_true", help="print one JSON document")
    running.set_defaults(run=run_one)

    about = "Draw a page with a real example of every operation."
    gallery = actions.add_parser("gallery", help=about, description=about)
    gallery.add_argument("--out", metavar="DIR", required=True, help="folder for README.md, images")
    gallery.set_defaults(run=run_gallery)


def run_list(args: argparse.Namespace) -> int:
    registry = _registry()
    if args.json:
        emit_json(registry.schemas())
        return 0
    printer = Printer()
    for operation in registry:
        printer.line(operation.name + ("  (videos only)" if operation.video_only else ""), "bold")
        printer.field("", operation.summary, indent=0)
        parameters = operation.schema["function"]["parameters"]
        for name, field in parameters.get("properties", {}).items():
            note = "" if name in parameters.get("required", ()) else " (optional)"
            printer.field(name, f"{field.get('description', '')}{note}".strip(), indent=2)
        printer.line()
    return 0


def run_one(args: argparse.Namespace) -> int:
    registry = _registry()
    operation = _operation(registry, args.op)
    arguments = _arguments(args.args)
    out = _folder(args.out)
    from pixelis.episode import Call
    from pixelis.media import open_media
    from pixelis.ops.workspace import Convention, Workspace

    with open_media(args.media) as media:
        workspace = Workspace(media, convention=Convention(args.units))
        started = time.monotonic()
        seen = registry.run(Call(operation.name, arguments), workspace)
        seconds = time.monotonic() - started
        files = Files(workspace, seen, out)
        report = record(operation.name, seen, seconds, files, _to_units(args.units, workspace))
    if args.json:
        emit_json(report)
    elif seen.error is None:
        _tell(report, files)
    if seen.error is not None:
        raise OpError(seen.error)
    return 0


def run_gallery(args: argparse.Namespace) -> int:
    from pixelis.cli.gallery import draw

    page = draw(Path(args.out))
    Printer().line(f"wrote {page}")
    return 0


class Files:
    """The mask and images of an observation, saved as PNG when first asked for."""

    def __init__(self, workspace: Workspace, seen: Observation, out: Path | None) -> None:
        self._out = out
        handle = workspace.handles.get(seen.handle or "")
        self.mask: str | None = None
        self.images: list[str] = []
        if seen.error is not None:
            return
        if handle is not None and handle.mask is not None:
            self.mask = self._save(_mask_image(handle.mask), f"{handle.name}.png")
        for number, image in enumerate(workspace.images[1:], 1):
            self.images.append(self._save(image, f"image_{number}.png"))

    def _save(self, image: Any, name: str) -> str:
        if self._out is None:
            self._out = Path(tempfile.mkdtemp(prefix="pixelis-"))
        path = (self._out / name).resolve()
        try:
            self._out.mkdir(parents=True, exist_ok=True)
            image.save(path)
        except OSError as error:
            raise ConfigError(f"--out: {path} cannot be written: {error.strerror}") from error
        return str(path)


def record(
    op: str, seen: Observation, seconds: float, files: Files, to_units: ToUnits
) -> dict[str, Any]:
    """What `--json` prints; every box is in the units of the call."""
    data = _convert(seen.data, to_units)
    if op == "segment_object_at":
        data = {"area_px": 0, **data, "mask": files.mask}
    elif files.mask:
        data["mask"] = files.mask
    if files.images:
        data["images"] = files.images
    return {
        "op": op,
        "text": seen.text,
        "error": seen.error,
        "box": None if seen.box is None else to_units(seen.box),
        "confidence": seen.confidence,
        "seconds": round(seconds, 4),
        "data": data,
    }


def _registry() -> Registry:
    from pixelis.ops.registry import REGISTRY

    return REGISTRY


def _operation(registry: Registry, name: str) -> Operation:
    try:
        return registry.get(name)
    except OpError as error:
        raise ConfigError(str(error)) from error


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ConfigError("--args is nested too deeply") from error
    except ValueError as error:
        raise ConfigError(f'--args is not JSON: {error}; write it like {{"image": 0}}') from error
    if not isinstance(value, dict):
        raise ConfigError(f"--args must be a JSON object, not {type(value).__name__}")
    return value


def _folder(name: str | None) -> Path | None:
    if name is None:
        return None
    folder = Path(name)
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"--out {name} is a file; name a folder")
    return folder


def _to_units(units: str, workspace: Workspace) -> ToUnits:
    """Boxes and points in source pixels, as whole numbers of the chosen units."""
    from pixelis.geometry import Box, Point

    view = workspace.views[0]

    def to_rel(values: Sequence[float]) -> list[float]:
        if len(values) == 4:
            return list(view.to_relative(Box(*values)))
        return list(view.point_to_relative(Point(*values)))

    def to_px(values: Sequence[float]) -> list[float]:
        return [round(value, 1) if value % 1 else int(value) for value in values]

    return to_px if units == "px" else to_rel


def _convert(data: Mapping[str, Any], to_units: ToUnits) -> dict[str, Any]:
    """The data with boxes and points converted and `line_1`, ... (twins of `lines`) left out."""
    result: dict[str, Any] = {}
    for name, value in data.items():
        if name.startswith("line_") and "lines" in data:
            continue
        result[name] = _converted(name, value, to_units)
    return result


def _converted(name: str, value: Any, to_units: ToUnits) -> Any:
    if name in ("box", "point") and value is not None:
        return to_units(value)
    if name == "boxes" and isinstance(value, Mapping):
        return {key: None if box is None else to_units(box) for key, box in value.items()}
    if isinstance(value, Mapping):
        return {key: _converted(key, inner, to_units) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        each = "box" if name == "boxes" else ""
        return [_converted(each, inner, to_units) for inner in value]
    return value


def _mask_image(mask: Any) -> Any:
    """A single-channel picture, 255 where the object is."""
    import numpy as np
    from PIL import Image

    return Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))


def _tell(report: Mapping[str, Any], files: Files) -> None:
    printer = Printer()
    printer.field("saw", report["text"], indent=0)
    if report["box"] is not None:
        printer.field("box", str(report["box"]), indent=0)
    if report["confidence"] is not None:
        printer.field("sure", f"{100 * report['confidence']:.0f} %", indent=0)
    printer.field("spent", f"{report['seconds']:.2f} s", indent=0)
    for path in [*([files.mask] if files.mask else []), *files.images]:
        printer.field("file", path, indent=0)
