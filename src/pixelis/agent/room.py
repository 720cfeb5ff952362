"""Room for images in a model's context: reckoned in tokens, refused before it overflows."""

from __future__ import annotations

from collections.abc import Iterable

from PIL import Image

from pixelis.episode import Call, Observation
from pixelis.geometry import Size
from pixelis.ops.budget import PixelBudget
from pixelis.ops.registry import Registry
from pixelis.ops.workspace import Workspace


def image_tokens(images: Iterable[Image.Image], budget: PixelBudget) -> int:
    """Tokens of the images once they are resized; one shows `budget.multiple` squared pixels."""
    sizes = (budget.fit(Size(*image.size)) for image in images)
    return sum(size.width * size.height for size in sizes) // budget.multiple**2


def too_many(workspace: Workspace, shown: int, most: int | None) -> str | None:
    """Why the images after the first `shown` cannot be shown, None when they can."""
    if most is None:
        return None
    used = image_tokens(workspace.images[:shown], workspace.budget)
    new = image_tokens(workspace.images[shown:], workspace.budget)
    if used + new <= most:
        return None
    return f"its images take {new} tokens, and {max(most - used, 0)} of {most} are left"


def run_call(
    registry: Registry, call: Call, workspace: Workspace, most: int | None = None
) -> Observation:
    """What a call brings; an observation with an error when its images would take too many tokens.

    Then the workspace is as it was before.
    """
    mark = workspace.mark()
    seen = registry.run(call, workspace)
    added = len(workspace.images) > mark.images
    refused = too_many(workspace, mark.images, most) if added else None
    if refused is None:
        return seen
    workspace.rollback(mark)
    reason = f"{call.op}: {refused}; answer from what you have seen"
    return Observation(reason, error=reason)
