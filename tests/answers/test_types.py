"""The tables of words hold together."""

from pixelis.answers import types


def test_every_colour_synonym_leads_to_a_basic_term():
    assert len(set(types.COLORS)) == 11
    assert set(types.COLOR_SYNONYMS.values()) <= set(types.COLORS)
    assert not set(types.COLOR_SYNONYMS) & set(types.COLORS)


def test_yes_and_no_share_no_word():
    assert not types.YES & types.NO


def test_number_words_are_complete_and_distinct():
    assert sorted(types.ONES.values()) == list(range(20))
    assert sorted(types.TENS.values()) == list(range(20, 100, 10))
    assert not (set(types.ONES) & set(types.TENS)) | (set(types.TENS) & set(types.SCALES))


def test_units_are_their_own_symbols():
    symbols = set(types.UNITS.values())
    assert all(types.UNITS[symbol] == symbol for symbol in symbols)
