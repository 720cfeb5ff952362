from __future__ import annotations

import pytest

from pixelis.errors import ConfigError, DataError
from pixelis.training.wheeler.sources import open_source, tokenizer_texts


def test_without_tinystories_the_generator_speaks(config, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("PIXELIS_TINYSTORIES", raising=False)
    source = open_source(config(dataset="auto"))
    assert (source.name, source.size) == ("generator", 64)
    with pytest.raises(DataError, match="allow-download"):
        open_source(config(dataset="tinystories"))


def test_a_local_copy_is_taken_and_named(config, monkeypatch, tmp_path):
    folder = tmp_path / "TinyStories"
    folder.mkdir()
    story = "Once upon a time\n\nthere was a cat."
    (folder / "TinyStories-train.txt").write_text(
        f"{story}\n<|endoftext|>\n{story}\n<|endoftext|>\n"
    )
    (folder / "TinyStories-valid.txt").write_text("This is held back from training.\n")
    monkeypatch.chdir(tmp_path)
    source = open_source(config(dataset="auto"))
    assert source.name == "tinystories TinyStories"
    assert source.texts == ["Once upon a time there was a cat."] * 2
    monkeypatch.setenv("PIXELIS_TINYSTORIES", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="not there"):
        open_source(config(dataset="auto"))


def test_the_tokenizer_sees_the_corpus_and_strange_words(config):
    texts = list(tokenizer_texts(open_source(config()), 3))
    assert len(texts) > 6000
    assert texts[0][0].isupper()
    assert texts[-1].islower()
