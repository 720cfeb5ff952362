"""Text -> frame -> text: an autoencoder whose only bottleneck is a picture."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from pixelis.errors import ConfigError
from pixelis.wheeler.blocks import Block, Cache
from pixelis.wheeler.code import codewords, quantise
from pixelis.wheeler.layout import Layout
from pixelis.wheeler.shape import Shape
from pixelis.wheeler.tokens import BOS_ID, EOS_ID, PAD_ID, decode_ids, encode_text
from pixelis.wheeler.votes import Votes
from pixelis.wheeler.words import Pieces, gather

WITHIN, BEYOND = 0.45, 2.0  # steps by which context may move a cell
STRIDE = 16  # tokens by which texts that are encoded together grow
TRUST = 6.0  # what one step of one cell away from a pattern costs a token, in nats, at first


class Written(NamedTuple):
    """Texts as tokens.

    Attributes:
        ids: (batch, max_tokens), each text followed by EOS where there is room, then padding.
        mask: True at tokens, EOS included.
    """

    ids: Tensor
    mask: Tensor


def trimmed(written: Written) -> Written:
    """Without the padding that all texts share, up to a multiple of `STRIDE`."""
    filled = int(written.mask.sum(1).max()) if len(written.ids) else 0
    most = max(STRIDE, -(-filled // STRIDE) * STRIDE)
    return Written(written.ids[:, :most], written.mask[:, :most])


class Encoder(nn.Module):
    """Tokens -> values of their cells: a pattern of its own for each token, turned by context.

    Where there are patterns enough for all tokens, context moves a cell by less than half a step
    between levels, so it decides only where a pattern leaves it open. Free to turn whole patterns,
    it flipped one cell of all tokens at once, again and again, and reading broke down each time.
    Where tokens share patterns, context may choose among all levels.
    """

    def __init__(self, shape: Shape, embed: nn.Embedding) -> None:
        super().__init__()
        self.embed = embed
        self.place = nn.Parameter(torch.randn(shape.max_tokens, shape.d_model) * 0.02)
        self.blocks = nn.ModuleList(
            Block(shape.d_model, shape.heads, shape.dropout) for _ in range(shape.encoder_layers)
        )
        self.norm = nn.LayerNorm(shape.d_model)
        self.turn = nn.Linear(shape.d_model, shape.token_cells)
        step = 2 / (shape.levels - 1)
        own = shape.levels**shape.token_cells >= shape.vocab_size
        self.reach = step * (WITHIN if own else BEYOND)
        nn.init.zeros_(self.turn.weight)
        nn.init.zeros_(self.turn.bias)
        self.code = nn.Embedding(shape.vocab_size, shape.token_cells)
        with torch.no_grad():
            words = codewords(shape.vocab_size, shape.token_cells, shape.levels)
            self.code.weight.copy_(torch.from_numpy(words).clamp(-0.97, 0.97).atanh())

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(batch, length) -> values in [-1, 1], (batch, length, token_cells)."""
        x = self.embed(ids) + self.place[: ids.shape[1]]
        for block in self.blocks:
            x = block(x, mask)
        return torch.tanh(self.code(ids)) + self.reach * torch.tanh(self.turn(self.norm(x)))

    def patterns(self, levels: int) -> Tensor:
        """The pattern of every token as it is drawn without context, (vocabulary, token_cells)."""
        return quantise(torch.tanh(self.code.weight), levels)


class Sight(NamedTuple):
    """What the decoder sees of the tiles of a grid.

    Attributes:
        tiles: what each tile says, having seen all others, (batch, tiles, d_model).
        cells: the token cells of each, (batch, tiles, token_cells).
        patterns: of all tokens, (vocabulary, token_cells).
    """

    tiles: Tensor
    cells: Tensor
    patterns: Tensor


