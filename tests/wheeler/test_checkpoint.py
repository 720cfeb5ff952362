from __future__ import annotations

import json

import pytest
import torch

from pixelis.errors import CheckpointError, ModelError
from pixelis.wheeler import checkpoint


def test_a_folder_gives_back_the_model(model, tmp_path, texts):
    model.vigilance = 0.42
    folder = checkpoint.save(model, tmp_path / "m", {"corpus": "generator"}, half=False)
    again = checkpoint.load(folder)
    assert again.vigilance == 0.42
    assert again.about == {"corpus": "generator"}
    assert torch.equal(again.frames(texts), model.frames(texts))
    assert checkpoint.fingerprint(again) == checkpoint.fingerprint(model)
    model.vigilance = 0.0


def test_half_precision_halves_the_file_and_keeps_what_is_read(model, tmp_path):
    whole = checkpoint.save(model, tmp_path / "a", {}, half=False) / checkpoint.WEIGHTS
    half = checkpoint.save(model, tmp_path / "b", {}, half=True) / checkpoint.WEIGHTS
    assert half.stat().st_size < 0.6 * whole.stat().st_size
    again = checkpoint.load(tmp_path / "b")
    assert again.encoder.code.weight.dtype == torch.float32
    assert again.decode(again.encode("red boat")) == "red boat"


def test_a_checkpoint_that_wants_to_run_code_is_refused(tmp_path):
    class Evil:
        def __reduce__(self):
            return (print, ("ran",))

    torch.save({"model": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(CheckpointError, match=r"could run code; it is not read$"):
        checkpoint.load(tmp_path / "evil.pt")


@pytest.mark.parametrize(
    ("part", "value", "named"),
    [
        ("record", "{", "no checkpoint"),
        ("record", "[1]", "sizes"),
        ("tokenizer", "nonsense", "no tokenizer"),
        ("tokenizer", '{"model": {"type": "BPE"}}', "broken tokenizer"),
        ("model", {"a": 1}, "no tensors"),
    ],
)
def test_broken_parts_are_named(model, tmp_path, part, value, named):
    folder = checkpoint.save(model, tmp_path / "m", {}, half=False)
    state = {
        "record": (folder / checkpoint.ABOUT).read_text(),
        "tokenizer": (folder / checkpoint.TOKENIZER).read_text(),
        "model": checkpoint.weights_of(model),
        "step": 0,
    }
    torch.save(state, tmp_path / "x.pt")
    assert checkpoint.load(tmp_path / "x.pt").shape == model.shape
    torch.save({**state, part: value}, tmp_path / "x.pt")
    with pytest.raises((CheckpointError, ModelError), match=named):
        checkpoint.load(tmp_path / "x.pt")


def test_a_description_with_words_for_numbers_is_refused(model, tmp_path):
    folder = checkpoint.save(model, tmp_path / "m", {}, half=False)
    record = json.loads((folder / checkpoint.ABOUT).read_text())
    (folder / checkpoint.ABOUT).write_text(json.dumps({**record, "vigilance": "high"}))
    with pytest.raises(ModelError, match="description is broken"):
        checkpoint.load(folder)


@pytest.mark.parametrize("data", [b"", b"not a zip file"])
def test_what_is_no_checkpoint_is_refused(tmp_path, data):
    (tmp_path / "x.pt").write_bytes(data)
    with pytest.raises(CheckpointError, match="no checkpoint"):
        checkpoint.load(tmp_path / "x.pt")


def test_what_does_not_fit_is_named(model, tmp_path):
    folder = checkpoint.save(model, tmp_path / "m", {}, half=False)
    with pytest.raises(ModelError, match="holds no"):
        checkpoint.load(tmp_path / "nowhere")
    record = json.loads((folder / checkpoint.ABOUT).read_text())
    record["shape"]["buckets"] = 64
    (folder / checkpoint.ABOUT).write_text(json.dumps(record))
    with pytest.raises(ModelError, match=r"votes\.table"):
        checkpoint.load(folder)
    (folder / checkpoint.TOKENIZER).write_text("{}")
    with pytest.raises(ModelError, match="no tokenizer"):
        checkpoint.load(folder)
    (folder / checkpoint.WEIGHTS).write_bytes(b"12")
    with pytest.raises(ModelError, match="broken"):
        checkpoint.load(folder)
