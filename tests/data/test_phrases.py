import numpy as np
import pytest

from pixelis.data import phrases, questions

SLOTS = {
    "card": f"red {phrases.CARD}",
    "place": "[at the top left|top left]",
    "chip": "star",
    "color": "blue",
    "shape": "ring",
    "shapes": "rings",
    "size": "[biggest|largest]",
    "a": "red star",
    "b": "blue ring",
    "more": "[wider|broader]",
    "side": "[left of|to the left of]",
    "edge": "[leftmost|furthest left]",
    "link": "[touching|next to]",
    "said": "OPEN",
    "x": "3",
    "y": "7",
    "z": "11",
    "label": "Total",
    "row": "Ely",
    "column": "platform",
    "direct": "[Which platform does the train to Ely leave from|Where does it leave]",
}


@pytest.mark.parametrize("kind", sorted({**phrases.QUESTIONS, **questions.QUESTIONS}))
def test_every_kind_has_many_wordings_without_leftovers(kind):
    rng = np.random.default_rng(1)
    seen = {phrases.ask(rng, kind, SLOTS) for _ in range(150)}
    assert len(seen) >= 40
    templates = phrases.QUESTIONS.get(kind) or questions.QUESTIONS[kind]
    known = kind in phrases.QUESTIONS
    assert known or len(templates) >= 8
    for text in seen:
        assert not set(text) & set("[]{}|"), text
        assert "  " not in text
        assert text.strip() == text


def test_held_out_openings_are_not_those_of_training():
    assert not (set(phrases.OPENINGS) & set(phrases.SHIFT_OPENINGS)) - {""}


def test_expansion_is_deterministic():
    asked = [phrases.ask(np.random.default_rng(9), "read_card", SLOTS) for _ in range(2)]
    assert asked[0] == asked[1]


def test_plain_questions_have_no_slips():
    texts = [phrases.ask(np.random.default_rng(k), "where", SLOTS, plain=True) for k in range(60)]
    assert all(text[0].isupper() for text in texts)
    assert not [text for text in texts if text.startswith(("Hey", "Look:", "Hi!"))]
