"""Renders this folder's own pictures: pages/*.html through Chromium and two charts.

    python evaluation/real/render.py

The committed pictures are what the questions are about; a fresh run looks the same but need not be
the same bytes.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import matplotlib as mpl
from PIL import Image

mpl.use("Agg")
from matplotlib import pyplot

HERE = Path(__file__).parent
MEDIA = HERE / "media"


def page(source: Path) -> None:
    """One page as a PNG of the size written in its first line (`size: 640x820`)."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    found = re.search(r"size: (\d+)x(\d+)", source.read_text(encoding="utf-8"))
    if browser is None or found is None:
        raise SystemExit(f"{source.name}: needs chromium on PATH and a size in its first line")
    width, height = int(found[1]), int(found[2])
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder, "shot.png")
        order = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"]
        order += [f"--window-size={width},{height + 120}", f"--screenshot={shot}", source.as_uri()]
        subprocess.run(order, check=True, capture_output=True, timeout=90)
        picture = Image.open(shot).convert("RGB").crop((0, 0, width, height))
    picture.save(MEDIA / f"{source.stem}.png", optimize=True)


def rainfall() -> None:
    """A bar chart, one bar in another colour."""
    figure, axes = pyplot.subplots(figsize=(7.2, 4.8), dpi=100)
    months, rain = ["Jan", "Feb", "Mar", "Apr", "May", "Jun"], [212, 168, 147, 103, 88, 96]
    axes.bar(months, rain, color=["#e07b00"] + ["#3b78b5"] * 5)
    axes.set(title="Rainfall in Bergen, first half of 2021", ylabel="Millimetres per month")
    figure.savefig(MEDIA / "rainfall.png")
    pyplot.close(figure)


def visitors() -> None:
    """A line chart with a legend."""
    figure, axes = pyplot.subplots(figsize=(7.2, 4.8), dpi=100)
    days = range(1, 8)
    for year, color, values in (
        ("2022", "#1b9e3a", [120, 131, 118, 140, 190, 260, 240]),
        ("2023", "#c81e1e", [150, 149, 160, 171, 230, 310, 300]),
        ("2024", "#222222", [90, 101, 94, 99, 120, 180, 170]),
    ):
        axes.plot(days, values, color=color, label=year, linewidth=2.5, marker="o")
    axes.set(title="Museum visitors per weekday", xlabel="Day of the week", ylabel="Tickets sold")
    axes.legend()
    figure.savefig(MEDIA / "visitors.png")
    pyplot.close(figure)


def main() -> None:
    MEDIA.mkdir(exist_ok=True)
    for source in sorted((HERE / "pages").glob("*.html")):
        page(source.resolve())
    rainfall()
    visitors()


if __name__ == "__main__":
    main()
