"""Writes the rows and examples of docs/dialects.md; run it after a change to a dialect.

    python docs/dialects.py

Everything between the two marks of the page comes from the code, so it cannot go stale: a test
holds the page equal to what this writes.
"""

from __future__ import annotations

from pathlib import Path

from pixelis.episode import Answer, Call, Episode, Media, Observation, Step
from pixelis.geometry import Size
from pixelis.models.dialects import DIALECTS, Dialect
from pixelis.models.template import IMAGE, VISION, render

PAGE = Path(__file__).with_name("dialects.md")
BEGIN, END = "<!-- rows: written by docs/dialects.py -->", "<!-- end of rows -->"
SPEAKERS = {
    "qwen3-vl": "Qwen3-VL, nano",
    "qwen2.5-vl": "Qwen2.5-VL, Qwen2-VL",
    "deepeyes": "DeepEyes-7B",
    "chain-of-focus": "Chain-of-Focus-7B",
    "mini-o3": "Mini-o3-7B",
    "pixel-reasoner": "Pixel-Reasoner-7B",
    "deepeyes-v2": "DeepEyesV2-7B",
    "thyme": "Thyme-7B",
    "pyvision": "PyVision-7B",
}
PLACES = {
    "rel": ("0..1000 of the named image", [500, 0, 1000, 1000]),
    "shown": ("pixels of the named image as shown", [448, 0, 896, 672]),
    "unit": ("0..1 of the source image", [0.5, 0, 1.0, 1.0]),
    "either": ("0..1 of the target image, pixels above 1", [0.5, 0, 1.0, 1.0]),
}
OBSERVATIONS = {"tool": "tool message", "user": "user turn"}
ANSWERS = {"free": "free text", "tagged": "`<answer>`", "boxed": "`\\boxed{}`"}


def story(dialect: Dialect) -> Episode:
    """A zoom into the right half, and what was seen there."""
    box = PLACES[dialect.convention.units][1]
    called = dialect.convention.image(1)
    seen = Observation(f"crop_1 is {called}: 448x672 px", image=1)
    steps = (
        Step("The card is small.", Call("zoom_in", {"bbox_2d": box}), seen),
        Step("It is read.", answer=Answer("OPEN", "OPEN [crop_1]")),
    )
    media = Media("picture", "card.png", Size(896, 672), "0" * 64)
    return Episode("What does the card say?", media, steps=steps, answer=steps[-1].answer)


def row(name: str, dialect: Dialect) -> str:
    convention = dialect.convention
    extra = []
    if convention.margin:
        extra.append(f"a zoom shows {convention.margin:.0%} of the image more on every side")
    if convention.enlarge != 1:
        extra.append(f"a zoom shows the box {convention.enlarge:g} times enlarged")
    if convention.aspect < 1e9:
        extra.append(f"boxes at most {convention.aspect:g} times as long as wide")
    if any(tag.refusal for tag in dialect.tags):
        extra.append("python in `<code>` is refused")
    cells = (
        f"`{name}`",
        SPEAKERS[name],
        " ".join(f"`{tag.open}`" for tag in dialect.tags if not tag.refusal),
        PLACES[convention.units][0],
        f"`{convention.image(0)}`, `{convention.image(1)}`",
        OBSERVATIONS[dialect.role],
        ANSWERS[dialect.ending],
        "; ".join(extra),
    )
    return "| " + " | ".join(cells) + " |"


def example(name: str, dialect: Dialect) -> str:
    told = render(dialect.messages(story(dialect)))
    told = told.replace(VISION, "<image>").replace(IMAGE, "<image>")
    told = told.replace("<|im_start|>", "### ").replace("<|im_end|>", "").rstrip()
    return f"### `{name}`\n\n```text\n{told}\n```\n"


def rows() -> str:
    titles = "dialect, spoken by, calls, boxes and points, images, observations, answer, and"
    titles = f"| {titles.replace(', ', ' | ')} |\n"
    head = titles + "|---" * (titles.count("|") - 1) + "|\n"
    table = "\n".join(row(name, dialect) for name, dialect in DIALECTS.items())
    examples = "\n".join(example(name, dialect) for name, dialect in DIALECTS.items())
    return f"{BEGIN}\n{head}{table}\n\n{examples}{END}"


def page(text: str) -> str:
    """The page with its rows written anew."""
    before, rest = text.split(BEGIN)
    return before + rows() + rest.split(END)[1]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
