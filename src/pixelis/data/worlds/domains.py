"""Style packs: which fonts, backgrounds, patterns and surfaces a scene may use.

Training domains and held-out domains share no font and no background, so that a shift test is one.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Domain:
    """One style pack.

    Attributes:
        fonts: names of matplotlib's bundled ttf files.
        backgrounds: kinds that `backgrounds.draw` knows.
        patterns: how objects may be filled.
        noise: standard deviation of sensor noise in 8-bit levels, at most.
        turn: largest rotation of cards in degrees.
    """

    name: str
    fonts: tuple[str, ...]
    backgrounds: tuple[str, ...]
    patterns: tuple[str, ...] = ("solid",)
    noise: float = 0.0
    turn: float = 0.0


_SANS = ("DejaVuSans", "DejaVuSans-Bold")
_SERIF = ("DejaVuSerif", "DejaVuSerif-Bold")
_MONO = ("DejaVuSansMono", "DejaVuSansMono-Bold")

TRAIN = (
    Domain("flat", _SANS, ("plain",)),
    Domain("office", _SANS + _SERIF, ("plain", "gradient"), ("solid", "shaded")),
    Domain("street", ("DejaVuSans-Bold", "cmss10"), ("brick", "gravel"), ("solid",), 6.0, 6.0),
    Domain("garden", (*_SERIF, "cmr10"), ("grass", "noise"), ("solid", "shaded"), 5.0, 8.0),
    Domain("lab", (*_MONO, "cmtt10"), ("gradient", "grid"), ("solid", "striped"), 3.0),
    Domain(
        "outdoors",
        ("DejaVuSans-BoldOblique", "DejaVuSerif-Italic"),
        ("hills",),
        ("solid", "shaded"),
        4.0,
        7.0,
    ),
    Domain("diagram", ("DejaVuSans-Oblique", "cmss10"), ("chart",), ("solid",), 2.0),
    Domain("table", (*_SANS, "cmb10"), ("white", "wood"), ("glossy", "shaded", "solid"), 3.0, 10.0),
)
SHIFT = (
    Domain(
        "poster",
        ("STIXGeneralBol", "STIXGeneral"),
        ("rays", "clouds"),
        ("solid", "shaded"),
        4.0,
        8.0,
    ),
    Domain(
        "fabric",
        ("STIXGeneralBolIta", "cmti10"),
        ("weave",),
        ("solid", "striped", "dotted"),
        8.0,
        12.0,
    ),
)

BY_NAME = {domain.name: domain for domain in TRAIN + SHIFT}
