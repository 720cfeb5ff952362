"""Pictures of the exam by other programs: web pages through Chromium, plot markers."""

from __future__ import annotations

import base64
import html
import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib as mpl
import numpy as np
from draw import FONTS, HERE, PAINTS, Thing, outline, places
from PIL import Image

mpl.use("Agg")
from matplotlib import pyplot  # after the backend is chosen


def notices(things: list[Thing], size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Cards pinned to a cork board."""
    cards = []
    for thing in things:
        ink = "#222" if thing.color in {"white", "yellow", "pink", "orange"} else "#fff"
        paint, turn = rng.choice(PAINTS[thing.color]), rng.uniform(-4, 4)
        face, big = rng.choice(FONTS), rng.integers(34, 54)
        cards.append(
            f'<div class="card" style="background:{paint};color:{ink};font:{big}px {face};'
            f'transform:rotate({turn:.1f}deg)"><i></i>{html.escape(thing.word)}</div>'
        )
    style = """body{margin:0;background:#c69a6b radial-gradient(#b58655 15%,transparent 16%);
    background-size:9px 9px;
    display:flex;flex-wrap:wrap;justify-content:space-evenly;align-content:space-evenly}
    .card{padding:34px 30px 26px;box-shadow:3px 6px 9px #0007;position:relative;border-radius:3px}
    .card i{position:absolute;left:50%;top:8px;width:14px;height:14px;border-radius:50%;
    background:radial-gradient(at 30% 30%,#fff,#777)}"""
    return shoot("".join(cards), style, size)


def panel(things: list[Thing], size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """A machine's control panel with coloured push buttons."""
    scale = min(1.2, 0.75 * (size[0] * size[1] / (len(things) * 230 * 200)) ** 0.5)
    buttons = []
    for thing in things:
        ink = "#111" if thing.color in {"white", "yellow", "pink", "orange"} else "#fff"
        paint = rng.choice(PAINTS[thing.color])
        round_ = "50%" if thing.shape == "circle" else "16px"
        wide, tall = (190, 190) if thing.shape == "circle" else (230, 104)
        side = f"width:{wide * scale:.0f}px;height:{tall * scale:.0f}px"
        buttons.append(
            f'<b style="background:linear-gradient({paint},{paint} 55%,#0003),{paint};color:{ink};'
            f'border-radius:{round_};{side};font:700 {30 * scale:.0f}px bitter">'
            f"{html.escape(thing.word)}</b>"
        )
    style = """body{margin:0;background:linear-gradient(#dfe3e6,#c3c9ce);display:flex;
    flex-wrap:wrap;justify-content:space-evenly;align-content:space-evenly}
    b{display:flex;align-items:center;justify-content:center;border:5px solid #55606a;
    box-shadow:0 6px 0 #3c454d,0 12px 16px #0006}"""
    return shoot("".join(buttons), style, size)


def stickers(things: list[Thing], size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Vector shapes with white rims on a dotted sheet."""
    most = 0.9 * (size[0] * size[1] / (3.2 * max(len(things), 4)) * 0.5) ** 0.5
    spots = places(len(things), size, most * 0.55, most, rng)
    parts = []
    for thing, (x, y, r) in zip(things, spots, strict=True):
        paint, turn = rng.choice(PAINTS[thing.color]), rng.uniform(-0.25, 0.25)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in outline(thing.shape, x, y, r, turn))
        parts.append(
            f'<polygon points="{points}" fill="{paint}" stroke="#fff" stroke-width="7" '
            'stroke-linejoin="round" filter="drop-shadow(2px 4px 3px #0008)"/>'
        )
    base = rng.choice(["#b9c7a8", "#d9c6dd", "#f1d9b8", "#b7cfd8"])
    style = f"""body{{margin:0;background:{base} radial-gradient(#fff6 20%,transparent 21%);
    background-size:26px 26px}}
    svg{{display:block}}"""
    body = f'<svg width="{size[0]}" height="{size[1]}">{"".join(parts)}</svg>'
    return shoot(body, style, size)


def markers(things: list[Thing], size: tuple[int, int], rng: np.random.Generator) -> Image.Image:
    """Large plot markers on a grid with axes."""
    symbol = {
        "circle": "o",
        "square": "s",
        "triangle": "^",
        "star": "*",
        "hexagon": "h",
        "diamond": "D",
        "cross": "P",
    }
    figure = pyplot.figure(figsize=(size[0] / 100, size[1] / 100), dpi=100, facecolor="#fffdf4")
    axes = figure.add_axes((0.09, 0.1, 0.87, 0.85), facecolor="#eef1f6")
    axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="width (mm)", ylabel="length (mm)")
    axes.grid(color="white", linewidth=2)
    spots = places(len(things), (92, 92), 7, 9, rng)
    for thing, (x, y, _) in zip(things, spots, strict=True):
        area = rng.uniform(900, 1700) * (1.7 if thing.shape == "star" else 1)
        paint = rng.choice(PAINTS[thing.color])
        edge = {"color": paint, "edgecolors": "#333"}
        axes.scatter([x + 4], [y + 4], s=area, marker=symbol[thing.shape], **edge, zorder=3)
    figure.canvas.draw()
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    pyplot.close(figure)
    return picture


def shoot(body: str, style: str, size: tuple[int, int]) -> Image.Image:
    """The page as Chromium draws it, cut to `size`."""
    faces = "".join(
        f"@font-face{{font-family:{name};src:url(data:font/woff;base64,"
        f"{base64.b64encode((HERE / 'fonts' / f'{name}.woff').read_bytes()).decode()})}}"
        for name in FONTS
    )
    sized = f"html,body{{width:{size[0]}px;height:{size[1]}px;overflow:hidden}}"
    page = f"<!doctype html><meta charset=utf-8><style>{faces}{sized}{style}</style>{body}"
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("make.py: needs chromium (or google-chrome) on PATH to draw web pages")
    with tempfile.TemporaryDirectory() as folder:
        source, shot = Path(folder, "page.html"), Path(folder, "page.png")
        source.write_text(page, encoding="utf-8")
        window = f"--window-size={size[0]},{size[1] + 120}"
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", window]
        order = [browser, *flags, f"--screenshot={shot}", source.as_uri()]
        subprocess.run(order, check=True, capture_output=True, timeout=90)
        return Image.open(shot).convert("RGB").crop((0, 0, *size))
