from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pixelis.wheeler.tokens import EOS_ID, decode_ids, encode_text, load_tokenizer, train_tokenizer

TOKENIZER = train_tokenizer(["the cat sat on the mat"] * 3, 300)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40))
def test_any_text_comes_back(text):
    assert decode_ids(TOKENIZER, encode_text(TOKENIZER, text)) == text


def test_special_tokens_in_a_text_are_letters(tmp_path):
    TOKENIZER.save(str(tmp_path / "t.json"))
    for tokenizer in (TOKENIZER, load_tokenizer(tmp_path / "t.json")):
        ids = encode_text(tokenizer, "a<eos>b")
        assert EOS_ID not in ids
        assert decode_ids(tokenizer, ids) == "a<eos>b"


@pytest.mark.parametrize(
    "bad", ["", "{}", '{"model": {"type": "WordLevel"}}', '{"model": {"type": "BPE"}}']
)
def test_other_files_are_refused(tmp_path, bad):
    from pixelis.errors import ModelError

    (tmp_path / "t.json").write_text(bad)
    with pytest.raises(ModelError):
        load_tokenizer(tmp_path / "t.json")


def test_half_a_letter_becomes_a_question_mark():
    assert decode_ids(TOKENIZER, encode_text(TOKENIZER, "a\ud800b")) == "a?b"