class Decoder(nn.Module):
    """Grid -> tokens: reads a tile for each token, knows the tokens before it.

    A token's score is what context says of it, minus how far its pattern lies from the cells of
    the tile. The patterns are the encoder's own, so an undamaged tile is read from the first step
    on; what is learned is to read damaged tiles and patterns that several tokens share.
    """

    def __init__(self, shape: Shape, embed: nn.Embedding) -> None:
        super().__init__()
        self.embed = embed
        self.steps = (shape.levels - 1) / 2
        self.trust = nn.Parameter(torch.tensor(TRUST))
        self.read = nn.Linear(shape.tile_cells * shape.d_model, shape.d_model)
        self.place = nn.Parameter(torch.randn(shape.max_tokens, shape.d_model) * 0.02)
        self.look = Block(shape.d_model, shape.heads, shape.dropout)
        self.blocks = nn.ModuleList(
            Block(shape.d_model, shape.heads, shape.dropout) for _ in range(shape.decoder_layers)
        )
        self.norm = nn.LayerNorm(shape.d_model)
        self.bias = nn.Parameter(torch.zeros(shape.vocab_size))

    def tiles(self, tiles: Tensor) -> Tensor:
        """(batch, tiles, tile_cells * d_model) -> what each tile says, having seen all others."""
        return self.look(self.read(tiles) + self.place)

    def forward(self, sight: Sight, before: Tensor) -> Tensor:
        """Logits (batch, length, vocabulary), given the token before each place."""
        x = sight.tiles[:, : before.shape[1]] + self.embed(before)
        for block in self.blocks:
            x = block(x, causal=True)
        return self._logits(x, sight.cells[:, : before.shape[1]], sight.patterns)

    def step(self, sight: Sight, place: int, before: Tensor, caches: list[Cache | None]) -> Tensor:
        """Logits (batch, vocabulary) of the token at a place; the caches grow in place."""
        x = (sight.tiles[:, place] + self.embed(before))[:, None]
        for number, block in enumerate(self.blocks):
            x, caches[number] = block.step(x, caches[number])  # type: ignore[operator]
        return self._logits(x[:, 0], sight.cells[:, place], sight.patterns)

    def _logits(self, x: Tensor, cells: Tensor, patterns: Tensor) -> Tensor:
        told = F.linear(self.norm(x), self.embed.weight, self.bias)
        # squared distance in steps between levels, without the part that all tokens share
        far = patterns.square().sum(1) - 2 * cells @ patterns.T
        return told - self.trust * self.steps**2 * far


