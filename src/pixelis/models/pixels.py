"""How many pixels an image may have, as the user wants it: MIN_PIXELS and MAX_PIXELS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pixelis.errors import ConfigError
from pixelis.models.policy import Profile
from pixelis.ops.workspace import PixelBudget


def wanted(environment: Mapping[str, str], **given: int | None) -> dict[str, int]:
    """`min_pixels` and `max_pixels` from options, or else from MIN_PIXELS and MAX_PIXELS."""
    found = {}
    for name in ("min_pixels", "max_pixels"):
        value = given.get(name)
        text = environment.get(name.upper(), "").strip()
        if value is None and text:
            try:
                value = int(text)
            except ValueError:
                raise ConfigError(f"{name.upper()} = {text!r} is not a whole number") from None
        if value is not None:
            found[name] = value
    return found


def with_pixels(profile: Profile, pixels: Mapping[str, int]) -> Profile:
    """The profile with these limits in place of its own; ConfigError when they cannot be met.

    A limit given alone moves the other one as far as it must.
    """
    return replace(profile, budget=limited(profile.budget, pixels))


def limited(budget: PixelBudget, pixels: Mapping[str, int]) -> PixelBudget:
    """The budget with these limits; as `with_pixels`."""
    if not pixels:
        return budget
    low, high = pixels.get("min_pixels"), pixels.get("max_pixels")
    if low is None:
        low = min(budget.min_pixels, high or budget.min_pixels)
    if high is None:
        high = max(budget.max_pixels, low)
    asked = PixelBudget(low, high, budget.multiple)
    if not asked.sound:
        raise ConfigError(
            f"min_pixels = {low}, max_pixels = {high} is not allowed; the first may not be more "
            f"than the second, and that at least {budget.multiple**2}"
        )
    return asked
