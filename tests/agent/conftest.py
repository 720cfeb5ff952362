"""A policy that follows a script, and small operations that work on real pixels."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
from PIL import Image, ImageDraw
from pydantic import Field

from pixelis.episode import Observation
from pixelis.errors import ModelError, OpError
from pixelis.geometry import Size, View
from pixelis.media import Picture
from pixelis.models.policy import Profile, Request, Sampling, Turn
from pixelis.models.template import call_text, count_images
from pixelis.ops.arguments import Arguments, BoxArgument
from pixelis.ops.registry import Registry
from pixelis.ops.workspace import PixelBudget, Workspace

Script = Sequence[str] | Callable[[Request], str]


class ScriptedPolicy:
    """Says its lines by question and turn; it refuses requests whose images do not match."""

    def __init__(self, scripts: Mapping[str, Script], seconds: float = 0.0) -> None:
        self.profile = Profile("scripted", system="S", budget=PixelBudget(64 * 64, 64 * 64, 32))
        self.name = "scripted"
        self.scripts = scripts
        self.seconds = seconds
        self.batches: list[list[Request]] = []
        self.samplings: list[Sampling] = []
        self.threads: set[int] = set()

    def generate(self, requests: Sequence[Request], sampling: Sampling) -> list[Turn]:
        self.threads.add(threading.get_ident())
        self.batches.append(list(requests))
        self.samplings.append(sampling)
        time.sleep(self.seconds)
        return [self._turn(request) for request in requests]

    def _turn(self, request: Request) -> Turn:
        if count_images(request.messages) != len(request.images):
            raise ModelError("images and placeholders differ")
        user = next(m for m in request.messages if m["role"] == "user")
        question = user["content"][-1]["text"]
        turn = sum(message["role"] == "assistant" for message in request.messages)
        script = self.scripts[question]
        line = script(request) if callable(script) else script[turn]
        cut = line.endswith("...")
        line = line.removesuffix("...")
        return Turn(line, tuple(line.encode()), None, 0.8, "length" if cut else "stop")


class ZoomArguments(Arguments):
    bbox_2d: BoxArgument = Field(description="part to show")
    image: int = 0


class NoArguments(Arguments):
    pass


class WaitArguments(Arguments):
    seconds: float


def zoom_in(work: Workspace, args: ZoomArguments) -> Observation:
    """Shows a part larger."""
    box = work.resolve_box(args.bbox_2d, args.image)
    crop = work.source(args.image).crop(box.rounded())
    size = work.budget.fit(Size(*crop.size))
    view = View(box, size)
    image = work.add_image(crop.resize(size), view)
    handle = work.add_handle("crop", box=box)
    text = f"{handle.name}: image {image} shows {work.show(box)}"
    return Observation(text, image=image, view=view, box=box, handle=handle.name)


def get_color(work: Workspace, args: ZoomArguments) -> Observation:
    """Tells the mean colour of a part."""
    box = work.resolve_box(args.bbox_2d, args.image)
    pixels = np.asarray(work.source(args.image).crop(box.rounded()))
    red, green, blue = pixels.reshape(-1, 3).mean(0).round().astype(int).tolist()
    name = "red" if red > green and red > blue else "green" if green > blue else "blue"
    data = {"color": {"name": name, "rgb": [red, green, blue]}}
    handle = work.add_handle("mask", data, box)
    text = f"{handle.name}: {name}"
    return Observation(text, box=box, handle=handle.name, confidence=0.5, data=data)


def halves(work: Workspace, args: NoArguments) -> Observation:
    """Shows the left and the right half."""
    width, height = work.media.size
    images = []
    for left in (0, width // 2):
        box = (left, 0, left + width // 2, height)
        view = View(
            work.resolve_box([left * 1000 / width, 0, 500 + left * 1000 / width, 1000]),
            Size(64, 64),
        )
        images.append(work.add_image(work.source().crop(box).resize((64, 64)), view))
    return Observation("halves", image=images[0], data={"images": images})


def sneak(work: Workspace, args: NoArguments) -> Observation:
    """Adds an image without telling."""
    work.add_image(work.source(), work.view(0))
    return Observation("nothing to see")


def crash(work: Workspace, args: NoArguments) -> Observation:
    """Has a bug."""
    raise KeyError("bug")


def refuse(work: Workspace, args: NoArguments) -> Observation:
    """Never works."""
    raise OpError("the part is empty; give another")


def wait(work: Workspace, args: WaitArguments) -> Observation:
    """Takes its time."""
    end = time.monotonic() + args.seconds
    while time.monotonic() < end:
        work.check_time()
        time.sleep(0.005)
    return Observation(f"waited {args.seconds}")


OPERATIONS = (
    (zoom_in, ZoomArguments),
    (get_color, ZoomArguments),
    (halves, NoArguments),
    (sneak, NoArguments),
    (crash, NoArguments),
    (refuse, NoArguments),
    (wait, WaitArguments),
)


def build_registry() -> Registry:
    registry = Registry()
    for run, arguments in OPERATIONS:
        registry.operation(arguments)(run)
    return registry


def card(left: str = "red", right: str = "blue") -> Picture:
    """A picture whose halves have these colours."""
    image = Image.new("RGB", (200, 100), left)
    ImageDraw.Draw(image).rectangle((100, 0, 200, 100), fill=right)
    return Picture(image, f"{left}-{right}.png", f"{left}{right}")


@pytest.fixture
def registry() -> Registry:
    return build_registry()


@pytest.fixture
def picture() -> Picture:
    return card()


@pytest.fixture
def make_picture() -> Callable[..., Picture]:
    return card


@pytest.fixture
def scripted() -> type[ScriptedPolicy]:
    return ScriptedPolicy


@pytest.fixture
def call() -> Callable[..., str]:
    """The text of a call, with a thought."""

    def write(op: str, thought: str = "look", **arguments: object) -> str:
        return f"<think>{thought}</think>\n{call_text(op, arguments)}"

    return write