class WheelerTextAutoencoder(nn.Module):
    """Encodes texts as frames and reads frames as texts.

    A frame is float32 (batch, grid, grid) in [-1, 1], each cell one of `levels` values. A grid is
    (batch, grid, grid, d_model): the frame in channel 0, what a small convolution sees around each
    cell in the others. Nothing reaches the decoder but the grid, and the grid is made of the frame.
    """

    def __init__(self, shape: Shape, tokenizer: Tokenizer) -> None:
        super().__init__()
        self.shape = shape
        self.tokenizer = tokenizer
        self.layout = Layout(shape)
        embed = nn.Embedding(shape.vocab_size, shape.d_model)
        nn.init.normal_(embed.weight, std=shape.d_model**-0.5)
        self.encoder = Encoder(shape, embed)
        self.decoder = Decoder(shape, embed)
        self.votes = Votes(shape)
        self.around = nn.Conv2d(1, shape.d_model - 1, 3, padding=1)
        self.log_metric = nn.Parameter(torch.linspace(-2, 0, shape.max_tokens))
        self.vigilance = 0.0  # likeness below which a probe is of nothing known; set by training
        self.strictness = -1.0  # likewise for the support of its least supported word
        self.about: dict[str, Any] = {}
        self._twin: tuple[Encoder, Votes] | None = None
        self.eval()

    # the interface
    @classmethod
    def load_from_checkpoint(
        cls, path: str | Path, device: str | torch.device = "cpu"
    ) -> WheelerTextAutoencoder:
        """Loads a `.pt` file of training or a folder of safetensors; see `checkpoint.load`."""
        from pixelis.wheeler.checkpoint import load

        return load(path, device)

    @torch.no_grad()
    def encode(self, texts: str | Sequence[str]) -> Tensor:
        """The grid of one text or of several, (batch, grid, grid, d_model).

        A text with more than `shape.max_tokens` tokens keeps the first ones; all its words still
        count for the key. See `fits`.
        """
        return self.set_grid_from_image(self.frames(texts))

    def get_grid_as_image(self, grid: Tensor) -> Tensor:
        """The frame inside a grid, float32 (batch, grid, grid)."""
        return grid[..., 0].float()

    @torch.no_grad()
    def set_grid_from_image(self, frame: Tensor | np.ndarray) -> Tensor:
        """The grid made of a frame (grid, grid) or of several (batch, grid, grid).

        ConfigError for another size, values outside [-1, 1] or NaN.
        """
        return self.lift(self._checked(frame))

    @torch.no_grad()
    def decode(
        self,
        grid: Tensor,
        start_token_id: int = BOS_ID,
        end_token_id: int = EOS_ID,
    ) -> str | list[str]:
        """Reads a grid greedily: a text for a batch of one, a list for more."""
        ids = self.decode_ids(grid, start_token_id, end_token_id)
        texts = [decode_ids(self.tokenizer, row) for row in ids]
        return texts[0] if len(texts) == 1 else texts

    # frames
    def frames(self, texts: str | Sequence[str]) -> Tensor:
        """Frames of texts, float32 (batch, grid, grid); rounded as they are stored.

        Reckoned in double precision where the device has it, so that a cell does not depend on
        which texts share the batch or on the number of threads.
        """
        given = [texts] if isinstance(texts, str) else list(texts)
        written, pieces = self.write(given), self.pieces(given)
        encoder, votes = self._precise()
        with torch.no_grad():
            ballot = self.ballot(pieces, votes)
            values = self.compose(encoder(*trimmed(written)), written.mask, ballot)
            return self.framed(quantise(values, self.shape.levels)).float()

    def probe(self, texts: str | Sequence[str]) -> Tensor:
        """What to look for when asking with a text: votes alone, not rounded, in [-1, 1].

        A damaged text has other tokens at other places, so its own token cells would only
        mislead; its words still vote.
        """
        given = [texts] if isinstance(texts, str) else list(texts)
        with torch.no_grad():
            return self.framed(self.ballot(self.pieces(given), self._precise()[1])).float()

    def support(self, text: str, frame: np.ndarray) -> float:
        """How well the least supported word of a text is found in a stored frame (grid, grid)."""
        with torch.no_grad():
            cells = torch.from_numpy(frame.reshape(1, -1)).to(self.device)
            words = self.votes.words(self.pieces([text]))
            return float(self.votes.support(words, cells, self.weights()))

    def fits(self, text: str) -> bool:
        """Whether every token of the text has a tile."""
        return len(encode_text(self.tokenizer, text)) <= self.shape.max_tokens

    def metric(self) -> np.ndarray:
        """Weights (grid, grid) of cells when a frame is compared with a probe, float32.

        1 for cells of the key; less for cells of tokens, the less the earlier their tile: tiles
        after the end of a text vote too, and most texts end early.
        """
        weights = self.weights().detach().float().cpu().numpy()
        return weights.reshape(self.shape.grid, self.shape.grid)

    # parts that training uses as well
    @property
    def device(self) -> torch.device:
        return self.around.weight.device

    def write(self, texts: Sequence[str]) -> Written:
        """Texts as padded tokens."""
        most = self.shape.max_tokens
        rows = [[*encode_text(self.tokenizer, text), EOS_ID][:most] for text in texts]
        ids = torch.full((len(rows), most), PAD_ID)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = torch.tensor(row)
        ids = ids.to(self.device)
        return Written(ids, ids != PAD_ID)

    def pieces(self, texts: Sequence[str]) -> Pieces:
        return gather(texts, self.shape.buckets)

    def ballot(self, pieces: Pieces, votes: Votes | None = None) -> Tensor:
        """Votes of texts on every cell, in (-1, 1), (batch, cells) in raster order."""
        return torch.tanh((votes or self.votes)(pieces))

    def framed(self, cells: Tensor) -> Tensor:
        """(batch, cells) in raster order as (batch, grid, grid)."""
        return cells.view(-1, self.shape.grid, self.shape.grid)

    def compose(self, tokens: Tensor, mask: Tensor, votes: Tensor) -> Tensor:
        """Cell values (batch, cells) from those of tokens, which may leave out the last tiles when
        no text reaches them, and votes."""
        tiles = self.layout.tiles(votes)
        tokens = F.pad(tokens, (0, 0, 0, tiles.shape[1] - tokens.shape[1]))
        cells = self.shape.token_cells
        own = torch.where(mask[..., None], tokens.to(votes.dtype), tiles[..., :cells])
        return self.layout.raster(torch.cat((own, tiles[..., cells:]), -1))

    def weights(self) -> Tensor:
        """The metric as (cells,) in raster order."""
        tokens = self.log_metric.clamp(max=0).exp()[:, None]
        key = torch.ones_like(tokens).expand(-1, self.shape.key_cells)
        tiles = torch.cat((tokens.expand(-1, self.shape.token_cells), key), -1)
        return self.layout.raster(tiles[None])[0]

    def lift(self, frame: Tensor) -> Tensor:
        """The grid of frames (batch, grid, grid)."""
        seen = F.gelu(self.around(frame[:, None].to(self.around.weight.dtype)))
        return torch.cat((frame[..., None].to(seen.dtype), seen.permute(0, 2, 3, 1)), -1)

    def see(self, grid: Tensor) -> Sight:
        """What the decoder sees in a grid."""
        size, rows, columns = self.shape.grid, self.shape.tile_rows, self.shape.tile_columns
        if grid.shape[1:] != (size, size, self.shape.d_model):
            wanted = f"(batch, {size}, {size}, {self.shape.d_model})"
            raise ConfigError(f"a grid is {wanted}; came {tuple(grid.shape)}")
        parts = grid.unflatten(2, (size // columns, columns)).unflatten(1, (size // rows, rows))
        tiles = (
            parts.transpose(2, 3)
            .flatten(3, 4)
            .reshape(len(grid), self.shape.max_tokens, self.shape.tile_cells, -1)
        )
        cells = tiles[:, :, : self.shape.token_cells, 0]
        patterns = self.encoder.patterns(self.shape.levels).to(cells.dtype)
        return Sight(self.decoder.tiles(tiles.flatten(2)), cells, patterns)

    def decode_ids(self, grid: Tensor, start: int = BOS_ID, end: int = EOS_ID) -> list[list[int]]:
        """Greedy tokens of each grid, without start and end."""
        sight = self.see(grid)
        before = torch.full((len(grid),), start, device=grid.device)
        open_ = torch.ones(len(grid), dtype=torch.bool, device=grid.device)
        caches: list[Cache | None] = [None] * self.shape.decoder_layers
        told: list[Tensor] = []
        for place in range(self.shape.max_tokens):
            before = self.decoder.step(sight, place, before, caches).argmax(-1)
            open_ &= before != end
            told.append(torch.where(open_, before, PAD_ID))
            if not bool(open_.any()):
                break
        rows = torch.stack(told, 1).tolist() if told else [[] for _ in range(len(grid))]
        return [[token for token in row if token != PAD_ID] for row in rows]

    def _checked(self, frame: Tensor | np.ndarray) -> Tensor:
        found = torch.as_tensor(np.array(frame) if isinstance(frame, np.ndarray) else frame)
        found = found[None] if found.ndim == 2 else found
        size = self.shape.grid
        if found.ndim != 3 or found.shape[1:] != (size, size):
            raise ConfigError(
                f"a frame is ({size}, {size}) or (batch, {size}, {size}); came {tuple(frame.shape)}"
            )
        found = found.to(self.device, torch.float32)
        if not bool((found.abs() <= 1).all()):
            raise ConfigError("a frame holds values from -1 to 1; came NaN or larger ones")
        return found

    def _precise(self) -> tuple[Encoder, Votes]:
        """Encoder and votes in double precision, where the device has it."""
        if self.device.type == "mps":
            return self.encoder, self.votes
        if self._twin is None:
            twin = copy.deepcopy(nn.ModuleList((self.encoder, self.votes))).double()
            self._twin = (twin[0], twin[1])  # type: ignore[assignment]
        return self._twin  # type: ignore[return-value]

    def train(self, mode: bool = True) -> WheelerTextAutoencoder:
        """As every module does; weights that may change have no copy in double precision."""
        self._twin = None
        return super().train(mode)
