from __future__ import annotations

import zlib

from pixelis.wheeler.words import gather, pieces_of, words_of


def test_words_are_folded_and_cut_at_what_is_no_letter():
    assert words_of("The Cat's STRASSE, naïve: 3.5!") == [
        "the",
        "cat's",
        "strasse",
        "naïve",
        "3",
        "5",
    ]
    assert words_of("straße") == ["strasse"]
    assert words_of("?!") == ["?!"]
    assert words_of("") == [""]


def test_pieces_are_hashed_the_same_everywhere():
    runs = ["=cat", "<c", "ca", "at", "t>", "<ca", "cat", "at>", "<cat", "cat>"]
    assert pieces_of("cat", 1000) == tuple(zlib.crc32(run.encode()) % 1000 for run in runs)


def test_a_misspelt_word_keeps_most_of_its_pieces():
    right, wrong, other = (set(pieces_of(w, 1 << 30)) for w in ("umbrella", "umbrela", "harbour"))
    assert len(right & wrong) > 0.5 * len(right)
    assert len(right & other) <= 2


def test_words_know_their_text():
    found = gather(["a bb", "", "ccc"], 64)
    assert found.size == 3
    assert found.texts.tolist() == [0, 0, 1, 2]
    assert found.words[0] == 0
    assert len(found.ids) == sum(len(pieces_of(w, 64)) for w in ("a", "bb", "", "ccc"))
