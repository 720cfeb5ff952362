"""Sizes of an autoencoder: how a text is laid out in a frame, and how large its parts are."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from pixelis.errors import ConfigError


class Shape(BaseModel):
    """Everything that decides the weights' shapes.

    A frame has `grid` x `grid` cells of `levels` values each and is cut into tiles of `tile_rows` x
    `tile_columns` cells, one tile for each token, in the order of writing. The last `key_cells`
    cells of a tile (row by row) belong to the key, the others to the token.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    grid: int = Field(64, ge=4, le=512)
    tile_rows: int = Field(4, ge=1)
    tile_columns: int = Field(4, ge=1)
    key_cells: int = Field(4, ge=1)
    levels: int = Field(2, ge=2, le=256)
    vocab_size: int = Field(8192, ge=260)
    d_model: int = Field(256, ge=16)
    heads: int = Field(8, ge=1)
    encoder_layers: int = Field(4, ge=1)
    decoder_layers: int = Field(6, ge=1)
    buckets: int = Field(32768, ge=64)
    word_width: int = Field(192, ge=8)
    vote_width: int = Field(512, ge=8)
    dropout: float = Field(0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _fits(self) -> Shape:
        if self.grid % self.tile_rows or self.grid % self.tile_columns:
            raise ValueError(
                f"grid {self.grid} is no multiple of the tile {self.tile_rows}x{self.tile_columns}"
            )
        if self.key_cells >= self.tile_cells:
            raise ValueError(f"key_cells {self.key_cells} must be below {self.tile_cells}")
        if self.d_model % self.heads:
            raise ValueError(f"d_model {self.d_model} is no multiple of heads {self.heads}")
        return self

    @property
    def cells(self) -> int:
        return self.grid * self.grid

    @property
    def tile_cells(self) -> int:
        return self.tile_rows * self.tile_columns

    @property
    def max_tokens(self) -> int:
        """The longest text whose every token has a tile."""
        return self.cells // self.tile_cells

    @property
    def token_cells(self) -> int:
        """Cells of a tile that say which token it is."""
        return self.tile_cells - self.key_cells


PRESETS: dict[str, dict[str, Any]] = {
    "tiny": {
        "grid": 16,
        "tile_rows": 2,
        "key_cells": 2,
        "levels": 4,
        "vocab_size": 1024,
        "d_model": 64,
        "heads": 4,
        "encoder_layers": 1,
        "decoder_layers": 1,
        "buckets": 4096,
        "word_width": 64,
        "vote_width": 128,
    },
    "small": {
        "grid": 32,
        "vocab_size": 2048,
        "d_model": 128,
        "heads": 4,
        "encoder_layers": 2,
        "decoder_layers": 2,
        "buckets": 12288,
        "word_width": 96,
        "vote_width": 256,
    },
    "full": {
        "grid": 64,
        "vocab_size": 8192,
        "d_model": 256,
        "heads": 8,
        "encoder_layers": 4,
        "decoder_layers": 6,
        "buckets": 32768,
        "word_width": 192,
        "vote_width": 512,
    },
}


def shape_of(preset: str, **changes: Any) -> Shape:
    """A preset with some sizes changed; ConfigError names what does not fit."""
    if preset not in PRESETS:
        raise ConfigError(f"no preset {preset!r}; presets are {', '.join(PRESETS)}")
    try:
        return Shape(**{**PRESETS[preset], **changes})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "shape"
        raise ConfigError(f"{name}: {first['msg']} (preset {preset})") from error


def tile_for(grid: int, max_tokens: int) -> tuple[int, int]:
    """Rows and columns of the tile when `max_tokens` tiles fill the grid exactly.

    ConfigError when no tile of whole cells does.
    """
    cells, rest = divmod(grid * grid, max_tokens)
    fits = [
        (rows, cells // rows)
        for rows in range(1, cells + 1)
        if cells % rows == 0 and rows <= cells // rows
        if grid % rows == 0 and grid % (cells // rows) == 0
    ]
    if rest or not fits or cells < 4:
        allowed = [n * n for n in (4, 8, 16, 32) if (grid * grid) % (n * n) == 0 and n <= grid // 2]
        raise ConfigError(
            f"max_seq_len {max_tokens} does not divide a {grid}x{grid} frame into tiles of four "
            f"or more cells; possible are {', '.join(map(str, allowed))}"
        )
    return fits[-1]
