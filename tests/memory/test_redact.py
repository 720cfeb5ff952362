"""Private things go, ordinary numbers stay."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pixelis.memory.redact import redact, redact_all


@pytest.mark.parametrize(
    "text",
    [
        "512 cars built in 2019 at (120, 340)",
        "box 12 34 567 890, 1,234,567 people and 3.14159",
        "between 1990-2005, page 12-15, chapter 3.2.1.4.5",
        "the number 4111111111111112 fails its check digit",
        "serial 123456789012345678901234567890",
        "version 1.2.3.400 and 2026-11-21T18:00:00",
        "What is 1234 - 5678?",
        "room 555-1234",
        "4f2a9c7e1b3d4f2a9c7e1b3d4f2a9c7e1b3d4f2a9c7e1b3d4f2a9c7e1b3d4f2a",
        "{mask_1.color} text_1.line_3 [320, 510]",
    ],
)
def test_ordinary_texts_survive(text):
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("mail ann.b+c@mail.example.org now", "mail [EMAIL] now"),
        ("call +49 30 901820 please", "call [PHONE] please"),
        ("call (030) 555 1234", "call [PHONE]"),
        ("call 415-555-2671.", "call [PHONE]."),
        ("card 4111 1111 1111 1111 ok", "card [CARD] ok"),
        ("IBAN DE89 3704 0044 0532 0130 00", "IBAN [IBAN]"),
        ("ssn 123-45-6789", "ssn [SSN]"),
        ("host 192.168.0.17 up", "host [IP] up"),
        ("key AKIAIOSFODNN7EXAMPLE", "key [KEY]"),
        ("token=ghp_abcdefghijklmnopqrstuvwxyz0123456789", "token=[KEY]"),
    ],
)
def test_private_things_go(text, hidden):
    assert redact(text) == hidden


@given(st.text(max_size=80))
def test_twice_is_once(text):
    assert redact(redact(text)) == redact(text)


@given(st.lists(st.integers(0, 9999), max_size=8))
def test_short_numbers_in_a_sentence_survive(numbers):
    text = "there are " + ", ".join(map(str, numbers)) + " of them"
    assert redact(text) == text


def test_every_text_of_a_value():
    value = {"a": ["x@example.com", 3], "b": {"c": "fine"}}
    assert redact_all(value) == {"a": ["[EMAIL]", 3], "b": {"c": "fine"}}


def test_keys_are_texts_as_well():
    counts = {"ann@example.org": 2, "red": 1, "bob@example.org": 5}
    assert redact_all({"counts": counts}) == {"counts": {"[EMAIL]": 2, "red": 1, "[EMAIL] 2": 5}}
