import numpy as np
import pytest

from pixelis.data import phrases

SLOTS = {
    "card": f"red {phrases.CARD}",
    "place": "[at the top left|top left]",
    "chip": "star",
    "color": "blue",
    "shape": "ring",
    "shapes": "rings",
    "size": "[biggest|largest]",
}


@pytest.mark.parametrize("kind", sorted(phrases.QUESTIONS))
def test_every_kind_has_many_wordings_without_leftovers(kind):
    rng = np.random.default_rng(1)
    seen = {phrases.ask(rng, kind, SLOTS) for _ in range(150)}
    assert len(seen) >= 40
    for text in seen:
        assert not set(text) & set("[]{}|"), text
        assert "  " not in text
        assert text.strip() == text


def test_held_out_openings_are_not_those_of_training():
    assert not (set(phrases.OPENINGS) & set(phrases.SHIFT_OPENINGS)) - {""}


def test_expansion_is_deterministic():
    asked = [phrases.ask(np.random.default_rng(9), "read_card", SLOTS) for _ in range(2)]
    assert asked[0] == asked[1]
