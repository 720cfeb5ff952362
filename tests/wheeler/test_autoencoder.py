from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from pixelis.errors import ConfigError
from pixelis.wheeler import WheelerMemoryCPU, WheelerTextAutoencoder
from pixelis.wheeler.autoencoder import Decoder, trimmed
from pixelis.wheeler.checkpoint import save
from pixelis.wheeler.code import quantise
from pixelis.wheeler.shape import shape_of
from pixelis.wheeler.tokens import BOS_ID, EOS_ID, PAD_ID, train_tokenizer


def test_the_interface_as_people_know_it_at_full_size(tmp_path, texts):
    """Word for word as in the docs, on an untrained model of the full size."""
    tokenizer = train_tokenizer(texts, 8192)
    untrained = WheelerTextAutoencoder(shape_of("full"), tokenizer)
    assert 19e6 < sum(p.numel() for p in untrained.parameters()) < 23e6
    save(untrained, tmp_path / "full", {}, half=False)
    state = {
        "record": (tmp_path / "full" / "wheeler.json").read_text(),
        "tokenizer": tokenizer.to_str(),
        "model": {k: v for k, v in untrained.state_dict().items() if k != "decoder.embed.weight"},
        "step": 0,
    }
    torch.save(state, tmp_path / "best.pt")
    model = WheelerTextAutoencoder.load_from_checkpoint(tmp_path / "best.pt")
    grid = model.encode("Hello world")
    assert grid.shape == (1, 64, 64, 256)
    frame = model.get_grid_as_image(grid)
    assert frame.shape == (1, 64, 64)
    assert frame.dtype == torch.float32
    assert frame.abs().max() <= 1
    settled = WheelerMemoryCPU(64, 64).run_dynamics(frame[0])
    assert settled.shape == (64, 64)
    assert settled.dtype == np.float32
    text = model.decode(grid, start_token_id=BOS_ID, end_token_id=EOS_ID)
    assert isinstance(text, str)
    again = WheelerTextAutoencoder.load_from_checkpoint(tmp_path / "full")
    assert torch.equal(again.get_grid_as_image(again.encode("Hello world")), frame)


@pytest.mark.parametrize("name", ["model", "model4"])
def test_a_frame_does_not_depend_on_its_batch_mates(name, request, texts):
    model = request.getfixturevalue(name)
    together = model.frames([*texts, "", "a", "word " * 200])
    assert together.dtype == torch.float32
    assert together.shape == (len(texts) + 3, 16, 16)
    for number, text in enumerate(texts):
        assert torch.equal(model.frames(text)[0], together[number])
    steps = (together + 1) * (model.shape.levels - 1) / 2
    assert torch.allclose(steps, steps.round(), atol=1e-5)
    assert together.std((1, 2)).min() >= 0.1
    assert len({frame.numpy().tobytes() for frame in together}) == len(together)


