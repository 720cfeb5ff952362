"""The options that choose Wheeler's model, its memory file and its dynamics."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pixelis.errors import ConfigError

if TYPE_CHECKING:
    from pixelis.wheeler import WheelerTextAutoencoder

STORE = "wheeler.sqlite"


def action(actions: Any, name: str, about: str, run: Any) -> argparse.ArgumentParser:
    """A sub-command with its model option and `--json`."""
    parser = actions.add_parser(name, help=about, description=about)
    parser.add_argument(
        "--model",
        metavar="MODEL",
        default="small",
        help="small (bundled), a folder that training wrote, or a .pt file (default: small)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.set_defaults(run=run)
    return parser


def add_store(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--store",
        metavar="FILE",
        help=f"SQLite file of the memories (default: PIXELIS_WHEELER, or {STORE} here)",
    )


def store_path(given: str | None) -> Path:
    return Path(given or os.environ.get("PIXELIS_WHEELER", "") or STORE)


def load_model(name: str) -> WheelerTextAutoencoder:
    from pixelis.wheeler import WheelerTextAutoencoder

    return WheelerTextAutoencoder.load_from_checkpoint(name)


def read_frame(path: str, side: int) -> Any:
    """A frame from a .npy file, a picture that `encode --out` drew, or one with a pixel a cell.

    The grey of such a picture goes from black, -1, to white, 1. ConfigError when it is neither.
    """
    import numpy as np
    from PIL import Image, UnidentifiedImageError

    from pixelis.wheeler.view import frame_of

    try:
        if path.endswith(".npy"):
            return np.load(path, allow_pickle=False).astype(np.float32)
        with Image.open(path) as image:
            if (drawn := frame_of(image, side)) is not None:
                return drawn
            grey = image.convert("L")
            if grey.size != (side, side):
                raise ConfigError(
                    f"{path} is {grey.size[0]}x{grey.size[1]} px, a frame {side}x{side}; "
                    "give that, or what encode --out wrote"
                )
            return np.asarray(grey, np.float32) / 127.5 - 1
    except Image.DecompressionBombError as error:
        raise ConfigError(f"{path} is no frame (it has far too many pixels)") from error
    except (OSError, ValueError, UnidentifiedImageError) as error:
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(f"{path} is no frame ({error}); give a .npy file or a picture") from error