def test_a_frame_is_the_same_in_another_process(model, tmp_path):
    folder = save(model, tmp_path / "m", {}, half=False)
    code = (
        "import sys, torch; torch.set_num_threads(1)\n"
        "from pixelis.wheeler import WheelerTextAutoencoder as W\n"
        "m = W.load_from_checkpoint(sys.argv[1])\n"
        "print(m.frames(sys.argv[2]).numpy().tobytes().hex())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder), "The cat said: Grüezi!"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == model.frames("The cat said: Grüezi!").numpy().tobytes().hex()


def test_picture_and_grid_are_inverse(model, rng):
    noise = torch.from_numpy(rng.uniform(-1, 1, (3, 16, 16)).astype(np.float32))
    grid = model.set_grid_from_image(noise)
    assert grid.shape == (3, 16, 16, 32)
    assert torch.equal(model.get_grid_as_image(grid), noise)
    assert torch.equal(
        model.get_grid_as_image(model.set_grid_from_image(noise[0].numpy()))[0], noise[0]
    )


@pytest.mark.parametrize(
    ("frame", "named"),
    [
        (np.zeros((4, 4), np.float32), "(4, 4)"),
        (np.full((16, 16), 1.5, np.float32), "-1 to 1"),
        (np.full((16, 16), np.nan, np.float32), "NaN"),
    ],
)
def test_what_is_no_frame_is_refused(model, frame, named):
    with pytest.raises(ConfigError, match=r".*") as caught:
        model.set_grid_from_image(frame)
    assert named in str(caught.value)


def test_short_texts_are_read_back_before_any_training(model):
    """The patterns of tokens are all different, so the nearest one is the token itself."""
    told = model.decode(model.encode(["red boat", "Anna", ""]))
    assert told == ["red boat", "Anna", ""]


def test_decoding_one_token_at_a_time_equals_reading_all_at_once(model, texts):
    """The cache changes nothing: teacher forcing with its own words gives the same words."""
    grid = model.encode(texts)
    rows = model.decode_ids(grid)
    sight = model.see(grid)
    for number, row in enumerate(rows):
        before = torch.tensor([[BOS_ID, *row][: model.shape.max_tokens]])
        part = type(sight)(
            sight.tiles[number : number + 1], sight.cells[number : number + 1], sight.patterns
        )
        with torch.no_grad():
            forced = model.decoder(part, before).argmax(-1)[0].tolist()
        assert forced[: len(row)] == row


def test_padding_changes_nothing(model):
    written = model.write(["red boat"])
    assert written.mask.sum() == (written.ids != PAD_ID).sum()
    cut = int(written.mask.sum())
    long = model.encoder(written.ids, written.mask)[:, :cut]
    short = model.encoder(written.ids[:, :cut], written.mask[:, :cut])
    assert torch.allclose(long, short, atol=1e-6)


def test_a_damaged_text_votes_like_the_whole_one(model):
    """Even untrained: words that are the same vote the same, whatever their order."""
    whole, turned = model.probe(["one two three four", "four three two one"])
    other = model.probe("quite different words here")[0]
    cosine = torch.nn.functional.cosine_similarity
    assert torch.allclose(whole, turned, atol=1e-6)
    assert cosine(whole.flatten(), other.flatten(), 0) < 0.95


def test_a_text_too_long_is_told(model):
    assert model.fits("red boat")
    assert not model.fits("boat " * 40)
    assert len(model.decode_ids(model.encode("boat " * 40))[0]) <= model.shape.max_tokens


def test_the_metric_weighs_key_cells_most(model):
    metric = model.metric()
    assert metric.shape == (16, 16)
    tiles = model.layout.tiles(torch.from_numpy(metric).reshape(1, -1))[0]
    assert torch.all(tiles[:, -4:] == 1)
    assert torch.all(tiles[:, :-4] <= 1)
    assert tiles[0, 0] < tiles[-1, 0]


@torch.no_grad()
def test_trust_is_what_a_cell_costs(model):
    """One cell away from a pattern costs a token exactly `trust` against one that fits."""
    decoder = model.decoder
    assert isinstance(decoder, Decoder)
    patterns = model.encoder.patterns(2)
    cells = patterns[5:6].clone()
    flat = torch.zeros(1, model.shape.d_model)
    base = decoder._logits(flat, cells, patterns)
    cells[0, 0] *= -1
    moved = decoder._logits(flat, cells, patterns)
    assert float((base - moved)[0, 5]) == pytest.approx(float(decoder.trust), rel=1e-4)


def test_shared_padding_is_left_out_without_a_trace(builder, texts):
    model = builder(grid=32)  # room for 64 tokens, so that short texts have padding to leave out
    shape = model.shape
    frames = model.frames(texts)
    written = model.write(texts)
    assert trimmed(written).ids.shape[1] < shape.max_tokens
    encoder, votes = model._precise()
    with torch.no_grad():
        ballot = model.ballot(model.pieces(texts), votes)
        whole = model.compose(encoder(*written), written.mask, ballot)
    assert torch.equal(model.framed(quantise(whole, shape.levels)).float(), frames)
    assert model.frames([]).shape == (0, 32, 32)
